/** Reading JSON that somebody else has written, perhaps another version: what is not there, or is something else, is left out. */

export type Fields = Readonly<Record<string, unknown>>;

/** None, of what is no object. */
export function fieldsOf(value: unknown): Fields {
  // What is an object has fields of whatever kind.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function textIn(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value === 'string' ? value : undefined;
}

export function numberIn(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  return typeof value === 'number' ? value : undefined;
}

export function truthIn(fields: Fields, key: string): boolean | undefined {
  const value = fields[key];
  return typeof value === 'boolean' ? value : undefined;
}

export function listIn(fields: Fields, key: string): readonly Fields[] {
  const value = fields[key];
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** A time in ISO 8601, in milliseconds since 1970. */
export function timeIn(fields: Fields, key: string): number | undefined {
  const at = Date.parse(textIn(fields, key) ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** `IP:PORT`, with brackets where the address has colons. */
export function addressIn(fields: Fields): string {
  const ip = textIn(fields, 'ip') ?? '?';
  return `${ip.includes(':') ? `[${ip}]` : ip}:${numberIn(fields, 'port') ?? '?'}`;
}

/** As people write the name of a service: with its group where that is not the usual one. */
export function serviceIn(fields: Fields): string {
  const [group, name] = [textIn(fields, 'group') ?? USUAL_GROUP, textIn(fields, 'service') ?? ''];
  return withoutUsualGroup(name.includes('@@') ? name : `${group}@@${name}`);
}

export function withoutUsualGroup(name: string): string {
  return name.startsWith(`${USUAL_GROUP}@@`) ? name.slice(USUAL_GROUP.length + 2) : name;
}

const USUAL_GROUP = 'DEFAULT_GROUP';
