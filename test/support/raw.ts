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

/** An HTTP/1.1 message as it came: its head by lines, the start line first, and its body. */
export interface Message {
  readonly head: readonly string[];
  readonly body: Buffer;
}

/** The messages that arrive on a connection, until it ends. A body is as long as Content-Length says, and never chunked. */
export async function* messages(socket: Socket): AsyncGenerator<Message, undefined> {
  let heard = Buffer.alloc(0);
  for await (const chunk of socket) {
    heard = Buffer.concat([heard, chunk]);
    for (let end = heard.indexOf('\r\n\r\n'); end >= 0; end = heard.indexOf('\r\n\r\n')) {
      const head = heard.toString('latin1', 0, end).split('\r\n');
      if (headerOf(head, 'transfer-encoding') !== undefined) throw new Error(`a body of unknown length: ${head[0]}`);
      const start = end + 4;
      const rest = start + Number(headerOf(head, 'content-length') ?? 0);
      if (heard.length < rest) break;
      yield { head, body: heard.subarray(start, rest) };
      heard = heard.subarray(rest);
    }
  }
}

export function headerOf(head: readonly string[], name: string): string | undefined {
  const line = head.slice(1).find((header) => header.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

export function bytesOf({ head, body }: Message): Buffer {
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
