import type { Scope } from '../rights/admission.ts';
import type { Rule } from '../rights/user-desk.ts';
import { covers, type Deed, type Grant, grantOfRole, grantOfRule, isAdminRole } from './roles.ts';

/**
 * Who there is and what each may do. Users come from a file, which only the file changes, and from calls, which a store keeps; of two
 * with one name the file's counts. Passwords are here as hashes, and none ever leaves but to the store.
 */
export class Users {
  #ofFile: ReadonlyMap<string, User> = new Map();
  readonly #ofCalls = new Map<string, User>();
  /** Names by the digests of their tokens. */
  #tokens: ReadonlyMap<string, string> = new Map();
  #rulesOfFile: ReadonlyMap<string, readonly Rule[]> = new Map();
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #userListeners = new Set<(name: string) => void>();
  readonly #ruleListeners = new Set<(role: string) => void>();
  /** Whatever a user's roles come down to, until a rule changes. */
  #grants = new WeakMap<User, readonly Grant[]>();
  /** What anybody may ask as often as he likes is not looked for among all: the names of who is admin, and of who has a certificate. */
  readonly #admins = new Set<string>();
  readonly #certified = new Map<string, Set<string>>();
  /** All of them in their order, once somebody has asked. */
  #sorted: readonly User[] | undefined;

  /** Those of calls, by name. */
  readonly durableUsers: KeptPart = {
    name: 'user',
    onChange: (listener) => void this.#userListeners.add(listener),
    read: (name) => this.#ofCalls.get(name),
    restore: (entries) => {
      for (const [name, user] of entries) if (isUser(user)) this.#change(name, () => this.#ofCalls.set(name, { ...user, name }));
    },
  };

  /** The rules of roles, by role. */
  readonly durableRules: KeptPart = {
    name: 'role',
    onChange: (listener) => void this.#ruleListeners.add(listener),
    read: (role) => this.#rules.get(role),
    restore: (entries) => {
      for (const [role, rules] of entries) if (Array.isArray(rules)) this.#rules.set(role, rules.filter(isRule));
    },
  };

  find(name: string): User | undefined {
    return this.#ofFile.get(name) ?? this.#ofCalls.get(name);
  }

  /** Whose token it is, by its digest. */
  findByToken(digest: string): User | undefined {
    const name = this.#tokens.get(digest);
    const user = name === undefined ? undefined : this.#ofFile.get(name);
    return user?.isDisabled === false ? user : undefined;
  }

