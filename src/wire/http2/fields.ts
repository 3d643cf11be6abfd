/** A header field, and what it means to the protocol: worked out once, when it is decoded, and shared by all that refer to it. */
export class Field {
  readonly name: string;
  readonly value: string;
  /** In a table, and in the size of a list (RFC 7541 section 4.1, RFC 9113 section 6.5.2). Texts are latin1: a character is an octet. */
  readonly size: number;
  /** One bit or more of those below. */
  readonly meaning: number;
  /** What it means to the application, in its own bits. */
  readonly mark: number;

  constructor(name: string, value: string, mark: Mark) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + 32;
    this.meaning = meaningOf(name, value);
    this.mark = mark(name, value);
  }
}

/** Bits that say what a field means to the application. Asked for each field that is decoded, so it must be quick. */
export type Mark = (name: string, value: string) => number;

/** The pseudo fields of a request, and all others. */
export const [METHOD, SCHEME, PATH, AUTHORITY, REGULAR] = [1, 2, 4, 8, 16];
/** No request may have it: RFC 9113 sections 8.2 and 8.3. */
export const MALFORMED = 32;
export const [CONTENT_LENGTH, EXPECT, CONNECT, OPTIONS] = [64, 128, 256, 512];
/** A path that is for OPTIONS alone. */
export const ASTERISK = 1024;
/** Its value is looked at. */
const CHECKED = 2048;

export const PSEUDO = METHOD | SCHEME | PATH | AUTHORITY;

/** What a known name means. Names that are often seen are here so that their letters need not be looked at. */
const NAMES: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':path', PATH],
  [':authority', AUTHORITY],
  ['content-length', REGULAR | CONTENT_LENGTH],
  ['expect', REGULAR | EXPECT],
  ['te', REGULAR | CHECKED],
  // They speak of the connection, and there is none of their kind (section 8.2.2).
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map((name) => [name, MALFORMED] as const),
  ...['content-type', 'user-agent', 'host', 'accept', 'accept-encoding', 'grpc-timeout', 'grpc-accept-encoding', 'cookie'].map(
    (name) => [name, REGULAR] as const,
  ),
]);

function meaningOf(name: string, value: string): number {
  const meaning = NAMES.get(name) ?? (isName(name) ? REGULAR : MALFORMED);
  if (!isValue(value)) return meaning | MALFORMED;
  if (meaning === REGULAR) return meaning;
  if (name === ':method' && value === 'CONNECT') return meaning | CONNECT;
  if (name === ':method' && value === 'OPTIONS') return meaning | OPTIONS;
  if (name === ':path' && value === '*') return meaning | ASTERISK;
  return SOUND.get(name)?.test(value) === false ? meaning | MALFORMED : meaning;
}

/** What the values of some fields must be. */
const SOUND: ReadonlyMap<string, RegExp> = new Map([
  [':method', /^[!#$%&'*+.^_`|~0-9a-z-]+$/i],
  [':path', /^\//],
  [':scheme', /./],
  // Envoy says the name of a cluster here, as in `outbound|80||orders`: text without blanks is all that is asked of it.
  [':authority', /^[!-~]{0,512}$/],
  ['te', /^trailers$/i],
  ['content-length', /^\d{1,15}$/],
]);

/** A token of RFC 9110 section 5.6.2 without capitals, as names must be (section 8.2). */
export function isName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name);
}

/** No NUL, CR or LF, and no blank at either end (section 8.2.1). */
export function isValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const character = value.charCodeAt(i);
    if (character > 0x20) continue;
    const isAtEnd = i === 0 || i === value.length - 1;
    if (character === 0 || character === 10 || character === 13 || (isAtEnd && (character === 0x20 || character === 0x09)))
      return false;
  }
  return true;
}

/** RFC 7541 appendix A, from index 1 on. */
const STATIC_ROWS = (
  ':authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204|:status 206|' +
  ':status 304|:status 400|:status 404|:status 500|accept-charset|accept-encoding gzip, deflate|accept-language|accept-ranges|accept|' +
  'access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|' +
  'content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|' +
  'if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|' +
  'referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
)
  .split('|')
  .map((row): readonly [string, string] => {
    const [name = '', ...value] = row.split(' ');
    return [name, value.join(' ')];
  });

export const STATIC_ENTRIES = STATIC_ROWS.length;

/** The static table as an application sees it. There is nothing at index 0. */
export function createStaticTable(mark: Mark): readonly Field[] {
  return [['', ''] as const, ...STATIC_ROWS].map(([name, value]) => new Field(name, value, mark));
}

/** By name, and by name and value with a blank between. The first of several wins. */
export const STATIC_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC_ROWS.flatMap(([name, value], i) => [[`${name} ${value}`, i + 1] as const, [name, i + 1] as const]).reverse(),
);
