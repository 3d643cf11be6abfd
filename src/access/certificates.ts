import { type PeerCertificate, shownCertificate } from '../wire/peer-certificate.ts';

/** A certificate, as far as it says who somebody is. */
export interface Certified {
  readonly name: string;
  /** Milliseconds since 1970: nobody is anybody by it from then on. */
  readonly validUntil: number;
}

/** The caller's: one that was verified on this very connection. */
export function certificateOf(socket: object): Certified | undefined {
  const certificate = shownCertificate(socket);
  return certificate && certified(certificate);
}

/** Undefined where it has no name. */
export function certified(certificate: PeerCertificate): Certified | undefined {
  const name = certificateName(certificate);
  return name === undefined ? undefined : { name, validUntil: certificate.validUntil };
}

/** `spiffe://…` where it has one such name, and only one; else `CN=…`. What could be read in two ways is no name. */
export function certificateName({ subject, subjectAltName }: Omit<PeerCertificate, 'validUntil'>): string | undefined {
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
