import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { Bag } from './bag.ts';
import { endsOf } from './ends.ts';
import { contextOf, type TlsIdentity, type TlsRules, trustsLess } from './identity.ts';
import { shownCertificate } from './peer-certificate.ts';

/** TLS on connections that it is given. */
export interface Secured {
  shake(socket: Socket): void;
  /** Goes on as somebody else, with whoever comes from now on. Whom only somebody has vouched for who no longer does, is cut. */
  renew(identity: TlsIdentity): void;
  /** Ends what is still shaking hands. */
  close(): void;
}

export interface SecuredOptions extends TlsRules {
  /** Whether a client without a certificate is turned away, where there is anybody to vouch for one. */
  readonly requiresCertificate: boolean;
  readonly handshakeTimeoutMs: number;
  /** Milliseconds since 1970: no certificate is too old where it is left out. */
  readonly wallClock?: (() => number) | undefined;
  /** Hears of handshakes that failed, and why. */
  readonly failed?: ((reason: string, socket: Socket) => void) | undefined;
}

/** A TLS server that listens nowhere. What is spoken inside, the peer chooses by ALPN: HTTP/1.1 if it does not, nothing if it knows neither. */
export function secured(
  identity: TlsIdentity,
  options: SecuredOptions,
  serve: (socket: Socket, speaksHttp2: boolean) => void,
): Secured {
  const { requiresCertificate, handshakeTimeoutMs, wallClock = () => 0, failed } = options;
  let current = identity;
  const asks = identity.clientCa !== undefined;
  const server = createServer({
    ...contextOf(identity, options),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: asks,
    rejectUnauthorized: requiresCertificate,
  });
  /** Connections before the end of their handshake, by their ends. */
  const shaking = new Map<string, Socket>();
  const certified = new Bag<TLSSocket>();
  const cutAll = (sockets: Iterable<Socket>) => {
    for (const socket of sockets) socket.destroy();
  };
  server.on('secureConnection', (socket) => {
    shaking.delete(endsOf(socket));
    socket.on('error', ignore);
    const shown = asks ? shownCertificate(socket) : undefined;
    if (shown !== undefined) socket.once('close', certified.add(socket));
    // Of a session that is resumed, OpenSSL looks at nothing again: neither whether there is one, nor whether it is still good.
    const fault = shown === undefined ? 'no certificate' : wallClock() >= shown.validUntil ? 'certificate has ended' : undefined;
    if (asks && requiresCertificate && fault !== undefined) {
      failed?.(fault, socket);
      socket.destroy();
      return;
    }
    serve(socket, socket.alpnProtocol === 'h2');
  });
  server.on('tlsClientError', (error, socket) => {
    failed?.(reasonOf(error), socket);
    socket.destroy();
  });
  return {
    shake(socket) {
      const ends = endsOf(socket);
      shaking.set(ends, socket);
      socket.once('close', () => shaking.delete(ends));
      server.emit('connection', socket);
    },
    renew(next) {
      // Sessions that began before are not resumed: their tickets are of the context that goes.
      server.setSecureContext(contextOf(next, options));
      if (trustsLess(current, next)) {
        cutAll([...shaking.values()]);
        cutAll(certified.members());
      }
      current = next;
    },
    close() {
      cutAll([...shaking.values()]);
    },
  };
}

function ignore(): void {}

/** Of what OpenSSL says, the reason; of the rest, what there is. */
function reasonOf(error: Error & { readonly code?: string; readonly reason?: string }): string {
  return error.reason ?? error.code ?? error.message;
}
