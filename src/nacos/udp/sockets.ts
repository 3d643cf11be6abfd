import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** The sockets that datagrams leave from and acknowledgements come back to: one for each family, opened when it is first needed. */
export class Sockets {
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>();
  readonly #hear: (message: Buffer, from: RemoteInfo) => void;
  readonly #onError: (error: Error) => void;

  constructor(hear: (message: Buffer, from: RemoteInfo) => void, onError: (error: Error) => void) {
    this.#hear = hear;
    this.#onError = onError;
  }

  send(bytes: Buffer, ip: string, port: number): void {
    // An address that cannot be reached is found out by the missing acknowledgement.
    this.#socketFor(ip).send(bytes, port, ip, () => {});
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socketFor(ip: string): Socket {
    const family = isIPv6(ip) ? 'udp6' : 'udp4';
    const known = this.#sockets.get(family);
    if (known !== undefined) return known;
    const socket = createSocket(family);
    socket.on('message', this.#hear);
    socket.on('error', this.#onError);
    socket.unref();
    this.#sockets.set(family, socket);
    return socket;
  }
}
