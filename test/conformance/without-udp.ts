import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to the server on which requests and answers pass and no push comes through. For `await using`. */
export interface WithoutUdp extends AsyncDisposable {
  /** Where to reach the server, `HOST:PORT`. */
  readonly address: string;
  /** How many datagrams have been swallowed. */
  readonly swallowed: number;
}

/**
 * Neither side knows: the client listens where it always does, and the server sends to the port that the request names. That
 * port is another one by then, and whatever arrives there is swallowed, as by a firewall that says nothing.
 */
export async function withoutUdp(server: string): Promise<WithoutUdp> {
  const swallower = createSocket('udp4');
  let swallowed = 0;
  swallower.on('message', () => swallowed++);
  swallower.bind(0, '127.0.0.1');
  await once(swallower, 'listening');
  const renamed = `udpPort=${swallower.address().port}`;

  const sockets = new Set<Socket>();
  const at = server.lastIndexOf(':');
  const relay = createServer((client) => {
    const upstream = connect(Number(server.slice(at + 1)), server.slice(0, at));
    client.on('data', (chunk) => upstream.write(chunk.toString('latin1').replace(/\budpPort=[1-9]\d*/, renamed), 'latin1'));
    upstream.pipe(client);
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // An error is followed by the close.
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  // A TCP server that listens has a port.
  const { port } = relay.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    get swallowed() {
      return swallowed;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(relay, 'close');
      relay.close();
      for (const socket of sockets) socket.destroy();
      swallower.close();
      await closed;
    },
  };
}
