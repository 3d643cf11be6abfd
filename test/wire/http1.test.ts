import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { abandonBody, answerText } from '../../src/wire/answer.ts';
import { HeldBodies } from '../../src/wire/held-bodies.ts';
import type { Lanes } from '../../src/wire/lanes.ts';
import { listen, type PortOptions } from '../../src/wire/listener.ts';
import { Refused } from '../../src/wire/refused.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';

failOnLeaks();

const BODY_BYTES = 4_000_000;
const CHUNK = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`;

/** Refuses each request at its header. */
class Refusing {
  requests = 0;
  readonly lanes: Lanes = {
    request: (req, res) => {
      this.requests++;
      abandonBody(req, res);
      res.statusCode = 403;
      res.end('no');
    },
  };
}

async function opened(
  { lanes }: Pick<Refusing, 'lanes'>,
  isSecure: boolean,
  limits: Partial<typeof LIMITS> = {},
  more: Partial<PortOptions> = {},
) {
  const tls = isSecure ? { cert: TLS_CERT, key: TLS_KEY } : undefined;
  const options = { limits: { ...LIMITS, ...limits }, scheduler: systemScheduler, tls, ...more };
  const port = await listen('127.0.0.1', 0, lanes, options);
  const [host, number] = port.address.split(':') as [string, string];
  const where = { host, port: Number(number), allowHalfOpen: true };
  const socket: Socket = isSecure ? connectTls({ ...where, ca: TLS_CERT }) : connectTcp(where);
  await once(socket, isSecure ? 'secureConnect' : 'connect');
  return { socket, close: () => port.close(AbortSignal.abort()) };
}

/** What has been said when the other end finishes; which it does while this one is still open. */
async function heardToTheEnd(socket: Socket): Promise<string> {
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  await once(socket, 'end');
  return heard;
}

describe.each([
  ['in cleartext', false],
  ['within TLS', true],
])('a request that is refused at its header, %s', (_, isSecure) => {
  it.each([
    ['of a known length', '1.1', `Content-Length: ${BODY_BYTES}\r\n`, 'x'.repeat(BODY_BYTES)],
    ['in chunks', '1.1', 'Transfer-Encoding: chunked\r\n', `${CHUNK.repeat(40)}0\r\n\r\n`],
    ['of a peer that asks for the end', '1.1', `Connection: close\r\nContent-Length: ${BODY_BYTES}\r\n`, 'x'.repeat(BODY_BYTES)],
    ['of version 1.0', '1.0', `Content-Length: ${BODY_BYTES}\r\n`, 'x'.repeat(BODY_BYTES)],
  ])('has its answer, and its body is read all the same: one %s', async (_, version, headers, body) => {
    const { socket, close } = await opened(new Refusing(), isSecure);
    socket.write(`POST / HTTP/${version}\r\nHost: x\r\n${headers}\r\n`);
    expect(await heardToTheEnd(socket)).toMatch(/^HTTP\/1\.1 403 (?:.+\r\n)*Connection: close\r\n(?:.+\r\n)*\r\n/);
    // A reset would be an error of the socket, and fail here.
    const closed = once(socket, 'close');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.write(body, (error) => (error ? reject(error) : resolve()));
    });
    socket.end();
    expect(await closed).toEqual([false]);
    await close();
  });

  it('is the last of its connection', async () => {
    const refusing = new Refusing();
    const { socket, close } = await opened(refusing, isSecure);
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
    const heard = heardToTheEnd(socket);
    await heard;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('0123456789POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789');
    socket.end();
    await closed;
    expect([refusing.requests, (await heard).match(/HTTP/g)?.length]).toEqual([1, 1]);
    await close();
  });

  it('ends when the body takes longer than it may', async () => {
    const { socket, close } = await opened(new Refusing(), isSecure, { headerTimeoutMs: 100, bodyTimeoutMs: 100 });
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
    await heardToTheEnd(socket);
    // The server has said its last word; that it has closed is seen only by saying more.
    const more = setInterval(() => socket.write('6'), 50);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(more);
    await close();
  });
});

describe('what is no HTTP', () => {
  /** Answers what it has read whole, at the end of the turn, as everything is answered over HTTP/1.1. */
  const answering: Pick<Refusing, 'lanes'> = {
    lanes: { request: (req, res) => void req.on('end', () => answerText(res, 200, 'done')).resume() },
  };
  const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  const POST = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab';

  it.each([
    ['behind a request', GET, ['200']],
    ['behind one with a body', POST, ['200']],
    ['behind several', GET + POST + GET, ['200', '200', '200']],
    ['alone', '', ['400']],
    ['in place of a body', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', ['400']],
  ])('takes no answer from what came before, and ends the connection: %s', async (_, before, statuses) => {
    const { socket, close } = await opened(answering, false);
    const heard = heardToTheEnd(socket);
    socket.write(`${before}GARBAGE\r\n\r\n`);
    expect([...(await heard).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(statuses);
    socket.end();
    await close();
  });
});

describe('requests that are not answered yet', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  /** Takes requests, and answers each when it is told to. */
  class Waiting {
    readonly taken: (() => void)[] = [];
    readonly lanes: Lanes = {
      request: (_, res) => {
        this.taken.push(() => answerText(res, 200, 'done'));
      },
    };
  }

  it('are all answered in their order, up to a limit, and end the connection beyond it', async () => {
    const refused = new Refused();
    const waiting = new Waiting();
    const { socket, close } = await opened(waiting, false, { maxPipelined: 100 }, { refused });
    let heard = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
    });
    const over = new Promise((resolve) => socket.once('end', resolve).once('error', resolve));
    socket.write(GET.repeat(100));
    await expect.poll(() => waiting.taken.length).toBe(100);
    for (const answer of waiting.taken) answer();
    await expect.poll(() => heard.split('HTTP/1.1 200').length - 1).toBe(100);
    socket.write(GET.repeat(101));
    await over;
    expect([waiting.taken.length, refused.counts.get('pipelined requests')]).toEqual([200, 1]);
    socket.destroy();
    await close();
  });

  it('count among what is held, and the connection is cut where that is too much', async () => {
    const bodies = new HeldBodies({ maxHeldBytes: 1 << 20, maxHeldBytesPerPeer: 1 << 20, maxHeldBytesInAll: 1 << 20 });
    const refused = new Refused();
    const waiting = new Waiting();
    const { socket, close } = await opened(waiting, false, { maxPipelined: 1_000 }, { bodies, refused });
    socket.on('error', () => {}).resume();
    const over = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    // As many as are held for a mebibyte, and one more.
    socket.write(GET.repeat(257));
    await over;
    expect([bodies.bytes, waiting.taken.length, refused.counts.get('pipelined requests')]).toEqual([0, 256, 1]);
    socket.destroy();
    await close();
  });

  it('all hear of it when their connection ends, each once', async () => {
    const closed: number[] = [];
    let taken = 0;
    const lanes: Lanes = {
      request: (_, res) => {
        const number = taken++;
        res.on('close', () => closed.push(number));
      },
    };
    const { socket, close } = await opened({ lanes }, false);
    socket.write(GET.repeat(30));
    await expect.poll(() => taken).toBe(30);
    socket.destroy();
    await expect.poll(() => closed.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    await close();
  });

  it('count no more when their connection ends', async () => {
    const bodies = new HeldBodies({ maxHeldBytes: 1 << 20, maxHeldBytesPerPeer: 1 << 20, maxHeldBytesInAll: 1 << 20 });
    const waiting = new Waiting();
    const { socket, close } = await opened(waiting, false, {}, { bodies });
    socket.write(GET.repeat(10));
    await expect.poll(() => bodies.bytes).toBe(10 * 4096);
    socket.destroy();
    await expect.poll(() => bodies.bytes).toBe(0);
    await close();
  });
});
