import type { Need, Permit, Scope } from '../rights/admission.ts';
import { NO_USERS, noRight, type Refusal } from './refusals.ts';
import type { Deed } from './roles.ts';
import { isAdmin, type User, type Users } from './users.ts';

/** Where nobody is asked who he is, nothing is anybody's own. */
export const ANYBODY: Permit = {
  isRefusal: false,
  user: undefined,
  isAdmin: false,
  refusalFor: () => undefined,
  covers: () => true,
  stillCovers: () => true,
  refusalForUser: () => NO_USERS,
};

/** What this user may, where the call needs this deed. `refused` hears of each refusal. */
export function permitOf(user: User, deed: Deed | undefined, users: Users, refused: (refusal: Refusal) => void): Permit {
  const heard = (refusal: Refusal): Refusal => {
    refused(refusal);
    return refusal;
  };
  const covers = (scope: Scope): boolean => deed === undefined || users.allows(user, deed, scope);
  const stillCovers = (scope: Scope): boolean => {
    const now = users.find(user.name);
    // Whoever has another password has proven nothing yet by it.
    if (now === undefined || now.isDisabled || now.generation !== user.generation) return false;
    return deed === undefined || users.allows(now, deed, scope);
  };
  return {
    isRefusal: false,
    user: user.name,
    isAdmin: isAdmin(user),
    covers,
    stillCovers,
    refusalFor: (scope) => (deed === undefined || covers(scope) ? undefined : heard(noRight(user.name, deed, scope))),
    refusalForUser: (name) => (isAdmin(user) || name === user.name ? undefined : heard(noRight(user.name, 'administer', {}))),
  };
}

/** What has to be allowed by namespace and group; undefined where nothing has. */
export function deedOf(need: Need): Deed | undefined {
  return need === 'read' || need === 'write' || need === 'operate' ? need : undefined;
}
