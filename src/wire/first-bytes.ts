import type { Socket } from 'node:net';
import type { Scheduler } from './scheduler.ts';

/** What a connection speaks, by how it begins. */
export type Protocol = 'http1' | 'http2' | 'tls';

export interface FirstBytesOptions {
  readonly timeoutMs: number;
  /** Whether a peer may begin with a handshake. */
  readonly knowsTls: boolean;
  readonly scheduler: Pick<Scheduler, 'after' | 'soon'>;
}

/** What every HTTP/2 client says first. No HTTP/1 request starts like it. */
const PREFACE_TEXT = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const PREFACE = Buffer.from(PREFACE_TEXT);
const NOTHING: Buffer = Buffer.alloc(0);
/** What every TLS client says first: here comes a handshake. No HTTP does. */
const TLS_HANDSHAKE = 0x16;

/**
 * Reads until it is clear what the peer speaks, and says so: with what was read where that is HTTP/2, and else with all of it put back.
 * The preface may come in pieces: what could still become one is kept here, as data put back too early would be read again and again.
 * Undefined: the peer left, or took longer than `timeoutMs` in all, before it was clear.
 */
export function tellApart(
  socket: Socket,
  { timeoutMs, knowsTls, scheduler }: FirstBytesOptions,
  told: (protocol: Protocol | undefined, head: Buffer) => void,
): void {
  let head = NOTHING;
  let isClear = false;

  const onData = (chunk: Buffer) => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    // Without an identity a handshake is as bad an HTTP/1 request as any, and told so.
    if (knowsTls && head[0] === TLS_HANDSHAKE) {
      done('tls');
      return;
    }
    const compared = Math.min(head.length, PREFACE.length);
    const couldBeHttp2 = head.compare(PREFACE, 0, compared, 0, compared) === 0;
    if (couldBeHttp2 && compared < PREFACE.length) return;
    done(couldBeHttp2 ? 'http2' : 'http1');
  };
  const giveUp = () => {
    if (!isClear) socket.destroy();
  };
  const onClose = () => done(undefined);
  const done = (protocol: Protocol | undefined) => {
    isClear = true;
    cancel();
    socket.off('data', onData).off('end', giveUp).off('close', onClose);
    if (protocol === 'http1' || protocol === 'tls') {
      socket.pause();
      socket.unshift(head);
    }
    told(protocol, head);
    if (protocol === 'http1') socket.resume();
  };

  // A reset is the peer's affair; who serves the socket later listens for itself.
  // One for all: a function of its own would keep what was read here for as long as the socket.
  socket.on('error', ignore);
  // What waits to be read is read first: after a stall the time of many is over at once.
  const cancel = scheduler.after(timeoutMs, () => scheduler.soon(() => scheduler.soon(giveUp)));
  socket.on('data', onData).once('end', giveUp).once('close', onClose);
}

function ignore(): void {}
