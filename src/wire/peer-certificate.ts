import { TLSSocket } from 'node:tls';

/** What a peer has shown itself to be, on the connection itself and in Node's words. Whom that means, others know. */
export interface PeerCertificate {
  /** `CN=orders`, with a line for each part. */
  readonly subject: string;
  /** `URI:spiffe://…, DNS:…`, "" where there is none. */
  readonly subjectAltName: string;
  /** Milliseconds since 1970. */
  readonly validUntil: number;
}

/**
 * Of a connection that has shown one, and whose certificate was verified on this very connection. That somebody is authorized says
 * nothing by itself: Node says it of a session that is resumed without any certificate (TLS 1.3, `rejectUnauthorized: false`). Read once
 * for each connection, and never where no certificate is asked for.
 */
export function shownCertificate(socket: object): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  // It has the property, if any, from here.
  const certified = socket as Certified;
  certified[SHOWN] ??= readFrom(socket);
  return certified[SHOWN];
}

const SHOWN = Symbol('certificate');

type Certified = TLSSocket & { [SHOWN]?: PeerCertificate | undefined };

function readFrom(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const { subject, subjectAltName = '', validTo } = certificate;
  return { subject, subjectAltName, validUntil: Date.parse(validTo) };
}
