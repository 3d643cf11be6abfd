import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Opens a bare connection to `HOST:PORT`. */
export async function dial(address: string): Promise<Socket> {
  const at = address.lastIndexOf(':');
  const socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** All that the peer says until it closes, or until `enough` is satisfied. */
export async function hear(socket: Socket, enough: (heard: string) => boolean = () => false): Promise<string> {
  let heard = '';
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (enough(heard)) resolve();
    });
    socket.once('close', () => resolve());
  });
  return heard;
}

/** Sends the pieces, each in a segment of its own, and answers with all that came back. */
export async function exchange(address: string, pieces: readonly (string | Buffer)[], enough?: (heard: string) => boolean) {
  const socket = await dial(address);
  socket.setNoDelay(true);
  const answer = hear(socket, enough);
  for (const piece of pieces) {
    // The peer may have refused by now, and closed: what it said is the answer.
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    // A turn of the event loop between the pieces, so that the server sees them apart.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const heard = await answer;
  socket.destroy();
  return heard;
}
