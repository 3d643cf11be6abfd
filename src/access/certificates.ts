import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/**
 * What a caller's certificate is called. Only one that is here, and was verified on this very connection, says anything: a session that is
 * resumed without one is told by Node to be authorized all the same (TLS 1.3, `rejectUnauthorized: false`).
 */
export function certificateOf(socket: Pick<TLSSocket, 'authorized' | 'getPeerX509Certificate'>): string | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return certificate && certificateName(certificate);
}

/** `spiffe://…` where it has one such name, and only one; else `CN=…`. What could be read in two ways is no name. */
export function certificateName({ subject, subjectAltName = '' }: Names): string | undefined {
  // Node quotes what has a comma in it, and writes all names into one text: a name that may hold another one is nobody's.
  if (subjectAltName.includes('"')) return undefined;
  const uris = subjectAltName.split(', ').filter((name) => name.startsWith('URI:'));
  const [uri] = uris;
  if (uris.length > 1) return undefined;
  if (uri !== undefined) return /^URI:spiffe:\/\/[^\s,"'\\]+$/.test(uri) ? uri.slice('URI:'.length) : undefined;
  const commons = subject.split('\n').filter((part) => part.startsWith('CN='));
  const [common = ''] = commons;
  return commons.length === 1 && /^CN=[^\s,"'=+\\]+$/.test(common) ? common : undefined;
}

type Names = Pick<X509Certificate, 'subject'> & Partial<Pick<X509Certificate, 'subjectAltName'>>;
