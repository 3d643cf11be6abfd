import { createHash } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import type { Rule } from '../rights/user-desk.ts';
import { type Derive, hashed, passwordFault, type Randomness, readHash } from './passwords.ts';
import { grantOfRole, grantOfRule, isRoleName, RULE_FORM } from './roles.ts';
import { isAdmin, isUserName, type Names, type User, type Users } from './users.ts';

/**
 * The file of users, in YAML or JSON:
 *
 *     users:
 *       ann:
 *         password: $scrypt$ln=15,r=8,p=3$...   # or the password itself
 *         roles: [writer@dev:G1, auditor]
 *         certificate: spiffe://cluster/ns/shop/sa/orders
 *         tokens: [sha256:...]                  # of tokens that never end: bb_ and 32 random bytes
 *         disabled: false
 *     roles:                                    # names of your own, by rules as Nacos writes them
 *       auditor:
 *         - { resource: "*:*:naming/*", action: r }
 *
 * It is taken as a whole or not at all: a file that is wrong somewhere must never mean that there are fewer users, or none.
 */
export interface UserFile {
  readonly users: readonly FileUser[];
  readonly rules: ReadonlyMap<string, readonly Rule[]>;
}

/** One of its users, before the password is hashed. */
export interface FileUser extends Omit<User, 'hash' | 'generation'> {
  /** Undefined for who comes with a certificate, or not at all. */
  readonly password: string | undefined;
}

/** What the text says; or what is wrong with it, each fault in a line, and no password in any. */
export function readUserFile(text: string): UserFile | { readonly faults: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = document.errors.map(
    ({ code, pos }) => `line ${lines.linePos(pos[0]).line}: ${code.toLowerCase().replaceAll('_', ' ')}`,
  );
  if (broken.length > 0) return { faults: broken };
  let said: unknown;
  try {
    // They could grow a small file into all the memory there is.
    said = document.toJS({ maxAliasCount: 0 });
  } catch {
    return { faults: ['an alias cannot be used here'] };
  }
  const faults: string[] = [];
  const { users = {}, roles = {}, ...others } = asObject(said, 'the file', faults);
  for (const key of Object.keys(others)) faults.push(`${shown(key)} is not known here: it must be users or roles`);
  const rules = new Map(
    Object.entries(asObject(roles, 'roles', faults)).map(([role, said]) => [role, rulesIn(role, said, faults)] as const),
  );
  const read = Object.entries(asObject(users, 'users', faults)).map(([name, said]) => userIn(name, said, rules, faults));
  if (!read.some((user) => !user.isDisabled && isAdmin(user))) faults.push('nobody in it is admin: give one user the role admin');
  return faults.length > 0 ? { faults } : { users: read, rules };
}

function userIn(name: string, said: unknown, rules: ReadonlyMap<string, unknown>, faults: string[]): FileUser {
  const where = `user ${shown(name)}`;
  if (!isUserName(name)) faults.push(`${where}: a name has 1..64 letters, digits, and _ . @ -`);
  const { password, roles = [], tokens = [], certificate, disabled = false, ...others } = asObject(said, where, faults);
  for (const key of Object.keys(others)) faults.push(`${where}: ${isWord(key) ? `${shown(key)} is not known here` : UNQUOTED}`);
  const fault = passwordIn(name, password, certificate ?? (Array.isArray(tokens) ? tokens[0] : tokens));
  if (fault !== undefined) faults.push(`${where}: ${fault}`);
  if (certificate !== undefined && (typeof certificate !== 'string' || !/^(spiffe:\/\/|CN=)[^\s,"]+$/.test(certificate)))
    faults.push(`${where}: certificate must be spiffe://… or CN=…`);
  if (typeof disabled !== 'boolean') faults.push(`${where}: disabled must be true or false`);
  const digests = Array.isArray(tokens) ? tokens.map(String) : [];
  if (!Array.isArray(tokens) || !digests.every((digest) => /^sha256:[0-9a-f]{64}$/.test(digest)))
    faults.push(`${where}: tokens must be a list of sha256:…, in 64 hexadecimal digits each`);
  const names = Array.isArray(roles) ? roles.map(String) : [];
  if (!Array.isArray(roles)) faults.push(`${where}: roles must be a list`);
  for (const role of names)
    if (grantOfRole(role) === undefined && !rules.has(role)) faults.push(`${where}: there is no role ${shown(role)}`);
  return {
    name,
    password: typeof password === 'string' ? password : undefined,
    roles: names,
    isDisabled: disabled === true,
    ...(digests.length > 0 && { tokens: digests }),
    ...(typeof certificate === 'string' && { certificate }),
  };
}

/** A hash that is not in quotes falls apart at its commas, and its salt and key are not for a log. */
const UNQUOTED = 'put a text with commas in quotes';

function isWord(key: string): boolean {
  return /^[a-z]{1,20}$/i.test(key);
}

function passwordIn(name: string, password: unknown, otherWay: unknown): string | undefined {
  if (password === undefined) return otherWay === undefined ? 'it must have a password, a certificate or tokens' : undefined;
  if (typeof password !== 'string') return 'password must be a text: put it in quotes';
  if (password.startsWith('$scrypt$'))
    return readHash(password) === undefined ? 'this $scrypt$ is not one that can be read' : undefined;
  if (/^\$2[abxy]\$/.test(password)) return 'hashes of Nacos (bcrypt) cannot be read: set the password anew';
  return passwordFault(name, password);
}

function rulesIn(role: string, said: unknown, faults: string[]): readonly Rule[] {
  const where = `role ${shown(role)}`;
  if (!isRoleName(role) || grantOfRole(role) !== undefined) faults.push(`${where}: this name cannot be given`);
  if (!Array.isArray(said)) {
    faults.push(`${where}: it must be a list of rules`);
    return [];
  }
  return said.map((one, i) => {
    const { resource, action } = asObject(one, `${where}, rule ${i + 1}`, faults);
    const rule = { resource: String(resource), action: String(action) };
    if (grantOfRule(rule.resource, rule.action) === undefined) faults.push(`${where}, rule ${i + 1}: it must be ${RULE_FORM}`);
    return rule;
  });
}

/** Whether whoever reads the file can log in by what he reads. */
export function isWrittenOut(password: string | undefined): password is string {
  return password !== undefined && !password.startsWith('$scrypt$');
}

function asObject(said: unknown, where: string, faults: string[]): Readonly<Record<string, unknown>> {
  // Not a list, and so by keys.
  if (typeof said === 'object' && said !== null && !Array.isArray(said)) return said as Record<string, unknown>;
  faults.push(`${where}: it must have keys and values`);
  return {};
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

/**
 * Puts what the file says in force, all at once. A password that is written out is hashed first, unless it is the one that is in force
 * already: `derive` may take its time. Its generation comes of the text, so that tokens outlive a restart. Answers as `replaceFile`.
 */
export async function putUserFile(
  users: Users,
  { users: said, rules }: UserFile,
  derive: Derive,
  randomness: Randomness,
): Promise<Names> {
  const ready: User[] = [];
  for (const { password, ...user } of said) {
    const generation = createHash('sha256')
      .update(`file\0${user.name}\0${password ?? ''}`)
      .digest('base64url');
    const before = users.isOfFile(user.name) ? users.find(user.name) : undefined;
    const hash = !isWrittenOut(password)
      ? (password ?? '')
      : before?.generation === generation
        ? before.hash
        : await hashed(password, derive, randomness);
    ready.push({ ...user, hash, generation });
  }
  return users.replaceFile(ready, rules);
}
