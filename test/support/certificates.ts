import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';

/** Certificates made here and now, written by hand in DER: nothing that makes them is on every machine. */
export interface Issued {
  /** Both in PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  /** Of the subject, none when left out. */
  readonly commonName?: string;
  readonly organization?: string;
  /** `DNS:localhost`, `IP:127.0.0.1`, `URI:spiffe://td/orders`. */
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

/** Somebody who vouches for others, and for itself. */
export class Authority implements Issued {
  readonly cert: string;
  readonly key: string;
  readonly #keys: Keys = newKeys();
  readonly #name: Buffer;

  /** `above`: who vouches for it, if not it alone. */
  constructor(commonName = 'an authority of the tests', above?: Authority) {
    this.#name = nameOf({ commonName });
    this.key = pemOf(this.#keys.privateKey);
    this.cert = (above ?? this).#certify(this.#name, this.#keys.publicKey, {}, true);
  }

  issue(wanted: Wanted): Issued {
    const { publicKey, privateKey } = newKeys();
    return { cert: this.#certify(nameOf(wanted), publicKey, wanted, false), key: pemOf(privateKey) };
  }

  /** For the bridge, under the names by which tests call it. */
  issueForServer(wanted: Wanted = {}): Issued {
    return this.issue({ commonName: 'localhost', names: ['DNS:localhost', 'IP:127.0.0.1'], ...wanted });
  }

  #certify(
    subject: Buffer,
    publicKey: KeyObject,
    { names = [], from = FROM, until = UNTIL }: Wanted,
    isAuthority: boolean,
  ): string {
    const extensions = [
      ...(isAuthority
        ? [sequence(oid(2, 5, 29, 19), tlv(BOOLEAN, Buffer.from([0xff])), octets(sequence(tlv(BOOLEAN, Buffer.from([0xff])))))]
        : []),
      ...(names.length > 0 ? [sequence(oid(2, 5, 29, 17), octets(sequence(...names.map(altName))))] : []),
    ];
    const toBeSigned = sequence(
      tlv(0xa0, tlv(INTEGER, Buffer.from([2]))),
      // Positive.
      tlv(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      ECDSA_WITH_SHA256,
      this.#name,
      sequence(time(from), time(until)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length > 0 ? [tlv(0xa3, sequence(...extensions))] : []),
    );
    const signature = sign('sha256', toBeSigned, this.#keys.privateKey);
    const der = sequence(toBeSigned, ECDSA_WITH_SHA256, tlv(BIT_STRING, Buffer.from([0]), signature));
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  }
}

/** Of the certificate that is shown there. */
export async function subjectAt(address: string, ca: string): Promise<string | undefined> {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port), ca });
  await once(socket, 'secureConnect');
  const subject = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return subject;
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const FROM = new Date('2020-01-01T00:00:00Z');
const UNTIL = new Date('2120-01-01T00:00:00Z');

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(SEQUENCE, ...parts);
}

function octets(value: Buffer): Buffer {
  return tlv(OCTET_STRING, value);
}

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = rest.flatMap((part) => {
    const digits = [part & 0x7f];
    for (let more = part >> 7; more > 0; more >>= 7) digits.unshift(0x80 | (more & 0x7f));
    return digits;
  });
  return tlv(OBJECT_IDENTIFIER, Buffer.from([40 * first + second, ...bytes]));
}

const ECDSA_WITH_SHA256 = sequence(oid(1, 2, 840, 10_045, 4, 3, 2));

function nameOf({ commonName, organization }: Wanted): Buffer {
  const part = (type: number, text: string) => tlv(SET, sequence(oid(2, 5, 4, type), tlv(UTF8_STRING, Buffer.from(text))));
  return sequence(
    ...(organization === undefined ? [] : [part(10, organization)]),
    ...(commonName === undefined ? [] : [part(3, commonName)]),
  );
}

function altName(name: string): Buffer {
  const [kind = '', ...rest] = name.split(':');
  const text = rest.join(':');
  if (kind === 'IP') return tlv(0x87, Buffer.from(text.split('.').map(Number)));
  return tlv(kind === 'URI' ? 0x86 : 0x82, Buffer.from(text));
}

/** Years from 2050 on take four digits (RFC 5280 section 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`;
  return date.getUTCFullYear() < 2050 ? tlv(UTC_TIME, Buffer.from(digits.slice(2))) : tlv(GENERALIZED_TIME, Buffer.from(digits));
}