  /** By what a certificate is called; two of them make it nobody's. */
  findByCertificate(certificate: string): User | undefined {
    const names = [...(this.#certified.get(certificate) ?? [])];
    const user = names.length === 1 ? this.find(names[0] ?? '') : undefined;
    return user?.isDisabled === false ? user : undefined;
  }

  /** In the order of their names. */
  all(): readonly User[] {
    this.#sorted ??= [...new Map([...this.#ofCalls, ...this.#ofFile]).values()].sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    return this.#sorted;
  }

  isOfFile(name: string): boolean {
    return this.#ofFile.has(name);
  }

  /** Whether calls have made one of that name, who does not count as long as the file has one. */
  isHidden(name: string): boolean {
    return this.#ofFile.has(name) && this.#ofCalls.has(name);
  }

  get hasAdmin(): boolean {
    return this.#admins.size > 0;
  }

  isLastAdmin(name: string): boolean {
    return this.#admins.size === 1 && this.#admins.has(name);
  }

  /** What of calls does not count for the file, which has users and roles of the same names. */
  hidden(): Names {
    return {
      users: [...this.#ofFile.keys()].filter((name) => this.#ofCalls.has(name)),
      roles: [...this.#rulesOfFile.keys()].filter((role) => this.#rules.has(role)),
    };
  }

  /** What the file says now takes the place of what it said. Answers what of calls counts again, which the file hid until now. */
  replaceFile(users: readonly User[], rules: ReadonlyMap<string, readonly Rule[]> = new Map()): Names {
    const hidden = this.hidden();
    this.#ofFile = new Map(users.map((user) => [user.name, user]));
    this.#tokens = new Map(users.flatMap(({ name, tokens = [] }) => tokens.map((digest) => [digest, name] as const)));
    this.#rulesOfFile = rules;
    this.#grants = new WeakMap();
    this.#sorted = undefined;
    this.#admins.clear();
    this.#certified.clear();
    for (const name of this.#ofCalls.keys()) if (!this.#ofFile.has(name)) this.#note(name);
    for (const name of this.#ofFile.keys()) this.#note(name);
    return {
      users: hidden.users.filter((name) => !this.#ofFile.has(name)),
      roles: hidden.roles.filter((role) => !rules.has(role)),
    };
  }

  put(user: User): void {
    this.#change(user.name, () => this.#ofCalls.set(user.name, user));
    for (const listener of this.#userListeners) listener(user.name);
  }

  /** A hash of the same password at another cost. What has changed meanwhile is not undone. */
  rehash(user: User, hash: string): void {
    if (this.#ofCalls.get(user.name) === user) this.put({ ...user, hash });
  }

  /** Absent is fine. */
  drop(name: string): void {
    this.#change(name, () => this.#ofCalls.delete(name));
    // Also when it was absent: whoever asks again after a failure is promised that it does not come back.
    for (const listener of this.#userListeners) listener(name);
  }

  get count(): number {
    return this.#ofCalls.size + this.#ofFile.size;
  }

  rulesOf(role: string): readonly Rule[] {
    return this.#rulesOfFile.get(role) ?? this.#rules.get(role) ?? [];
  }

  hasRulesOfFile(role: string): boolean {
    return this.#rulesOfFile.has(role);
  }

  /** Of all roles that have some. */
  allRules(): readonly (Rule & { readonly role: string })[] {
    return [...new Map([...this.#rules, ...this.#rulesOfFile])].flatMap(([role, rules]) =>
      rules.map((rule) => ({ role, ...rule })),
    );
  }

  putRules(role: string, rules: readonly Rule[]): void {
    if (rules.length === 0) this.#rules.delete(role);
    else this.#rules.set(role, rules);
    this.#grants = new WeakMap();
    for (const listener of this.#ruleListeners) listener(role);
  }

  /** Whether one of the user's roles allows it. */
  allows(user: User, deed: Deed, scope: Scope): boolean {
    return covers(this.#grantsOf(user), deed, scope);
  }

  /** Whether there is anything at all for which the user may do that. */
  allowsSomewhere(user: User, deed: Deed): boolean {
    return this.#grantsOf(user).some(({ deeds }) => deeds.has(deed));
  }

  /** Does that to the users of this name, and keeps what is known of all. */
  #change(name: string, change: () => void): void {
    const before = this.find(name);
    this.#admins.delete(name);
    if (before?.certificate !== undefined) this.#uncertify(before.certificate, name);
    change();
    this.#sorted = undefined;
    this.#note(name);
  }

  #note(name: string): void {
    const user = this.find(name);
    if (user === undefined) return;
    if (!user.isDisabled && isAdmin(user)) this.#admins.add(name);
    if (user.certificate === undefined) return;
    const names = this.#certified.get(user.certificate) ?? new Set();
    this.#certified.set(user.certificate, names.add(name));
  }

  #uncertify(certificate: string, name: string): void {
    const names = this.#certified.get(certificate);
    names?.delete(name);
    if (names?.size === 0) this.#certified.delete(certificate);
  }

  #grantsOf(user: User): readonly Grant[] {
    const known = this.#grants.get(user);
    if (known !== undefined) return known;
    const grants = user.roles.flatMap((role) => {
      const grant = grantOfRole(role);
      return grant === undefined ? this.rulesOf(role).flatMap((rule) => grantOfRule(rule.resource, rule.action) ?? []) : [grant];
    });
    this.#grants.set(user, grants);
    return grants;
  }
}

export interface User {
  readonly name: string;
  /** As `readHash` takes it. */
  readonly hash: string;
  /** Another one with each other password: what was proven with an older one is void. */
  readonly generation: string;
  readonly roles: readonly string[];
  readonly isDisabled: boolean;
  /** Digests of tokens that never end, as `tokenDigest` writes them: for who cannot log in. */
  readonly tokens?: readonly string[];
  /** `spiffe://…` or `CN=…`: whoever has a certificate of that name is this user. */
  readonly certificate?: string;
}

/** Of users and of roles. */
export interface Names {
  readonly users: readonly string[];
  readonly roles: readonly string[];
}

/** All there is is theirs, users too. */
export function isAdmin({ roles }: Pick<User, 'roles'>): boolean {
  return roles.some(isAdminRole);
}

/** What a user may be called; a colon would end the name in `Authorization: Basic`. */
export function isUserName(name: string): boolean {
  return /^[\w.@-]{1,64}$/.test(name);
}

/** State that a store keeps: values of plain JSON by key. */
export interface KeptPart {
  readonly name: string;
  /** Calls `listener` with the key of what may be another now. */
  readonly onChange: (listener: (key: string) => void) => void;
  /** What there is now; undefined: nothing. */
  readonly read: (key: string) => unknown;
  /** Gives back what was read once, before anybody is served. */
  readonly restore: (entries: Iterable<readonly [key: string, value: unknown]>) => void;
}

/** Whoever could write another into the store could as well have written it here; a record that is none lets nobody in. */
function isUser(value: unknown): value is User {
  if (typeof value !== 'object' || value === null) return false;
  const { name, hash, generation, roles, isDisabled } = value as { readonly [key: string]: unknown };
  const hasTexts = [name, hash, generation].every((text) => typeof text === 'string');
  return hasTexts && Array.isArray(roles) && roles.every((role) => typeof role === 'string') && typeof isDisabled === 'boolean';
}

function isRule(value: unknown): value is Rule {
  if (typeof value !== 'object' || value === null) return false;
  const { resource, action } = value as { readonly [key: string]: unknown };
  return typeof resource === 'string' && typeof action === 'string';
}
