import type { Scope } from '../rights/admission.ts';

/**
 * What a role allows. A role is `reader`, `writer` or `admin`, for all there is or `@NAMESPACE` or `@NAMESPACE:GROUP`; any other name is
 * one that an administrator has given to rules. Both come down to grants, and a grant is matched as text, part by part: never by a
 * regular expression that somebody else has written.
 */

/** What can be allowed by namespace and group. */
export type Deed = 'read' | 'write' | 'operate';

/** Deeds that are allowed, and where. */
export interface Grant {
  readonly deeds: ReadonlySet<Deed>;
  readonly namespace: Pattern;
  readonly group: Pattern;
  readonly kind: Pattern;
  readonly name: Pattern;
}

/** `*`: anything. With `*` at its end: whatever begins so. Else the very text. */
export type Pattern = string;

/** All there is, users and secrets too. */
export const ADMIN = 'admin';
/** How clients and consoles of Nacos call it. */
const NACOS_ADMIN = 'ROLE_ADMIN';

const DEEDS = {
  reader: new Set<Deed>(['read']),
  writer: new Set<Deed>(['read', 'write']),
  admin: new Set<Deed>(['read', 'write', 'operate']),
} as const satisfies Readonly<Record<string, ReadonlySet<Deed>>>;

export function isAdminRole(role: string): boolean {
  return role === ADMIN || role === NACOS_ADMIN;
}

/** What a role of ours allows; undefined for a name that is none. */
export function grantOfRole(role: string): Grant | undefined {
  const [, level, namespace = '*', group = '*'] =
    /^(reader|writer|admin)(?:@([\w-]{1,64})(?::([\w.:-]{1,128}))?)?$/.exec(role) ?? [];
  if (isAdminRole(role)) return { deeds: DEEDS.admin, namespace: '*', group: '*', kind: '*', name: '*' };
  // The expression has no other level.
  return level === undefined ? undefined : { deeds: DEEDS[level as keyof typeof DEEDS], namespace, group, kind: '*', name: '*' };
}

/** Whether it could be the name of a role. A name that reads like one of ours and is none would be a right that nobody has. */
export function isRoleName(role: string): boolean {
  return grantOfRole(role) !== undefined || (/^[\w.-]{1,64}$/.test(role) && !/^(reader|writer|admin)$/i.test(role));
}

/**
 * A rule as Nacos writes it: `NAMESPACE:GROUP:TYPE/NAME`, the default namespace blank or by its name, and `r`, `w` or both. Each part may
 * end with one `*`. Undefined for anything else: what cannot be told exactly must not be kept as if it could.
 */
export function grantOfRule(resource: string, action: string): Grant | undefined {
  const deeds = /^(r|w|rw|wr)$/.test(action) ? new Set<Deed>() : undefined;
  // A name may have colons in it, and so may a group: the type tells where the name begins.
  const found = /^([^:]*):(.*?):(?:(\*)|(\*|naming|config)\/(.*))$/.exec(resource);
  if (deeds === undefined || found === null || resource.length > MOST_RESOURCE_CHARACTERS) return undefined;
  if (action.includes('r')) deeds.add('read');
  if (action.includes('w')) deeds.add('write');
  const [, namespace = '', group = '', anything, kind = '*', name = '*'] = found;
  const grant = { deeds, namespace: namespace || HOME, group, kind: anything ?? kind, name };
  return [namespace || HOME, group, name].every(isPattern) ? grant : undefined;
}

/** For whoever has written another one. */
export const RULE_FORM =
  'NAMESPACE:GROUP:naming/NAME (or config/NAME), each part with at most one * at its end, and action r, w or rw';

const HOME = 'public';
const MOST_RESOURCE_CHARACTERS = 1_024;

function isPattern(text: string): boolean {
  return text !== '' && !text.slice(0, -1).includes('*');
}

/** Whether one of the grants allows the deed for all that the scope touches. */
export function covers(grants: readonly Grant[], deed: Deed, scope: Scope): boolean {
  return grants.some(
    ({ deeds, namespace, group, kind, name }) =>
      deeds.has(deed) &&
      matches(namespace, scope.namespace) &&
      matches(group, scope.group) &&
      matches(kind, scope.kind) &&
      matches(name, scope.name),
  );
}

function matches(pattern: Pattern, part: string | undefined): boolean {
  if (pattern === '*') return true;
  if (part === undefined) return false;
  return pattern.endsWith('*') ? part.startsWith(pattern.slice(0, -1)) : part === pattern;
}
