import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Relay, startRelay } from './relay.ts';

/** A way to the server on which requests and answers pass and no push comes through. For `await using`. */
export interface WithoutUdp extends Pick<Relay, 'address' | 'cut'>, AsyncDisposable {
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
  const rename = (chunk: Buffer) => Buffer.from(chunk.toString('latin1').replace(/\budpPort=[1-9]\d*/, renamed), 'latin1');

  const { address, cut, [Symbol.asyncDispose]: dispose } = await startRelay(server, rename);
  return {
    address,
    cut,
    get swallowed() {
      return swallowed;
    },
    async [Symbol.asyncDispose]() {
      swallower.close();
      await dispose();
    },
  };
}
