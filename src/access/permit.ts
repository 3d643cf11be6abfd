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
  /** The same for what is told later on, because it was asked for once: of the user as he is by then. */
  readonly stillCovers: (scope: Scope) => boolean;
  /** Why this is none of the caller's own; undefined when it is, and for who may change anybody. */
  readonly refusalForUser: (name: string) => Refusal | undefined;
}

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
  const endedAt = users.endedAt(user.name);
  const stillCovers = (scope: Scope): boolean => {
    const now = users.stillThat(user, endedAt);
    if (now === undefined) return false;
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
