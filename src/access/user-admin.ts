import type { Fault, Prepared, Rule } from '../rights/user-desk.ts';
import type { Kdf } from './kdf.ts';
import { hashed, passwordFault, type Randomness } from './passwords.ts';
import { ADMIN, grantOfRole, grantOfRule, isAdminRole, isRoleName, RULE_FORM } from './roles.ts';
import { isAdmin, isUserName, type User, type Users } from './users.ts';

/**
 * What administrators do to users, roles and rules by calls. Whoever asks has been let in already. Passwords are hashed first, which takes
 * its time, and what is then done is done at once, so that it can be kept like any other act.
 */
export class UserAdmin {
  readonly #users: Users;
  readonly #kdf: Kdf;
  readonly #randomness: Randomness;

  constructor(users: Users, kdf: Kdf, randomness: Randomness) {
    this.#users = users;
    this.#kdf = kdf;
    this.#randomness = randomness;
  }

  /** In their order. */
  names(): readonly string[] {
    return this.#users.all().map(({ name }) => name);
  }

  /** Of all roles that have some. */
  rules(): readonly (Rule & { readonly role: string })[] {
    return this.#users.allRules();
  }

  get hasAdmin(): boolean {
    return this.#users.hasAdmin;
  }

  /** A password as it is kept; a fault where nobody may have it, or there is no time now. `origin`: whose turn it takes. */
  async prepared(name: string, password: string, origin: string): Promise<Prepared | Fault> {
    const fault = passwordFault(name, password);
    if (fault !== undefined) return invalid(fault);
    const hash = await this.#kdf.run(origin, (derive) => hashed(password, derive, this.#randomness));
    return hash === undefined ? { why: 'busy', text: 'too many logins at once; try again in 5 s' } : { hash };
  }

