import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Server, ServerOptions } from '../../src/index.ts';
import { startWithBearers } from '../support/bearers.ts';
import { FOREIGN, fromElsewhere } from '../support/foreign.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { dial, hear } from '../support/raw.ts';
import { answerOf, nacos, startServer } from '../support/server.ts';

failOnLeaks();

/** What is held of bodies that are not whole, and of which of them nothing is. */

const FORM = 'application/x-www-form-urlencoded';
const PIECE = 40_000;
/** Room for two of these, or for four in all. */
const SMALL = { maxHeldBytes: 64 << 10, maxHeldBytesPerPeer: 100_000, maxHeldBytesInAll: 1 << 20, closeWithinMs: 100 };

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const headOf = (path: string, type: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;

/** A body of which a part comes. What is answered meanwhile. */
async function begun(address: string, head: string, bytes: number) {
  const socket = await dial(address);
  sockets.push(socket);
  // Its head, and the beginning at least of its body.
  const answer = hear(socket, (heard) => /Content-Length.*\r\n\r\n.|grpc-status: \d/s.test(heard));
  const closed = once(socket, 'close');
  socket.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(bytes, 'x')]));
  return { answer, closed };
}

/** Asks over the health port, which no other port's bodies come to. */
async function held(server: Server): Promise<number> {
  const text = await fetch(`http://${server.listeners.health}/readyz?verbose`).then((response) => response.text());
  return Number(/bytes held (\d+) of/.exec(text)?.[1]);
}

const publish = (server: Server, content: string) =>
  answerOf(
    nacos(server, 'POST', '/nacos/v1/cs/configs', {}, { body: new URLSearchParams({ dataId: 'd', group: 'g', content }) }),
  );

describe('where an address holds all that it may', () => {
  const open = (options: ServerOptions = {}) => startServer({ ...SMALL, ...options });

  it('the oldest body over HTTP/1.1 is refused in an answer, and its connection ended; who is quick is served', async () => {
    await using server = await open();
    const head = headOf('/nacos/v1/cs/configs', FORM, 1_000_000);
    const oldest = await begun(server.listeners.main, head, PIECE);
    await expect.poll(() => held(server)).toBe(PIECE);
    await begun(server.listeners.main, head, PIECE);
    await expect.poll(() => held(server)).toBe(2 * PIECE);
    expect(await publish(server, 'y'.repeat(50_000))).toEqual({ status: 200, body: true });
    expect(await oldest.answer).toMatch(/^HTTP\/1\.1 429 [\s\S]*Connection: close/);
    await oldest.closed;
    expect(await held(server)).toBe(PIECE);
  });

  it('over HTTP/2 the call is refused, and the connection goes on', async () => {
    await using server = await open();
    const session = connectHttp2(`http://${server.listeners.main}`);
    const begin = (path: string, type: string) => {
      const stream = session.request({ ':path': path, ':method': 'POST', 'content-type': type });
      stream.write(Buffer.alloc(PIECE, 'x'));
      return stream;
    };
    const stream = begin('/nacos/v2/cs/config', FORM);
    const answer = once(stream, 'response');
    await expect.poll(() => held(server)).toBe(PIECE);
    await begun(server.listeners.main, headOf('/nacos/v1/cs/configs', FORM, 1_000_000), PIECE);
    await expect.poll(() => held(server)).toBe(2 * PIECE);
    expect(await publish(server, 'y'.repeat(50_000))).toEqual({ status: 200, body: true });
    const [headers] = await answer;
    expect(headers[':status']).toBe(429);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({
      code: 30_000,
      message: 'server error',
      data: expect.stringContaining('not whole'),
    });
    const next = session.request({ ':path': '/livez' });
    const [{ ':status': status }] = await once(next, 'response');
    expect(status).toBe(200);
    session.destroy();
  });

  it.each([
    ['JSON', 'application/json', /^HTTP\/1\.1 429 /],
    ['gRPC-Web', 'application/grpc-web+proto', /^HTTP\/1\.1 200 [\s\S]*grpc-status: 8/],
  ])('a message to health in %s is refused as exhausted while nothing more comes of it', async (_, type, status) => {
    await using server = await open();
    const frame = type === 'application/json' ? '' : '\0\0\0\x3a\x98';
    const head = `${headOf('/grpc.health.v1.Health/Check', type, 16_000)}${frame}`;
    const all = [];
    for (let i = 0; i < 7; i++) {
      all.push(await begun(server.listeners.main, head, 14_000));
      await expect.poll(() => held(server)).toBe((i + 1) * (14_000 + frame.length));
    }
    const [oldest] = all;
    all.push(await begun(server.listeners.main, head, 14_000));
    expect(await oldest?.answer).toMatch(status);
    expect(await held(server)).toBe(7 * (14_000 + frame.length));
    expect((await fetch(`http://${server.listeners.main}/health`)).status).toBe(200);
  });
});

describe('of who may not make the call whatever its body says, nothing is held', () => {
  const head = (path: string, type = FORM) => headOf(path, type, 1_000_000);

  // Where there is no other interface nobody can come from elsewhere.
  it.skipIf(FOREIGN === undefined)('from elsewhere, where only this machine may write', async () => {
    await using server = await startServer({ host: '0.0.0.0' });
    const elsewhere = fromElsewhere(server.listeners.main);
    const { answer, closed } = await begun(elsewhere, head('/nacos/v1/cs/configs'), 0);
    expect(await answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*Connection: close/);
    await closed;
    // A short body comes with its head, and the connection is for more.
    const short = `${headOf('/nacos/v1/cs/configs', FORM, 4)}a=bc`;
    const { answer: kept } = await begun(elsewhere, short, 0);
    expect(await kept).toMatch(/^HTTP\/1\.1 403 (?![\s\S]*Connection: close)/);
  });

  it.each([
    ['a token that is none', '/nacos/v1/cs/configs?accessToken=x', FORM],
    ['two that disagree', '/nacos/v1/cs/configs?accessToken=x&accessToken=y', FORM],
    ['a right to read alone', '/nacos/v1/cs/configs?accessToken=RITA', FORM],
    ['none, and a body that can bring none', '/nacos/v1/cs/configs', 'application/json'],
  ])('with %s', async (_, path, type) => {
    await using server = await startWithBearers({ rita: 'reader' }, {});
    const token = server.bearer('rita').authorization?.slice('Bearer '.length) ?? '';
    const { answer } = await begun(server.listeners.main, head(path.replace('RITA', token), type), 0);
    expect(await answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('and a token that comes in the body is waited for', async () => {
    await using server = await startWithBearers({ will: 'writer' }, {});
    const token = server.bearer('will').authorization?.slice('Bearer '.length) ?? '';
    const body = new URLSearchParams({ dataId: 'd', group: 'g', content: 'x'.repeat(10_000), accessToken: token });
    expect(await answerOf(nacos(server, 'POST', '/nacos/v1/cs/configs', {}, { body }))).toEqual({ status: 200, body: true });
  });
});
