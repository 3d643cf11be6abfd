import type { Need } from './policy.ts';
import { NO_USERS, noRight, type Refusal } from './refusals.ts';
import type { Deed, Scope } from './roles.ts';
import { isAdmin, type User, type Users } from './users.ts';

/**
 * That somebody may do what a call needs, as far as can be said before the call is read; and from then on whether the command that was
 * read is covered. What is asked about is always the command, after defaults and splitting: of raw parameters two readers see two things.
 */
export interface Permit {
  readonly isRefusal: false;
  /** Whose it is; undefined where nobody had to say. */
  readonly user: string | undefined;
  /** Everything, users and secrets too. */
  readonly isAdmin: boolean;
  /** Why the command is not covered; undefined when it is. Each thing that it touches is asked for by itself. */
  readonly refusalFor: (scope: Scope) => Refusal | undefined;
  /** The same for what is left out of a list without a word. */
  readonly covers: (scope: Scope) => boolean;
  /**
   * The same for what is told later on, because it was asked for once: of the user as he is by then, and only as long as what he has shown
   * holds. `since`: what the same user has shown since.
   */
  readonly stillCovers: (scope: Scope, since?: Pick<Permit, 'standing'>) => boolean;
  /** How it stands with what has been shown of who it is. */
  readonly standing: () => Standing;
  /** Until when that can hold at most, in milliseconds since 1970. */
  readonly until: number;
  /** By the connection's own certificate: when that is over, no later call over it can show another. */
  readonly isByCertificate: boolean;
  /** Why this is none of the caller's own; undefined when it is, and for who may change anybody. */
  readonly refusalForUser: (name: string) => Refusal | undefined;
}

/** `over`: its time is, until another is shown; `withdrawn`: it was taken back. */
export type Standing = 'holds' | 'over' | 'withdrawn';

/** What somebody has shown of who he is, and how it stands with it later. */
export interface Proof {
  readonly standing: () => Standing;
  /** In milliseconds since 1970. */
  readonly until: number;
}

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
  const standing = (): Standing => {
    const now = users.find(user.name);
    // Whoever has another password has proven nothing yet by it.
    return now === undefined || now.isDisabled || now.generation !== user.generation ? 'withdrawn' : proof.standing();
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
