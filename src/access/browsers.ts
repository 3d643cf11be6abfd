import { isIPv4, isIPv6 } from 'node:net';
import { type Headers, isBrowserField, isOfBrowser } from '../wire/browser.ts';
import { pathOf, type Request } from '../wire/exchange.ts';

/**
 * What a page may ask. Any page in a browser can send a form to this machine, and one whose name is bound to it anew can send anything:
 * of that only the Host tells. Asked before access, of every request, on every port; whoever has no mark of a browser is not looked at, so
 * that machines call this server by any name they like.
 */

/** The head of a request, as far as browsers show in it. */
export interface Head {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly headers: Headers;
  /** Every Host, and `:authority`, as they came. */
  readonly hosts: readonly string[];
  readonly isEncrypted: boolean;
}

export interface PageRules {
  /** Names that are this server's: `--allow-host`, and the name of the machine. */
  readonly hosts: readonly string[];
  /** `--allow-origin`: these and nothing like them. */
  readonly origins: readonly string[];
}

/** As `PageRules` has them. */
export function isHostName(text: string): boolean {
  return /^[\w.-]{1,253}$/.test(text);
}

/** Likewise. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\/[^\s/*@,]{1,253}$/.test(text);
}

export function headOf(req: Request): Head {
  const raw = req.rawHeaders;
  const hosts = raw.filter((_, i) => i % 2 === 1 && /^(host|:authority)$/i.test(raw[i - 1] ?? ''));
  return { method: req.method ?? '', path: pathOf(req), headers: req.headers, hosts, isEncrypted: isEncrypted(req) };
}

/** By the connection, not by what the request says of it. */
export function isEncrypted({ socket }: Request): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/** Why no page may ask that; undefined when it may, and for whoever is no browser. */
export function pageFault(head: Head, rules: PageRules): string | undefined {
  if (!isOfBrowser(head.headers) || isOfMonitor(head)) return undefined;
  const host = hostIn(head.hosts);
  if (host === undefined || !isOwnName(nameIn(host), rules.hosts)) return 'this name is not one of mine; add --allow-host NAME';
  const { method, headers } = head;
  const origin = first(headers.origin);
  if (origin !== undefined && rules.origins.includes(origin)) return undefined;
  const site = first(headers['sec-fetch-site']);
  const reads = (method === 'GET' || method === 'HEAD') && first(headers.upgrade) === undefined;
  if (reads) {
    const isForeign = site === 'cross-site' || site === 'same-site';
    return isForeign && first(headers['sec-fetch-dest']) !== 'document' ? foreign({ origin, site }, 'read') : undefined;
  }
  // Not merely a name of ours at a port of ours: any machine's address is a name that cannot be bound anew, also that of an attacker.
  if (origin !== undefined && origin !== `${head.isEncrypted ? 'https' : 'http'}://${host}`)
    return foreign({ origin, site }, 'write');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return foreign({ origin, site }, 'write');
  return undefined;
}

/** What lets a page of an origin that is named read the answer, and ask first whether it may; nothing for any other. */
export function pageHeaders(
  { method, headers }: Head,
  { origins }: PageRules,
  spoken: SpokenHeaders = NO_MORE,
): Readonly<Record<string, string>> {
  const origin = first(headers.origin);
  if (origin === undefined || !origins.includes(origin)) return {};
  const named = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  const { allowed, exposed } = spoken;
  if (method !== 'OPTIONS')
    return exposed.length === 0 ? named : { ...named, 'Access-Control-Expose-Headers': exposed.join(', ') };
  return {
    ...named,
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'Access-Control-Allow-Headers': ['Authorization', 'AccessToken', ...allowed].join(', '),
    'Access-Control-Max-Age': '7200',
  };
}

/** Headers of what is spoken here, which a page may send, and read. */
export interface SpokenHeaders {
  readonly allowed: readonly string[];
  readonly exposed: readonly string[];
}

const NO_MORE: SpokenHeaders = { allowed: ['Content-Type'], exposed: [] };

/**
 * Monitors call themselves Mozilla and are no more of a browser than that: whether the bridge lives, or a service, they may ask by any name.
 * A browser says its language in every request, and no page can keep it from that.
 */
function isOfMonitor({ method, path, headers }: Head): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || !/^\/(livez|readyz|health(\/.*)?)$/.test(path)) return false;
  for (const name in headers) if (name === 'upgrade' || (name !== 'user-agent' && isBrowserField(name, ''))) return false;
  return true;
}

function foreign({ origin, site }: { origin: string | undefined; site: string | undefined }, deed: 'read' | 'write'): string {
  const by = origin === undefined ? `Sec-Fetch-Site ${printed(site ?? '')}` : `Origin ${printed(origin)}`;
  return `refused: a web page on another site (${by}) may not ${deed} here; --allow-origin names those that may`;
}

function printed(text: string): string {
  return text.replace(/[^\x21-\x7e]|["'%\\]/g, '?').slice(0, 100);
}

/** The one host that all of them name, in lower case and with its port. */
function hostIn(hosts: readonly string[]): string | undefined {
  const [host, ...others] = new Set(hosts.map((text) => text.toLowerCase()));
  return others.length > 0 || host === '' ? undefined : host;
}

/** Without its port and one last dot; "" for what is no host at all. */
function nameIn(host: string): string {
  const [, name = ''] = /^(\[[0-9a-f:.]+\]|[^:[\]/?#@\\\s]+)(?::\d{1,5})?$/.exec(host) ?? [];
  return name.replace(/\.$/, '');
}

/** Names that nobody can bind to another address, and those that an operator has named. */
function isOwnName(name: string, own: readonly string[]): boolean {
  if (name === '') return false;
  if (isIPv4(name) || (name.startsWith('[') && isIPv6(name.slice(1, -1)))) return true;
  if (name === 'localhost' || name.endsWith('.localhost') || name.endsWith('.local')) return true;
  return own.some((one) => one.toLowerCase().replace(/\.$/, '') === name);
}

/** Of a header that came more than once, nothing is to be gained by choosing: such a one is none of ours. */
function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}
