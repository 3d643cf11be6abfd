import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { oneLine, reasonOf } from './failures.ts';

/** What files of TLS hold: looked at before anybody is asked, so that it is told of which file something is wrong. */

export interface PemFile {
  readonly flag: string;
  readonly path: string;
  readonly text: string;
}

/** What is wrong with who may have signed a certificate. OpenSSL would pass over whatever it does not know. */
export function faultOfAuthorities({ flag, path, text }: PemFile): string | undefined {
  return certificatesIn(text) === undefined ? `${flag} holds no certificates in PEM: ${oneLine(path)}` : undefined;
}

/** And with a certificate and its key. */
export function faultOfPair(cert: PemFile, key: PemFile): string | undefined {
  const [certificate] = certificatesIn(cert.text) ?? [];
  if (certificate === undefined) return `${cert.flag} holds no certificate in PEM: ${oneLine(cert.path)}`;
  let secret: KeyObject;
  try {
    secret = createPrivateKey(key.text);
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(key.text);
    return `${key.flag} holds no key in PEM${isLocked ? ' without a password' : ''} (${reasonOf(error)}): ${oneLine(key.path)}`;
  }
  if (!certificate.checkPrivateKey(secret)) return `${key.flag} is not the key of ${cert.flag}: ${oneLine(key.path)}`;
  try {
    createSecureContext({ cert: cert.text, key: key.text });
  } catch (error) {
    return `${cert.flag} and ${key.flag} cannot be used (${reasonOf(error)}): ${oneLine(cert.path)}`;
  }
  return undefined;
}

const BLOCK = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** Undefined: there is none, or one that cannot be read. */
function certificatesIn(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(BLOCK);
  try {
    return blocks?.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}
