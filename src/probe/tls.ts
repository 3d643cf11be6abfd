import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { CheckError } from './check.ts';
import { literalBytes } from './dial.ts';

export interface TlsRules {
  /** Whether the certificate must be trusted, and be for the address or name that was dialled. */
  readonly verify: boolean;
  readonly protocol: 'http/1.1' | 'h2';
  /** Whom to trust in place of Node's own list; PEM. */
  readonly ca: string | undefined;
}

/** TLS on a socket that `dial` has made, and which it goes with. */
export function secured(socket: Socket, ip: string, { verify, protocol, ca }: TlsRules): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const bare = ip.replace(/^\[|\]$/g, '');
    const tls = connect({
      socket,
      host: bare,
      // An address is never sent as a name.
      ...(literalBytes(ip) === undefined && { servername: bare.replace(/\.$/, '') }),
      rejectUnauthorized: verify,
      ALPNProtocols: [protocol],
      ...(ca !== undefined && { ca }),
    });
    // Stays for as long as the socket does.
    tls.on('error', (error) => reject(handshakeTrouble(error, tls, protocol)));
    tls.once('close', () => reject(new CheckError('connection ended', 'counted')));
    socket.once('close', () => tls.destroy());
    tls.once('secureConnect', () => resolve(tls));
  });
}

function handshakeTrouble(error: Error, tls: TLSSocket, protocol: TlsRules['protocol']): CheckError {
  if (error instanceof CheckError) return error;
  // Null, against its declaration, until the certificate has been looked at.
  const untrusted: unknown = tls.authorizationError;
  if (untrusted !== null && untrusted !== undefined) return new CheckError('certificate not trusted', 'at-once');
  const code = 'code' in error ? String(error.code) : '';
  if (code.endsWith('NO_APPLICATION_PROTOCOL')) return new CheckError(protocol === 'h2' ? 'not gRPC' : 'not HTTP', 'at-once');
  if (!code.startsWith('ERR_SSL_')) return new CheckError('connection ended', 'counted');
  // An alert is TLS: it is there, and will not have us.
  return code.includes('_ALERT_') ? new CheckError('connection failed', 'counted') : new CheckError('no TLS', 'at-once');
}
