import type { Socket } from 'node:net';
import type { Protocol } from './first-bytes.ts';
import type { Scheduler } from './scheduler.ts';

/** Tells whoever speaks without TLS to a port that takes nothing else, in the words of what it speaks; and ends the connection. */
export function refuseCleartext(socket: Socket, protocol: Exclude<Protocol, 'tls'>, scheduler: Pick<Scheduler, 'after'>): void {
  socket.on('error', ignore);
  socket.end(protocol === 'http2' ? GOAWAY : BAD_REQUEST);
  // What it still says is dropped: unread, it would cost it the answer.
  socket.resume();
  socket.once(
    'close',
    scheduler.after(LINGER_MS, () => socket.destroy()),
  );
}

function ignore(): void {}

const LINGER_MS = 500;
const TEXT = 'this port speaks TLS only: use https';
const BAD_REQUEST = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${TEXT.length + 1}`,
  'Connection: close',
  '',
  `${TEXT}\n`,
].join('\r\n');
/** RFC 9113: no SETTINGS, and INADEQUATE_SECURITY before any stream. */
const GOAWAY = Buffer.concat([
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  Buffer.from([0, 0, 8 + TEXT.length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c]),
  Buffer.from(TEXT),
]);
