import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import fc from 'fast-check';
import { Agent, fetch } from 'undici';
import { expect, it } from 'vitest';
import { Http2Room } from '../../support/http2-room.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { randomRuns } from '../../support/random.ts';

/** Clients that others wrote, over real sockets. */

failOnLeaks();

const TLS = join(import.meta.dirname, '../../fixtures/tls');

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(session: ClientHttp2Session, headers: Record<string, string>, body?: Buffer | string): Promise<Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (all) => {
    trailers = all;
  });
  // Both at once: a short answer is over before anybody who waits for its header could begin to read.
  const [[answered], received] = await Promise.all([once(stream, 'response'), bodyOf(stream)]);
  return { headers: answered, trailers, body: received.toString('latin1') };
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function withSession(room: Http2Room, options: ClientSessionOptions, run: (session: ClientHttp2Session) => Promise<void>) {
  const session = connect(`http://127.0.0.1:${room.port}`, options);
  try {
    await run(session);
  } finally {
    const closed = once(session, 'close');
    session.close();
    await closed;
  }
}

/** An empty HealthCheckRequest. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 0]);
const CHECK = { ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers' };

it.each<readonly [string, ClientSessionOptions]>([
  ['as it comes', {}],
  ['with no header table', { settings: { headerTableSize: 0 } }],
  ['with a small header table', { settings: { headerTableSize: 100 } }],
  ['with a large header table', { settings: { headerTableSize: 65_536 } }],
  ['with windows of ten bytes', { settings: { initialWindowSize: 10 } }],
])('node:http2 is answered %s', async (_, options) => {
  await using room = await Http2Room.open();
  await withSession(room, options, async (session) => {
    for (let i = 0; i < 3; i++) {
      expect(await ask(session, { ':path': '/' })).toMatchObject({ headers: { ':status': 200 }, body: 'hello world\n' });
      const checked = await ask(session, CHECK, MESSAGE);
      expect(checked).toMatchObject({
        headers: { ':status': 200 },
        body: '\0\0\0\0\x02\x08\x01',
        trailers: { 'grpc-status': '0' },
      });
    }
    const text = 'x'.repeat(300_000);
    expect(await ask(session, { ':method': 'POST', ':path': '/echo' }, text)).toMatchObject({
      body: text,
      trailers: { 'x-length': '300000' },
    });
    const all = await Promise.all(
      Array.from({ length: 100 }, (__, i) => ask(session, { ':method': 'POST', ':path': '/echo' }, `${i}`)),
    );
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 100 }, (__, i) => `${i}`));
  });
  expect(room.application.bugs).toEqual([]);
  expect(room.application.failures).toEqual([]);
});

it('ten megabytes go either way, over small windows as over large ones', async () => {
  await using room = await Http2Room.open();
  for (const initialWindowSize of [1_000, 65_535, 10_000_000]) {
    await withSession(room, { settings: { initialWindowSize } }, async (session) => {
      await once(session, 'connect');
      session.setLocalWindowSize(1_000_000);
      const { body } = await ask(session, { ':path': '/big/10000000' });
      expect(body.length).toBe(10_000_000);
      const echoed = await ask(session, { ':method': 'POST', ':path': '/echo' }, Buffer.alloc(10_000_000, 'y'));
      expect(echoed.body.length).toBe(10_000_000);
      expect(echoed.trailers['x-length']).toBe('10000000');
    });
  }
});

it.each(['http', 'https'])(
  'every byte arrives as it was, though buffers are used again and peers are slow: %s',
  async (scheme) => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(TLS, name)));
    await using room = await Http2Room.open({}, undefined, scheme === 'https' ? { cert, key } : undefined);
    const sessions = Array.from({ length: 6 }, () =>
      connect(`${scheme}://127.0.0.1:${room.port}`, { rejectUnauthorized: false, settings: { initialWindowSize: 16_000_000 } }),
    );
    await Promise.all(sessions.map((session) => once(session, 'connect')));
    const talks = sessions.map(async (session) => {
      session.setLocalWindowSize(16_000_000);
      const bodies = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const sent = randomBytes(700_000);
          const stream = session.request({ ':method': 'POST', ':path': '/echo' });
          stream.end(sent);
          const chunks: Buffer[] = [];
          for await (const chunk of stream) {
            chunks.push(chunk);
            // Small answers find their way between the large ones.
            if (chunks.length % 16 === 0) expect((await ask(session, { ':path': '/' })).body).toBe('hello world\n');
          }
          return Buffer.concat(chunks).equals(sent);
        }),
      );
      session.close();
      return bodies;
    });
    expect((await Promise.all(talks)).flat()).toEqual(new Array(18).fill(true));
    await expect.poll(() => room.engine.connections.length).toBe(0);
    expect(room.application.failures).toEqual([]);
  },
);

it('TLS is served by the same engine', async () => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(TLS, name)));
  await using room = await Http2Room.open({}, undefined, { cert, key });
  const session = connect(`https://127.0.0.1:${room.port}`, { rejectUnauthorized: false });
  expect(await ask(session, CHECK, MESSAGE)).toMatchObject({ body: '\0\0\0\0\x02\x08\x01', trailers: { 'grpc-status': '0' } });
  const text = 'z'.repeat(300_000);
  expect((await ask(session, { ':method': 'POST', ':path': '/echo' }, text)).body).toBe(text);
  session.close();
  await once(session, 'close');
});

it('undici is answered over TLS', async () => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(TLS, name)));
  await using room = await Http2Room.open({}, undefined, { cert, key });
  const agent = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } });
  const origin = `https://127.0.0.1:${room.port}`;
  for (let i = 0; i < 3; i++) {
    const hello = await fetch(`${origin}/`, { dispatcher: agent });
    expect([hello.status, await hello.text()]).toEqual([200, 'hello world\n']);
    const text = 'u'.repeat(100_000);
    const echoed = await fetch(`${origin}/echo`, { method: 'POST', body: text, dispatcher: agent });
    expect(await echoed.text()).toBe(text);
  }
  await agent.close();
  expect(room.application.bugs).toEqual([]);
});

/** The paths of `http2-room.ts` as node:http2 serves them. */
function answerOnNode(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const path = headers[':path'] ?? '';
  if (path === '/') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end('hello world\n');
  } else if (path === '/echo') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-length': `${length}`, 'grpc-status': '0' }));
    stream.pipe(stream);
  } else {
    stream.respond({ ':status': 404, 'content-type': 'text/plain' });
    stream.end(`nothing at ${path}\n`);
  }
}

