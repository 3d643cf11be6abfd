import { LOGIN } from '../rights/facts.ts';
import type { Headers } from '../wire/browser.ts';
import type { Request } from '../wire/exchange.ts';

/**
 * What a caller brings along to say who it is, in all the forms that clients use: a token or a name with a password, as parameters,
 * as headers, as `Authorization`, or in the headers of a gRPC payload. What says two things at once is refused and never resolved:
 * of two readers of one request each might take the other.
 */
export interface Carriers {
  /** Query and form, each pair as it came; those that came twice are here twice. */
  readonly params: Iterable<readonly [name: string, value: string]>;
  /** Of the request, or of the gRPC payload, where they alone count; whole texts, and no longer bytes one by one. */
  readonly headers: Headers;
}

/** What was brought. */
export interface Credentials {
  readonly token: string | undefined;
  readonly pair: Pair | undefined;
  /** Signatures of a kind that is not looked at, which a refusal had better say. */
  readonly isSigned: boolean;
}

export interface Pair {
  readonly name: string;
  readonly password: string;
}

/**
 * `'disagree'` when two tokens, two names or two passwords were brought. `ownParams`: names and passwords outside `Authorization` are what
 * the call is about, and not who calls: those of a user who is to be created.
 */
export function credentialsIn({ params, headers }: Carriers, ownParams = false): Credentials | 'disagree' {
  const found = new Found();
  for (const [name, value] of params) found.add(name.toLowerCase(), value, ownParams);
  for (const name of LOGIN) {
    const value = headers[name];
    if (value === undefined) continue;
    for (const one of typeof value === 'string' ? [value] : value) found.add(name, one, ownParams);
  }
  const authorization = headers.authorization;
  for (const one of typeof authorization === 'string' ? [authorization] : (authorization ?? [])) found.authorize(one);
  return found.result();
}

/** Of a call with `ownParams`: whether it brings a password that somebody is to have. */
export function setsPassword({ params }: Carriers): boolean {
  for (const [name, value] of params) if (value !== '' && /^(new)?password$/i.test(name)) return true;
  return false;
}

/** As they came: of `Authorization` Node keeps the first alone, and another reader might take the last. */
export function requestHeaders({ rawHeaders }: Pick<Request, 'rawHeaders'>): Headers {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i] ?? '', utf8(rawHeaders[i + 1] ?? '')]);
  return carried(pairs);
}

/** The names in a gRPC payload are as clients write them. */
export function payloadHeaders(headers: Readonly<Record<string, string>>): Headers {
  return carried(Object.entries(headers));
}

function carried(pairs: Iterable<readonly [name: string, value: string]>): Headers {
  const lower = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (key === 'authorization' || LOGIN.has(key)) lower.set(key, [...(lower.get(key) ?? []), value]);
  }
  return Object.fromEntries(lower);
}

const SIGNED = new Set(['ak', 'spas-accesskey', 'spas-signature']);

class Found {
  readonly #tokens = new Set<string>();
  readonly #names = new Set<string>();
  readonly #passwords = new Set<string>();
  #isSigned = false;

  /** Blank is as good as unsaid, but for a password: no client leaves a name in that has no password. */
  add(name: string, value: string, ownParams: boolean): void {
    if (name === 'accesstoken' && value !== '') this.#tokens.add(value);
    else if (SIGNED.has(name)) this.#isSigned = true;
    if (ownParams) return;
    if (name === 'username' && value !== '') this.#names.add(value);
    else if (name === 'password') this.#passwords.add(value);
  }

  /** What is neither form is ignored, as by Nacos: it may be meant for a proxy. */
  authorize(value: string): void {
    const [, scheme = '', said = ''] = /^(bearer|basic) +(\S+) *$/i.exec(value) ?? [];
    if (scheme.toLowerCase() === 'bearer') this.#tokens.add(said);
    if (scheme.toLowerCase() !== 'basic') return;
    const text = Buffer.from(said, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon <= 0) return;
    this.#names.add(text.slice(0, colon));
    this.#passwords.add(text.slice(colon + 1));
  }

  result(): Credentials | 'disagree' {
    const [tokens, names, passwords] = [this.#tokens, this.#names, this.#passwords];
    if (tokens.size > 1 || names.size > 1 || (names.size === 1 && passwords.size > 1)) return 'disagree';
    const [[token], [name], [password]] = [tokens, names, passwords];
    const pair = name === undefined || password === undefined ? undefined : { name, password };
    return { token, pair, isSigned: this.#isSigned };
  }
}

/** Node reads bytes of headers one by one. */
function utf8(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString();
}
