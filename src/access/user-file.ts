import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { Rule } from '../rights/user-desk.ts';
import { passwordFault, readHash } from './passwords.ts';
import { grantOfRole, grantOfRule, isRoleName, RULE_FORM } from './roles.ts';
import { isAdmin, isUserName, type Names, type User, type Users } from './users.ts';
import type { WrittenPasswords } from './written-passwords.ts';

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
 * It is taken as a whole or not at all: a file that is wrong somewhere changes nobody.
 */
export interface UserFile {
  readonly users: readonly FileUser[];
  readonly rules: ReadonlyMap<string, readonly Rule[]>;
}

/** What the text says; or what is wrong with it, each fault in a line, and no password in any. */
export type ReadUserFile = UserFile | { readonly faults: readonly string[] };

/** One of its users, before the password is hashed. */
export interface FileUser extends Omit<User, 'hash' | 'generation'> {
  /** Undefined for who comes with a certificate, or not at all. */
  readonly password: string | undefined;
}

const require = createRequire(import.meta.url);
/** Loaded when there is such a file: it takes a tenth of what a start takes. What it is, its own types say. */
const yaml = () => require('yaml') as typeof Yaml;

/** Whatever the text is, it never throws. */
export function readUserFile(text: string): ReadUserFile {
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false });
  const broken = document.errors.map(
    ({ code, pos }) => `line ${lines.linePos(pos[0]).line}: ${code.toLowerCase().replaceAll('_', ' ')}`,
  );
  broken.push(...keysThatCameTwice(document).map((at) => `line ${lines.linePos(at).line}: duplicate key`));
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
  faults.push(...sharedBy(read));
  if (read.length > MOST_FILE_USERS) faults.push(`it has ${read.length} users, and ${MOST_FILE_USERS} are the most`);
  if (!read.some((user) => !user.isDisabled && isAdmin(user))) faults.push('nobody in it is admin: give one user the role admin');
  return faults.length > 0 ? { faults } : { users: read, rules };
}

const MOST_FILE_USERS = 10_000;

function userIn(name: string, said: unknown, rules: ReadonlyMap<string, unknown>, faults: string[]): FileUser {
  const where = `user ${shown(name)}`;
  if (!isUserName(name)) faults.push(`${where}: a name has 1..64 letters, digits, and _ . @ -`);
  const { password, roles = [], tokens = [], certificate, disabled = false, ...others } = asObject(said, where, faults);
  for (const [key, value] of Object.entries(others))
    faults.push(
      `${where}: ${isWord(key) && value !== null ? `${shown(key)} is not known here: it must be one of ${KEYS}` : UNQUOTED}`,
    );
  const fault = passwordIn(name, password, certificate ?? (Array.isArray(tokens) ? tokens[0] : tokens));
  if (fault !== undefined) faults.push(`${where}: ${fault}`);
  if (certificate !== undefined && (typeof certificate !== 'string' || !/^(spiffe:\/\/|CN=)[^\s,"]+$/.test(certificate)))
    faults.push(`${where}: certificate must be spiffe://… or CN=…`);
  if (typeof disabled !== 'boolean') faults.push(`${where}: disabled must be true or false`);
  const digests = textsIn(tokens);
  if (digests === undefined || !digests.every((digest) => /^sha256:[0-9a-f]{64}$/.test(digest)))
    faults.push(`${where}: tokens must be a list of sha256:…, in 64 hexadecimal digits each`);
  const names = textsIn(roles);
  if (names === undefined) faults.push(`${where}: roles must be a list of texts`);
  for (const role of names ?? [])
    if (grantOfRole(role) === undefined && !rules.has(role)) faults.push(`${where}: there is no role ${shown(role)}`);
  return {
    name,
    password: typeof password === 'string' ? password : undefined,
    roles: names ?? [],
    isDisabled: disabled === true,
    ...(digests !== undefined && digests.length > 0 && { tokens: digests }),
    ...(typeof certificate === 'string' && { certificate }),
  };
}

const KEYS = 'password, roles, tokens, certificate, disabled';

/** What two of them have would make whoever comes with it nobody. */
function sharedBy(users: readonly FileUser[]): readonly string[] {
  const owners = new Map<string, string>();
  return users.flatMap(({ name, certificate, tokens = [] }) =>
    [certificate, ...tokens].flatMap((proof) => {
      const owner = proof === undefined ? undefined : owners.get(proof);
      if (proof !== undefined) owners.set(proof, name);
      const what = proof === certificate ? `the certificate ${shown(proof ?? '')}` : 'one of its tokens';
      return owner === undefined || owner === name
        ? []
        : [`user ${shown(name)}: ${what} is that of user ${shown(owner)} already`];
    }),
  );
}

/** What is not in quotes falls apart at its commas, into keys without values: salt and key of a hash, or a password's words, are not for a log. */
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
    const rule = { resource: textOf(resource), action: textOf(action) };
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

/** Undefined for what is no list, or of anything but texts: a number or a list in it would read like one. */
function textsIn(said: unknown): readonly string[] | undefined {
  if (!Array.isArray(said)) return undefined;
  const texts = said.filter((one) => typeof one === 'string');
  return texts.length === said.length ? texts : undefined;
}

function textOf(said: unknown): string {
  return typeof said === 'string' ? said : '';
}

/**
 * Where the second ones are. As texts: of `1` and `"1"` one user would become, who is the last of them. Not by the library, which compares
 * each with each.
 */
function keysThatCameTwice(document: Yaml.Document): readonly number[] {
  const { isNode, isScalar, visit } = yaml();
  const found: number[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        const text = isScalar(key) ? String(key.value) : String(key);
        if (keys.has(text)) found.push((isNode(key) && key.range?.[0]) || 0);
        keys.add(text);
      }
    },
  });
  return found;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

/**
 * Puts what the file says in force, all at once and now. A password that is written out goes to `written`, to be hashed when there is time.
 * Its generation comes of the text, so that tokens outlive a restart. Answers as `replaceFile`.
 */
export function putUserFile(users: Users, { users: said, rules }: UserFile, written: WrittenPasswords, at: number): Names {
  const passwords = new Map<string, string>();
  const ready = said.map(({ password = '', ...user }): User => {
    const generation = createHash('sha256').update(`file\0${user.name}\0${password}`).digest('base64url');
    if (password === '' || !isWrittenOut(password)) return { ...user, hash: password, generation };
    passwords.set(generation, password);
    return { ...user, hash: '', generation };
  });
  written.put(passwords);
  return users.replaceFile(ready, rules, at);
}
