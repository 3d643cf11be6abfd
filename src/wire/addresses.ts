import { isIPv4, isIPv6 } from 'node:net';

/** Addresses, sets of them as operators write them, and origins; only what is written out as an address is one, never a host name. */

/**
 * The address as 16 bytes, IPv4 in its mapped form; undefined for anything else. An IPv6 address may stand in brackets, and its zone
 * says nothing here.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return mapped(text.split('.').map(Number));
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const [address = ''] = bare.split('%', 1);
  if (!isIPv6(address)) return undefined;
  const bytes = new Uint8Array(16);
  const [head = '', tail] = address.split('::', 2);
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  for (const [i, group] of front.entries()) put(bytes, i, group);
  for (const [i, group] of back.entries()) put(bytes, 8 - back.length + i, group);
  return bytes;
}

/** As it is dialled: four numbers where it is IPv4, and eight groups where it is not. Without brackets. */
export function addressText(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2] ?? 0) * 256 + (bytes[i * 2 + 1] ?? 0));
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? bytes.slice(12).join('.') : groups.map((group) => group.toString(16)).join(':');
}

/**
 * Who somebody counts as where each may have so much: an address of IPv4 by itself, in whichever form it is written, and of IPv6 the network
 * of 64 bits that it is in, as a host has one and takes any address of it. Loopback, and what is no address, is itself; so is an origin.
 */
export function originOf(address: string): string {
  if (!address.includes(':')) return address;
  const [network] = NETWORK.exec(address) ?? [];
  if (network !== undefined && network !== UNSPECIFIED) return `${network}${SUFFIX}`;
  const bytes = address.endsWith(SUFFIX) ? undefined : addressBytes(address);
  if (bytes === undefined) return address;
  const text = addressText(bytes);
  if (!text.includes(':')) return text;
  return text === LOOPBACK ? '::1' : `${NETWORK.exec(text)?.[0]}${SUFFIX}`;
}

/** The first four groups, where they are written out as the system writes them. */
const NETWORK = /^(?:(?:0|[1-9a-f][0-9a-f]{0,3}):){4}/;
/** IPv4 and loopback are in it. */
const UNSPECIFIED = '0:0:0:0:';
const LOOPBACK = '0:0:0:0:0:0:0:1';
const SUFFIX = ':/64';

/** A set of addresses, each part as an address, a CIDR or the name of one of `NAMED_SETS`. */
export class AddressSet {
  readonly #ranges: readonly Range[];

  /** Throws a RangeError that shows the part which is none of these. */
  constructor(parts: readonly string[]) {
    this.#ranges = parts.flatMap(rangesOf);
  }

  /** `parts` with commas between them; undefined when one of them is none. */
  static parse(text: string): AddressSet | undefined {
    const parts = text.split(',').map((part) => part.trim());
    try {
      return new AddressSet(parts.filter((part) => part !== ''));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  has(address: Uint8Array): boolean {
    return this.#ranges.some(({ bytes, bits }) => sharesPrefix(bytes, address, bits));
  }
}

/** What a set may be called. */
export const NAMED_SETS = {
  loopback: ['127.0.0.0/8', '::1'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

interface Range {
  readonly bytes: Uint8Array;
  /** How many of them count. */
  readonly bits: number;
}

function rangesOf(part: string): Range[] {
  const named = Object.entries(NAMED_SETS).find(([name]) => name === part)?.[1];
  if (named !== undefined) return named.flatMap(rangesOf);
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
  const bytes = addressBytes(address);
  const most = address.includes(':') ? 128 : 32;
  if (bytes === undefined || address.includes('%') || (length !== undefined && Number(length) > most))
    throw new RangeError(`not an address, a CIDR or one of ${Object.keys(NAMED_SETS).join(', ')}: ${part.slice(0, 100)}`);
  return [{ bytes, bits: 128 - most + Number(length ?? most) }];
}

function sharesPrefix(one: Uint8Array, other: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (one[i] !== other[i]) return false;
  const mask = 0xff00 >> (bits & 7);
  return ((one[whole] ?? 0) & mask & 0xff) === ((other[whole] ?? 0) & mask & 0xff);
}

function mapped(bytes: readonly number[]): Uint8Array {
  return Uint8Array.from([...Array<number>(10).fill(0), 0xff, 0xff, ...bytes]);
}

/** The last two groups may be written as an IPv4 address. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function put(bytes: Uint8Array, group: number, value: number): void {
  bytes[group * 2] = value >> 8;
  bytes[group * 2 + 1] = value & 0xff;
}
