import { AddressSet, addressBytes, addressText, NAMED_SETS } from '../wire/addresses.ts';
import type { Headers } from '../wire/browser.ts';
import { callersNamed, handOnField } from '../wire/handed-on.ts';
import { Recent } from './recent.ts';

/**
 * Where a caller is, as far as that can be known: by the address of its connection, which is read once into bytes, so that no two
 * spellings of one address differ. A header never brings anybody nearer: whatever says that a request was handed on takes away what
 * being on this machine would give, and one that names somebody who is not trusted what being trusted would, unless the proxy that says
 * so has been named.
 */
export class Places {
  readonly #trusted: AddressSet;
  readonly #proxies: AddressSet;
  readonly #known = new Recent<string, Place>(MOST_KNOWN);

  constructor({ trust, trustedProxies }: PlacesOptions) {
    this.#trusted = trustedSet(trust);
    this.#proxies = new AddressSet(proxyParts(trustedProxies));
  }

  /** `ip`: of the other end of the connection. `headers`: of the request, in lower case. */
  placeOf(ip: string, headers: Headers): Place {
    const place = this.#direct(ip);
    const field = handOnField(headers);
    if (field === undefined) return place;
    if (place.isProxy) return this.#handedOn(headers, { ...place, field });
    if (place.where === 'loopback') return { ...place, where: 'remote', isForwarded: true, field };
    const stranger = place.where === 'trusted' ? this.#strangerNamed(headers) : undefined;
    return { ...place, isForwarded: true, field, ...stranger };
  }

  /** Somebody for whom a trusted address asks, and who is not trusted. A mesh names nobody, or those who are. */
  #strangerNamed(headers: Headers): Pick<Place, 'where' | 'field' | 'asksFor'> | undefined {
    for (const { field, text } of callersNamed(headers)) {
      const bytes = addressBytes(withoutPort(text));
      if (bytes === undefined) return { where: 'remote', field, asksFor: 'somebody' };
      if (this.#trusted.has(bytes) || this.#proxies.has(bytes) || LOOPBACK.has(bytes)) continue;
      return { where: 'remote', field, asksFor: addressText(bytes) };
    }
    return undefined;
  }

  #direct(ip: string): Place {
    const known = this.#known.get(ip);
    if (known !== undefined) return known;
    const bytes = addressBytes(ip);
    const place: Place = {
      where: bytes === undefined ? 'remote' : LOOPBACK.has(bytes) ? 'loopback' : this.#trusted.has(bytes) ? 'trusted' : 'remote',
      address: bytes === undefined ? '' : addressText(bytes),
      isForwarded: false,
      isProxy: bytes !== undefined && this.#proxies.has(bytes),
    };
    this.#known.set(ip, place);
    return place;
  }

  /** The nearest address that is no proxy of ours. Nobody is on this machine by word of a header: at most trusted. */
  #handedOn(headers: Headers, proxy: Place): Place {
    const stranger: Place = { ...proxy, where: 'remote', isForwarded: true };
    const said = headers['x-forwarded-for'];
    // Where both are there nobody can tell which of the two our proxy has written, and which the caller.
    if (said === undefined || headers.forwarded !== undefined) return stranger;
    const chain = (typeof said === 'string' ? said : said.join(',')).split(',').slice(-MOST_HOPS);
    for (const hop of chain.reverse()) {
      const bytes = addressBytes(withoutPort(hop.trim()));
      if (bytes === undefined) return stranger;
      if (this.#proxies.has(bytes)) continue;
      const address = addressText(bytes);
      // Of loopback it would be the proxy's machine, whoever may be on that.
      const isTrusted = this.#trusted.has(bytes) && !LOOPBACK.has(bytes);
      return { where: isTrusted ? 'trusted' : 'remote', address, isForwarded: true, isProxy: true, isSaid: true };
    }
    return stranger;
  }
}

export interface PlacesOptions {
  /** Names of sets, CIDRs and addresses, as `trustFaults` takes them. */
  readonly trust: readonly string[];
  /** Likewise: who may say for whom it asks. */
  readonly trustedProxies: readonly string[];
}

export interface Place {
  readonly where: Where;
  /** In one spelling; "" where there is none. */
  readonly address: string;
  /** A header says that somebody handed the request on. */
  readonly isForwarded: boolean;
  /** Which one says it. */
  readonly field?: string;
  /** Who is not trusted, and is asked for by a trusted address that is no proxy by name: an address, or `somebody`. */
  readonly asksFor?: string;
  /** The address is the one that a proxy, which is named, has said. */
  readonly isSaid?: true;
  /** The other end is a proxy that is named. */
  readonly isProxy: boolean;
}

export type Where = 'loopback' | 'trusted' | 'remote';

const MOST_KNOWN = 4_096;
const MOST_HOPS = 32;

/** Others of 127.0.0.0/8 belong to proxies on this machine: Istio hands on as 127.0.0.6. */
const LOOPBACK_PARTS = ['127.0.0.1', '::1'];
const LOOPBACK = new AddressSet(LOOPBACK_PARTS);

/** What can stand in for addresses in `--trust`. */
export const TRUST_NAMES = ['loopback', 'private', 'link-local'] as const;

function trustedSet(parts: readonly string[]): AddressSet {
  return new AddressSet(parts.flatMap((part) => (part === 'loopback' ? LOOPBACK_PARTS : [part])));
}

/** A proxy on this machine may have any address of it. */
function proxyParts(parts: readonly string[]): string[] {
  return parts.flatMap((part) => (part === 'loopback' ? NAMED_SETS.loopback : [part]));
}

/** Of what is written with commas between. */
export function partsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** What is wrong with the parts of `--trust` or `--trusted-proxy`, each in a line; empty when nothing is. */
export function trustFaults(parts: readonly string[]): readonly string[] {
  return parts.flatMap((part) => {
    const shown = JSON.stringify(part.slice(0, 100));
    if (TRUST_NAMES.some((name) => name === part)) return [];
    const [, address = '', length] = /^([^/%[\]]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
    const bytes = addressBytes(address);
    const most = address.includes(':') ? 128 : 32;
    if (bytes === undefined || Number(length ?? most) > most)
      return [`must be an address, a CIDR or one of ${TRUST_NAMES.join(', ')}, got ${shown}`];
    const bits = 128 - most + Number(length ?? most);
    return isTooWide(bytes, bits) ? [`is as good as everybody: use --open-writes to mean that, got ${shown}`] : [];
  });
}

/** Whether it takes in more than any one network has: of IPv4, also in its mapped form, more than a /8, and of IPv6 more than a /7. */
function isTooWide(bytes: Uint8Array, bits: number): boolean {
  const takesInIpv4 = bytes.subarray(0, Math.ceil(bits / 8)).every((byte, i) => {
    const mask = 0xff << Math.max(0, 8 - (bits - i * 8));
    return i >= 12 || (byte & mask) === ((i >= 10 ? 0xff : 0) & mask);
  });
  return bits < 7 || (takesInIpv4 && bits < 104);
}

/** `10.0.0.1:80`, `[::1]:80` and the addresses alone. */
function withoutPort(hop: string): string {
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? /^(\[[^\]]*\]):\d+$/.exec(hop)?.[1] ?? hop;
}