const exchange = fc.record({
  path: fc.constantFrom('/', '/echo', '/echo', '/elsewhere'),
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  chunks: fc.array(fc.nat(30_000), { maxLength: 4 }),
  field: fc.stringMatching(/^[a-z0-9]{0,200}$/),
});
const windows = fc.constantFrom(100, 5_000, 65_535, 1_000_000);
const { parameters, title, timeoutMs } = randomRuns(40);

it(`random exchanges go as they go on node:http2 ${title}`, { timeout: timeoutMs }, async () => {
  await using room = await Http2Room.open();
  const peer = createServer();
  peer.on('stream', answerOnNode);
  peer.listen(0, '127.0.0.1');
  await once(peer, 'listening');
  // It listens on a port, not on a pipe.
  const ports = [room.port, (peer.address() as AddressInfo).port];
  const answersAt = async (port: number | undefined, exchanges: readonly Exchange[], initialWindowSize: number) => {
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize } });
    const answers = await Promise.all(exchanges.map((each) => answerTo(session, each)));
    session.close();
    await once(session, 'close');
    return answers;
  };
  const property = fc.asyncProperty(fc.array(exchange, { minLength: 1, maxLength: 8 }), windows, async (exchanges, window) => {
    const [ours, theirs] = await Promise.all(ports.map((port) => answersAt(port, exchanges, window)));
    expect(ours).toEqual(theirs);
  });
  await fc.assert(property, parameters);
  peer.close();
  await once(peer, 'close');
  expect(room.application.bugs).toEqual([]);
  expect(room.application.failures).toEqual([]);
});

type Exchange = typeof exchange extends fc.Arbitrary<infer T> ? T : never;

async function answerTo(session: ClientHttp2Session, { path, method, chunks, field }: Exchange): Promise<unknown> {
  const headers = { ':method': method, ':path': path, 'x-field': field };
  const body = method === 'GET' ? undefined : Buffer.concat(chunks.map((length, i) => Buffer.alloc(length, i)));
  const answer = await ask(session, headers, body);
  const { ':status': status, 'content-type': type } = answer.headers;
  return { status, type, body: answer.body, length: answer.trailers['x-length'], grpc: answer.trailers['grpc-status'] };
}

const RAW = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
} as const;

function method(path: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  return { path, requestStream, responseStream, ...RAW };
}

it('grpc-js calls, streams both ways, and cancels', async () => {
  await using room = await Http2Room.open();
  const client = new Client(`127.0.0.1:${room.port}`, credentials.createInsecure());
  const check = method('/grpc.health.v1.Health/Check', false, false);
  for (let i = 0; i < 3; i++) {
    const deadline = new Metadata();
    deadline.set('x-mark', `${i}`);
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      client.makeUnaryRequest(
        check.path,
        check.requestSerialize,
        check.responseDeserialize,
        Buffer.alloc(0),
        deadline,
        { deadline: Date.now() + 60_000 },
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
    expect(answer).toEqual(Buffer.from([8, 1]));
  }

  const watch = client.makeServerStreamRequest(
    '/grpc.health.v1.Health/Watch',
    RAW.requestSerialize,
    RAW.responseDeserialize,
    Buffer.alloc(0),
  );
  const cancelled = once(watch, 'error');
  const [first] = await once(watch, 'data');
  expect(first).toEqual(Buffer.from([8, 2]));
  expect(room.application.watchers).toHaveLength(1);
  room.application.flip();
  expect((await once(watch, 'data'))[0]).toEqual(Buffer.from([8, 2]));
  watch.cancel();
  await cancelled;
  await expect.poll(() => room.application.watchers.length).toBe(0);

  const echo = client.makeBidiStreamRequest('/echo', RAW.requestSerialize, RAW.responseDeserialize);
  for (const text of ['one', 'two', 'x'.repeat(100_000)]) {
    echo.write(Buffer.from(text));
    expect((await once(echo, 'data'))[0].toString()).toBe(text);
  }
  const status = once(echo, 'status');
  echo.end();
  echo.resume();
  expect((await status)[0]).toMatchObject({ code: 0 });
  client.close();
  expect(room.application.bugs).toEqual([]);
  expect(room.application.failures).toEqual([]);
});
