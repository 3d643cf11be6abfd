import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, getCiphers, type SecureContextOptions } from 'node:tls';

/** Who a bridge is on TLS, and who vouches for its clients. In PEM, as `node:tls` takes it. */
export interface TlsIdentity {
  /** With its chain. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Whose certificates clients may show. None is asked for when left out. */
  readonly clientCa?: string | Buffer;
}

/** How TLS is spoken. */
export interface TlsRules {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names with colons between; "" are those that Node has. */
  readonly ciphers: string;
}

export const DEFAULT_RULES: TlsRules = { minVersion: 'TLSv1.2', ciphers: '' };

/** The whole of it each time: a context without `ca` would trust everybody whom Node trusts, to vouch for clients. */
export function contextOf({ cert, key, clientCa }: TlsIdentity, { minVersion, ciphers }: TlsRules): SecureContextOptions {
  return {
    cert,
    key,
    minVersion,
    ...(clientCa !== undefined && { ca: clientCa }),
    ...(ciphers !== '' && { ciphers: ciphers.toUpperCase() }),
    // Node would speak it all the same, with suites of its own.
    ...(!haveTls13(ciphers) && { maxVersion: 'TLSv1.2' }),
    // What a peer has shown holds for the whole connection. HTTP/2 knows no renegotiation anyway.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Why it cannot be used, and of which part that is true. */
export interface IdentityFault {
  readonly part: 'cert' | 'key' | 'pair' | 'clientCa';
  readonly reason: string;
}

export function identityFaults({ cert, key, clientCa }: TlsIdentity): readonly IdentityFault[] {
  const faults: IdentityFault[] = [];
  try {
    createSecureContext({ cert, key });
    // Without either of them a context is made as well.
    if (certificatesIn(cert).length === 0) faults.push({ part: 'cert', reason: NO_CERTIFICATE });
    if (key.length === 0) faults.push({ part: 'key', reason: NO_KEY });
  } catch (error) {
    faults.push(...pairFaults({ cert, key }, reasonOf(error)));
  }
  if (clientCa === undefined) return faults;
  try {
    // Node takes a text that is none without a word, and then trusts nobody, or everybody whom it trusts itself.
    const named = certificatesIn(clientCa);
    if (named.length === 0) faults.push({ part: 'clientCa', reason: NO_CERTIFICATE });
    // OpenSSL believes nobody whom it cannot follow up to the last, and a server of Node has no way to tell it otherwise.
    const unvouched = named.find((one) => !named.some((above) => one.checkIssued(above)));
    if (unvouched !== undefined)
      faults.push({ part: 'clientCa', reason: `who vouches for ${subjectOf(unvouched)} is not in it` });
  } catch (error) {
    faults.push({ part: 'clientCa', reason: reasonOf(error) });
  }
  return faults;
}

/** The same in words: `said` begins what is told of each part, as whoever has given it calls it. */
export function faultsOf(identity: TlsIdentity, said: Readonly<Record<IdentityFault['part'], string>>): readonly string[] {
  return identityFaults(identity).map(({ part, reason }) => `${said[part]}: ${reason}`);
}

const NO_CERTIFICATE = 'no certificate in it';
const NO_KEY = 'no key in it';

/** Which of the two is no good by itself; else, in the words of OpenSSL, why not both together. */
function pairFaults({ cert, key }: Pick<TlsIdentity, 'cert' | 'key'>, together: string): readonly IdentityFault[] {
  const faults: IdentityFault[] = [];
  try {
    if (certificatesIn(cert).length === 0) faults.push({ part: 'cert', reason: NO_CERTIFICATE });
  } catch (error) {
    faults.push({ part: 'cert', reason: reasonOf(error) });
  }
  try {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.toString())) createPrivateKey(key);
    else faults.push({ part: 'key', reason: NO_KEY });
  } catch (error) {
    faults.push({ part: 'key', reason: reasonOf(error) });
  }
  return faults.length > 0 ? faults : [{ part: 'pair', reason: together }];
}

/** All of them, in their order. Throws for what is none. */
export function certificatesIn(pem: string | Buffer): readonly X509Certificate[] {
  const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** In plain letters, on one line. Many have no more than other names. */
export function subjectOf({ subject, subjectAltName }: X509Certificate): string {
  const text = subject || subjectAltName || 'nobody';
  return text
    .replaceAll('\n', ', ')
    .replaceAll(/[^ -~]+/g, '?')
    .slice(0, MAX_SUBJECT);
}

const MAX_SUBJECT = 200;

/** Names among these that no context could use. Of a list with one good name, OpenSSL says nothing of the others. */
export function unknownCiphers(ciphers: string): readonly string[] {
  if (ciphers === '') return [];
  const known = new Set(getCiphers().filter((name) => !/(^|-)psk-|^srp-/.test(name)));
  return ciphers.split(':').filter((name) => !known.has(name.toLowerCase()));
}

/** Whether there is one for the newest version among them. */
export function haveTls13(ciphers: string): boolean {
  return ciphers === '' || ciphers.split(':').some((name) => /^tls_/i.test(name));
}

/** Somebody who vouched for clients before does so no more. */
export function trustsLess(before: TlsIdentity, next: TlsIdentity): boolean {
  const trusted = new Set(certificatesIn(next.clientCa ?? '').map(({ fingerprint256 }) => fingerprint256));
  return certificatesIn(before.clientCa ?? '').some(({ fingerprint256 }) => !trusted.has(fingerprint256));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
