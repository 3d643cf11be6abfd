import type { Need, Permit, Proof, Scope, Standing } from '../rights/admission.ts';
import { NO_USERS, noRight, type Refusal } from './refusals.ts';
import type { Deed } from './roles.ts';
import { isAdmin, type User, type Users } from './users.ts';

/** Of a password that was right: the user is another as soon as it is. */
export const HOLDS: Proof = { standing: () => 'holds', until: Number.POSITIVE_INFINITY };

/** Where nobody is asked who he is, nothing is anybody's own. */
export const ANYBODY: Permit = {
  isRefusal: false,
  user: undefined,
  isAdmin: false,
  refusalFor: () => undefined,
  covers: () => true,
  stillCovers: () => true,
  ...HOLDS,
  isByCertificate: false,
  refusalForUser: () => NO_USERS,
};

/** What this user may, where the call needs this deed. `refused` hears of each refusal. */
export function permitOf(
  { user, proof, isByCertificate = false }: Known,
  deed: Deed | undefined,
  users: Users,
  refused: (refusal: Refusal) => void,
): Permit {
  const heard = (refusal: Refusal): Refusal => {
    refused(refusal);
    return refusal;
  };
  const covers = (scope: Scope): boolean => deed === undefined || users.allows(user, deed, scope);
  const endedAt = users.endedAt(user.name);
  const standing = (): Standing => {
    // Whoever has another password has proven nothing yet by it.
    return users.stillThat(user, endedAt) === undefined ? 'withdrawn' : proof.standing();
  };
  const stillCovers: Permit['stillCovers'] = (scope, since = { standing }) => {
    const now = users.find(user.name);
    return now !== undefined && since.standing() === 'holds' && (deed === undefined || users.allows(now, deed, scope));
  };
  return {
    isRefusal: false,
    user: user.name,
    isAdmin: isAdmin(user),
    covers,
    stillCovers,
    standing,
    until: proof.until,
    isByCertificate,
    refusalFor: (scope) => (deed === undefined || covers(scope) ? undefined : heard(noRight(user.name, deed, scope))),
    refusalForUser: (name) => (isAdmin(user) || name === user.name ? undefined : heard(noRight(user.name, 'administer', {}))),
  };
}

/** Who asks, and what has shown it. */
export interface Known {
  readonly isRefusal: false;
  readonly user: User;
  readonly proof: Proof;
  /** By nothing else; false when left out. */
  readonly isByCertificate?: boolean;
}

/** What has to be allowed by namespace and group; undefined where nothing has. */
export function deedOf(need: Need): Deed | undefined {
  return need === 'read' || need === 'write' || need === 'operate' ? need : undefined;
}
