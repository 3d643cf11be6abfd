import { parseServiceName, type ServiceName } from '../registry/service-name.ts';
import { addressBytes, addressText } from '../wire/addresses.ts';

/** What is to be drained or resumed: who is at an address, in all services, in those of a namespace, or in one. */
export interface Target extends Wanted {
  /** As it was asked for, and bounded: for answers. */
  readonly address: string;
  readonly port: number;
  readonly isRight: (ip: string) => boolean;
}

/** What is not named is all there is. */
export interface Wanted {
  readonly namespace: string | undefined;
  readonly service: ServiceName | undefined;
}

export interface DrainAsked extends Target {
  readonly forMs: number;
  readonly reason: string;
}

/** Where a name belongs that does not say it itself. */
export interface Home {
  readonly namespace: string;
  readonly group: string;
}

/** `for=10m&reason=TEXT`, and what of `readTarget`. A text: why it cannot be read. */
export function readDrain(address: string, query: string, home: Home): DrainAsked | string {
  const params = new URLSearchParams(query);
  const target = readTarget(address, query, home, ['for', 'reason']);
  if (typeof target === 'string') return target;
  const forMs = durationOf(params.get('for') ?? DEFAULT_FOR);
  if (forMs === undefined) return `for must be 1s..7d, such as 90s, 10m or 2h, got ${shown(params.get('for') ?? '')}`;
  const reason = params.get('reason') ?? '';
  return reasonFault(reason) ?? { ...target, forMs, reason };
}

/** What is wrong with what an operator gives as his reason. */
export function reasonFault(reason: string): string | undefined {
  if (reason.length > MAX_REASON_LENGTH) return `reason must have at most ${MAX_REASON_LENGTH} characters, got ${reason.length}`;
  if (UNPRINTABLE.test(reason)) return `reason must be one line without control characters, got ${shown(reason)}`;
  return undefined;
}

/** Whether one may be taken out for so long. */
export function mayLast(forMs: number): boolean {
  return forMs >= LEAST_MS && forMs <= MOST_MS;
}

/** `IP:PORT` of the path, and `service=[GROUP@@]NAME&namespace=ID`. */
export function readTarget(text: string, query: string, home: Home, more: readonly string[] = []): Target | string {
  const wanted = readWanted(query, home, more);
  if (typeof wanted === 'string') return wanted;
  const [, ip, port] = ADDRESS.exec(text) ?? [];
  if (ip === undefined || Number(port) > MAX_PORT) return `the address must be IP:PORT, of IPv6 [IP]:PORT, got ${shown(text)}`;
  return { ...wanted, address: text, port: Number(port), isRight: spelledAs(ip.replace(/^\[(.*)\]$/, '$1')) };
}

/** Whether another text means the same address. */
export function spelledAs(ip: string): (other: string) => boolean {
  const one = spellingOf(ip);
  return (other) => other === ip || (isIpv6(other, ip) && spellingOf(other) === one);
}

export function readWanted(query: string, home: Home, more: readonly string[] = []): Wanted | string {
  const params = new URLSearchParams(query);
  const known = ['service', 'namespace', ...more];
  for (const name of params.keys()) {
    if (!known.includes(name)) return `${shown(name)} is not known: ${known.join(', ')}`;
    if (params.getAll(name).length > 1) return `${name} is said more than once`;
  }
  const said = params.get('namespace');
  const namespace = said === null ? undefined : said || home.namespace;
  const name = params.get('service');
  const service = name === null ? undefined : parseServiceName(name, namespace ?? home.namespace, home.group);
  if (name !== null && service === undefined) return `service must be NAME or GROUP@@NAME, got ${shown(name)}`;
  return { namespace, service };
}

/** A host name is as good, as some register by one. */
const ADDRESS = /^(\[[\da-fA-F:.]{2,45}(?:%[\w.-]{1,32})?\]|[\w.-]{1,253}):(\d{1,5})$/;
const MAX_PORT = 65_535;
const DEFAULT_FOR = '10m';
const LEAST_MS = 1_000;
const MOST_MS = 7 * 86_400_000;
const MAX_REASON_LENGTH = 200;
/** What would make another line of a log, or turn one round. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

function durationOf(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS.get(unit) ?? Number.NaN);
  return mayLast(ms) ? ms : undefined;
}

function isIpv6(one: string, other: string): boolean {
  return one.includes(':') || other.includes(':');
}

/** One spelling for each address; what is none is itself. A zone is a part of it. */
function spellingOf(ip: string): string {
  const bytes = addressBytes(ip);
  const [, zone = ''] = /(%.*?)\]?$/.exec(ip) ?? [];
  return bytes === undefined ? ip : `${addressText(bytes)}${zone}`;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
