import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to the server that passes everything on, and can be broken. For `await using`. */
export interface Relay extends AsyncDisposable {
  /** Where to reach the server, `HOST:PORT`. */
  readonly address: string;
  /** How many connections have come so far. */
  readonly accepted: number;
  /** Where those lead that come from now on. */
  leadTo(server: string): void;
  /** Breaks every connection that there is; others can be made at once. */
  cut(): void;
  /** Breaks them too, and whichever comes until `mend`. */
  breakOff(): void;
  mend(): void;
}

/** What clients say goes through `change` on its way, and what they are answered through `answer`. Port 0 is any that is free. */
export async function startRelay(
  server: string,
  change = (chunk: Buffer): Buffer => chunk,
  listensOn = 0,
  answer?: (chunk: Buffer) => Buffer,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isBroken = false;
  let accepted = 0;
  let target = server;
  const relay = createServer((client) => {
    accepted++;
    if (isBroken) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const at = target.lastIndexOf(':');
    const upstream = connect(Number(target.slice(at + 1)), target.slice(0, at));
    client.on('data', (chunk: Buffer) => upstream.write(change(chunk)));
    if (answer === undefined) upstream.pipe(client);
    else upstream.on('data', (chunk: Buffer) => client.write(answer(chunk)));
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
  relay.listen(listensOn, '127.0.0.1');
  await once(relay, 'listening');
  // A TCP server that listens has a port.
  const { port } = relay.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${port}`,
    get accepted() {
      return accepted;
    },
    leadTo(other) {
      target = other;
    },
    cut,
    breakOff() {
      isBroken = true;
      cut();
    },
    mend() {
      isBroken = false;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(relay, 'close');
      relay.close();
      cut();
      await closed;
    },
  };
}
