import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { expect, it } from 'vitest';
import { failOnLeaks } from '../../support/leaks.ts';
import { dial } from '../../support/raw.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

failOnLeaks();

/** More than the system takes for both ends of a connection. */
const LONG = 'x'.repeat(30 << 20);
const AT = { dataId: 'long', group: 'g' };
const PATH = '/nacos/v1/cs/configs?dataId=long&group=g';
const REFUSED = { status: 429, body: expect.stringMatching(/^more than \d+ bytes of answers.* are not read yet/) };

/** A server with one long text, and another that is short. */
async function serving(limits: { readonly maxAnswerBytes?: number; readonly maxAnswerBytesInAll?: number }) {
  const server = await startServer({ maxConfigBytes: 64 << 20, maxConfigBodyBytes: 64 << 20, ...limits });
  for (const [dataId, content] of [
    ['long', LONG],
    ['short', 'x'],
  ] as const)
    await nacos(server, 'POST', '/nacos/v1/cs/configs', {}, { body: new URLSearchParams({ ...AT, dataId, content }) });
  const read = (dataId = 'long') => answerOf(nacos(server, 'GET', '/nacos/v1/cs/configs', { ...AT, dataId }));
  return { server, read };
}

it.each([
  ['of one address', { maxAnswerBytes: 40 << 20 }],
  ['of all', { maxAnswerBytesInAll: 40 << 20 }],
])('what callers have yet to read is bounded: %s', async (_, limits) => {
  const { server, read } = await serving(limits);
  await using _server = server;
  const socket = await dial(server.listeners.main);
  socket.pause();
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`);
  // It is admitted when the first of it is there.
  await once(socket, 'readable');
  expect(await read()).toEqual(REFUSED);
  expect(await read('short')).toEqual({ status: 200, body: 'x' });
  let heard = 0;
  socket.on('data', ({ length }) => {
    heard += length;
  });
  await expect.poll(() => heard, { timeout: 30_000 }).toBeGreaterThan(LONG.length);
  expect((await read()).body).toHaveLength(LONG.length);
  // One that leaves is not waited for.
  const leaving = await dial(server.listeners.main);
  leaving.pause();
  leaving.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(leaving, 'readable');
  expect(await read()).toEqual(REFUSED);
  leaving.destroy();
  await expect.poll(async () => (await read()).status).toBe(200);
  socket.destroy();
});

it('the same over HTTP/2', async () => {
  const { server, read } = await serving({ maxAnswerBytes: 40 << 20 });
  await using _server = server;
  const session = connectHttp2(`http://${server.listeners.main}`);
  const stream = session.request({ ':path': PATH });
  stream.on('error', () => {});
  await once(stream, 'response');
  expect(await read()).toEqual(REFUSED);
  stream.close();
  await expect.poll(async () => (await read()).status).toBe(200);
  session.destroy();
});

it('an answer that is larger than all may be is given to whoever asks for nothing else', async () => {
  const { server, read } = await serving({ maxAnswerBytes: 1 << 20, maxAnswerBytesInAll: 1 << 20 });
  await using _server = server;
  for (let i = 0; i < 3; i++) expect((await read()).status).toBe(200);
});

it('one that had no turn yet when its connection ended counts no more', async () => {
  const { server, read } = await serving({ maxAnswerBytes: 40 << 20 });
  await using _server = server;
  const socket = await dial(server.listeners.main);
  // An answer that does not end is ahead of it.
  socket.write('GET /health/a?watch HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await expect.poll(async () => (await read()).status).toBe(429);
  socket.resetAndDestroy();
  await expect.poll(async () => (await read()).status).toBe(200);
});