  /** For a first administrator who has not chosen one. */
  newPassword(): string {
    return Buffer.from(this.#randomness(18)).toString('base64url');
  }

  create(name: string, { hash }: Prepared, roles: readonly string[] = []): Fault | undefined {
    if (!isUserName(name)) return invalid('a user name has 1..64 letters, digits, and _ . @ -');
    if (this.#users.find(name) !== undefined) return { why: 'exists', text: `user '${name}' already exist!` };
    if (this.#users.count >= MOST_USERS) return tooMany(`more than ${MOST_USERS} users`);
    this.#users.put({ name, hash, generation: this.#newGeneration(), roles, isDisabled: false });
    return undefined;
  }

  /** Of several who try to be the first at once, one is: this is asked and done in one go. */
  createFirst(name: string, prepared: Prepared): Fault | undefined {
    if (this.#users.hasAdmin) return { why: 'exists', text: 'have admin user cannot use it' };
    return this.create(name, prepared, [ADMIN]);
  }

  changePassword(name: string, { hash }: Prepared): Fault | undefined {
    return this.#changed(name, (user) => ({ ...user, hash, generation: this.#newGeneration() }));
  }

  /** Absent is fine. Of one who is in the file too, what calls have made goes, so that it does not come back when the file leaves him out. */
  drop(name: string): Fault | undefined {
    if (this.#users.isOfFile(name) && !this.#users.isHidden(name)) return ofFile(name);
    if (!this.#users.isOfFile(name) && this.#users.isLastAdmin(name)) return lastAdmin(name);
    this.#users.drop(name);
    return undefined;
  }

  /** A role is one of ours, or has rules, or will have some. */
  grant(role: string, name: string): Fault | undefined {
    if (role === 'ROLE_ADMIN') return invalid(`role '${role}' is not permitted to create!`);
    if (!isRoleName(role))
      return invalid('a role is reader, writer or admin, with @NAMESPACE or @NAMESPACE:GROUP, or 1..64 letters');
    if (this.#users.find(name)?.roles.includes(role))
      return { why: 'exists', text: `user '${name}' already bound to the role '${role}'!` };
    if ((this.#users.find(name)?.roles.length ?? 0) >= MOST_ROLES) return tooMany(`more than ${MOST_ROLES} roles of one user`);
    return this.#changed(name, (user) => ({ ...user, roles: [...user.roles, role] }));
  }

  /** Of one user, or of all who have it, and then its rules go as well. */
  revoke(role: string, name?: string): Fault | undefined {
    if (role === 'ROLE_ADMIN') return invalid(`role '${role}' is not permitted to delete!`);
    const holders = this.#users.all().filter((user) => user.roles.includes(role) && (name === undefined || user.name === name));
    const held = holders.find((user) => this.#users.isOfFile(user.name));
    if (held !== undefined) return ofFile(held.name);
    const without = (user: User): User => ({ ...user, roles: user.roles.filter((other) => other !== role) });
    const names = new Set(holders.map((user) => user.name));
    const admins = this.#users.all().filter((user) => !user.isDisabled && isAdmin(names.has(user.name) ? without(user) : user));
    if (isAdminRole(role) && holders.length > 0 && admins.length === 0) return lastAdmin(holders[0]?.name ?? '');
    for (const user of holders) this.#users.put(without(user));
    if (name === undefined) this.#users.putRules(role, []);
    return undefined;
  }

  /** Twice is fine. */
  permit(role: string, { resource, action }: Rule): Fault | undefined {
    const fault = this.#ruleFault(role);
    if (fault !== undefined) return fault;
    if (grantOfRule(resource, action) === undefined) return invalid(`a permission must be ${RULE_FORM}`);
    const rules = this.#users.rulesOf(role);
    if (rules.some((rule) => rule.resource === resource && rule.action === action)) return undefined;
    if (rules.length >= MOST_RULES) return tooMany(`more than ${MOST_RULES} permissions of one role`);
    this.#users.putRules(role, [...rules, { resource, action }]);
    return undefined;
  }

  /** Absent is fine. */
  forbid(role: string, { resource, action }: Rule): Fault | undefined {
    if (this.#users.hasRulesOfFile(role)) return { why: 'of-file', text: `role '${role}' is in the user file: change it there` };
    const rules = this.#users.rulesOf(role).filter((rule) => rule.resource !== resource || rule.action !== action);
    this.#users.putRules(role, rules);
    return undefined;
  }

  /** Who has which role, in the order of users. */
  bindings(): readonly { readonly role: string; readonly username: string }[] {
    return this.#users
      .all()
      .flatMap(({ name, roles }) => roles.map((role) => ({ role: role === ADMIN ? 'ROLE_ADMIN' : role, username: name })));
  }

  #ruleFault(role: string): Fault | undefined {
    if (this.#users.hasRulesOfFile(role)) return { why: 'of-file', text: `role '${role}' is in the user file: change it there` };
    if (grantOfRole(role) !== undefined) return invalid(`role '${role}' says by its name what it allows`);
    const isHeld = this.#users.all().some(({ roles }) => roles.includes(role));
    return isHeld ? undefined : { why: 'unknown', text: `role ${role} not found!` };
  }

  #changed(name: string, change: (user: User) => User): Fault | undefined {
    const user = this.#users.find(name);
    if (user === undefined) return { why: 'unknown', text: `user ${name} not exist!` };
    if (this.#users.isOfFile(name)) return ofFile(name);
    this.#users.put(change(user));
    return undefined;
  }

  #newGeneration(): string {
    return Buffer.from(this.#randomness(12)).toString('base64url');
  }
}

export const MOST_USERS = 10_000;
const MOST_ROLES = 100;
const MOST_RULES = 1_000;

function invalid(text: string): Fault {
  return { why: 'invalid', text };
}

function tooMany(text: string): Fault {
  return { why: 'too-many', text };
}

function ofFile(name: string): Fault {
  return { why: 'of-file', text: `user ${name} is in the user file: change it there` };
}

function lastAdmin(name: string): Fault {
  return { why: 'last-admin', text: `cannot delete admin: ${name}` };
}
