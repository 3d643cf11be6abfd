import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect as secure, type TLSSocket } from 'node:tls';
import { systemScheduler } from '../../wire/scheduler.ts';
import { reasonOf, UnreachableError } from './failures.ts';
import type { Target, TlsTarget, Where } from './target.ts';

const KEEP_ALIVE_MS = 15_000;

/** A connection to the server that is meant, in clear or over TLS, ready to be written to. Rejects with `UnreachableError`. */
export async function dial(target: Target, protocol: 'h2' | 'http/1.1'): Promise<Socket> {
  const { addr, where, tls, connectTimeoutMs } = target;
  const socket = tls === undefined ? connect(addressOf(where)) : dialSecurely(where, tls, protocol);
  return await new Promise<Socket>((resolve, reject) => {
    const fail = (reason: string) => {
      cancel();
      socket.destroy();
      reject(new UnreachableError(`${addr} cannot be reached: ${reason}`));
    };
    const cancel = systemScheduler.after(connectTimeoutMs, () => fail(`no connection within ${connectTimeoutMs} ms`));
    const onError = (error: Error) => fail(reasonOf(error));
    const onClose = () => fail('the connection was closed at once');
    socket.once('error', onError).once('close', onClose);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      // Over TLS, gRPC is nothing else.
      if (tls !== undefined && protocol === 'h2' && 'alpnProtocol' in socket && socket.alpnProtocol !== 'h2') {
        fail('it speaks no HTTP/2 over TLS');
        return;
      }
      cancel();
      socket.off('error', onError).off('close', onClose);
      socket.setNoDelay(true);
      // Streams are silent for long; who has lost its power is found out by the kernel, which bothers no server.
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      resolve(socket);
    });
  });
}

function addressOf(where: Where) {
  return 'path' in where ? { path: where.path } : { host: where.host, port: where.port };
}

function dialSecurely(where: Where, { verify, ca, cert, key, serverName }: TlsTarget, protocol: string): TLSSocket {
  const options: ConnectionOptions = {
    ...addressOf(where),
    ALPNProtocols: [protocol],
    rejectUnauthorized: verify,
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    // An address is never asked for by name.
    ...(isIP(serverName) === 0 && { servername: serverName }),
  };
  return secure(options);
}
