import { AddressSet, NAMED_SETS } from '../wire/addresses.ts';

/** Which addresses a check may dial: what is registered is anybody's word, and the process stands inside of networks. */

/** Whatever else is allowed: nobody's address, and everybody's. */
const NEVER = new AddressSet(['0.0.0.0/8', '::', '224.0.0.0/4', 'ff00::/8']);

/** Unless an operator allows them. */
const REFUSED = new AddressSet([
  ...NAMED_SETS.loopback,
  ...NAMED_SETS['link-local'],
  // Reserved, broadcast among them.
  '240.0.0.0/4',
  // NAT64 of a network's own: where in it the IPv4 address stands is the network's choice (RFC 8215).
  '64:ff9b:1::/48',
  // Metadata services of clouds that are not link-local, which give out keys: Alibaba, Azure, Oracle,
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:c1::a9fe:a9fe',
  // Amazon (the keys of pods, names and time among them), Google, Scaleway, Linode.
  'fd00:ec2::/32',
  'fd20:ce::/32',
  'fd00:42::42',
  'fd00:a9fe:a9fe::1',
]);

/** `allow`: what an operator allows beyond the default. It lifts the rule only for addresses as written, not for what they embed. */
export function mayBeDialled(address: Uint8Array, allow: AddressSet): boolean {
  const forms = [address, ...embedded(address)];
  if (forms.some((form) => NEVER.has(form))) return false;
  return allow.has(address) || !forms.some((form) => REFUSED.has(form));
}

/** The IPv4 addresses that an IPv6 address leads to; a mapped one is itself IPv4 here. */
function embedded(address: Uint8Array): Uint8Array[] {
  return FORMS.filter(({ set }) => set.has(address)).flatMap(({ at, flip = 0 }) => {
    if (LOOPBACK.has(address)) return [];
    return [Uint8Array.from([...MAPPED, ...address.slice(at, at + 4).map((byte) => byte ^ flip)])];
  });
}

const LOOPBACK = new AddressSet(['::1']);
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** `at`: where the IPv4 address begins. `flip`: what its bytes are masked with. */
interface Form {
  readonly set: { has(address: Uint8Array): boolean };
  readonly at: number;
  readonly flip?: number;
}

const FORMS: readonly Form[] = [
  // IPv4-compatible, IPv4-translated, NAT64
  { set: new AddressSet(['::/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48']), at: 12 },
  // 6to4
  { set: new AddressSet(['2002::/16']), at: 2 },
  // Teredo: its server, and the client behind it
  { set: new AddressSet(['2001::/32']), at: 4 },
  { set: new AddressSet(['2001::/32']), at: 12, flip: 0xff },
  // ISATAP, in any network
  {
    set: { has: (address) => ((address[8] ?? 0) & ~2) === 0 && address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe },
    at: 12,
  },
];
