import { once } from 'node:events';
import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer as createRelay, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GrpcConnection, timeoutText } from '../../src/cli/client/grpc.ts';
import { watchHealth } from '../../src/cli/client/health-calls.ts';
import { namedStatuses, Pulse } from '../../src/cli/client/named-statuses.ts';
import type { Target } from '../../src/cli/client/target.ts';
import { run, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

/** A gRPC server that answers a Watch as it is told. */
async function serving(onStream: (stream: ServerHttp2Stream, session: Http2Session, headers: IncomingHttpHeaders) => void) {
  const server = createServer()
    .on('stream', (stream, headers) => stream.session && onStream(stream, stream.session, headers))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

const targetAt = (port: number, rpcTimeoutMs: number): Target => ({
  addr: `127.0.0.1:${port}`,
  where: { host: '127.0.0.1', port },
  tls: undefined,
  authorization: undefined,
  connectTimeoutMs: 5_000,
  rpcTimeoutMs,
  userAgent: 'test',
});

/** SERVING, in a frame. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

describe('a Watch', () => {
  it('whose first answer does not come in time has failed', async () => {
    const port = await serving(() => {});
    using connection = await GrpcConnection.open(targetAt(port, 50));
    const { signal } = new AbortController();
    await expect(watchHealth(connection, 'orders', signal).next()).rejects.toThrow('DEADLINE_EXCEEDED: no answer within 50 ms');
  });

  it('goes on in silence while PINGs are answered, and ends when they are not', async () => {
    let pings = 0;
    const port = await serving((stream, session) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(SERVING);
      session.on('ping', () => {
        pings++;
      });
    });
    // What is between takes all, and hands nothing on any more.
    const sockets: Socket[] = [];
    const relay = createRelay((socket) => {
      const upstream = connect(port, '127.0.0.1');
      for (const one of [socket, upstream]) sockets.push(one.on('error', () => {}));
      socket.pipe(upstream).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      relay.close();
    });
    const address = relay.address();
    const relayed = address !== null && typeof address === 'object' ? address.port : 0;
    using connection = await GrpcConnection.open(targetAt(relayed, 5_000));
    connection.askWhetherThere(10, 300);
    const watch = watchHealth(connection, 'orders', new AbortController().signal);
    expect(await watch.next()).toEqual({ done: false, value: 'SERVING' });
    const next = watch.next().catch((error) => error.message);
    await expect.poll(() => pings).toBeGreaterThan(3);
    expect(connection.wantsCalm).toBe(false);
    for (const socket of sockets) socket.unpipe().pause();
    expect(await next).toBe('UNAVAILABLE: it does not answer a PING within 300 ms');
  });

  it('that asks a server too often whether it is there, does so seldom from then on', async () => {
    const port = await serving((stream, session) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(SERVING);
      session.goaway(11);
    });
    const pulse = new Pulse();
    const watched = namedStatuses(targetAt(port, 5_000), ['orders'], pulse, new AbortController().signal);
    const all = async () => {
      for await (const _ of watched);
    };
    await expect(all()).rejects.toThrow('UNAVAILABLE');
    expect(pulse.everyMs).toBeGreaterThan(300_000);
  });
});

describe('beatbridge watch', () => {
  it('tells of every name, however many there are', async () => {
    await using bridge = await startProcess();
    const names = Array.from({ length: 1_200 }, (_, i) => `service-${i}`);
    const args = ['watch', ...names, '--until', 'SERVICE_UNKNOWN', '--timeout', '30s', '--addr', bridge.listeners.main];
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(new Set(stdout.trimEnd().split('\n')).size).toBe(1_200);
  });

  it('of all there are waits until it has heard of each', async () => {
    await using bridge = await startProcess();
    await register(bridge, 'a-good', { ephemeral: 'false' });
    await register(bridge, 'b-bad', { ephemeral: 'false', enabled: 'false' });
    await register(bridge, 'c-good', { ephemeral: 'false' });
    for (const [status, other] of [
      ['SERVING', 'b-bad is NOT_SERVING'],
      ['NOT_SERVING', 'a-good is SERVING'],
    ] as const) {
      const said = await run(['watch', '--all', '--until', status, '--timeout', '700ms', '--addr', bridge.listeners.main]);
      expect(said).toMatchObject({ code: 124, stderr: expect.stringContaining(other) });
      expect(said.stdout.trimEnd().split('\n')).toHaveLength(3);
    }
  });

  it('ends where it is never answered: 3', async () => {
    const port = await serving(() => {});
    expect(await run(['watch', 'orders', '--addr', `127.0.0.1:${port}`, '--rpc-timeout', '200ms'])).toEqual({
      code: 3,
      stdout: '',
      stderr: 'beatbridge: DEADLINE_EXCEEDED: no answer within 200 ms\n',
    });
  });
});

describe('a call of gRPC', () => {
  it.each([
    [1, '1m'],
    [99_999_999, '99999999m'],
    [172_800_000, '172800S'],
    [2_147_483_647, '2147484S'],
  ])('says how long it waits in eight digits at most: %d ms', (ms, text) => expect(timeoutText(ms)).toBe(text));
});

describe('beatbridge check', () => {
  it('sends what the probe sends: bytes in base64, and a time that gRPC can read', async () => {
    const heard: IncomingHttpHeaders[] = [];
    const port = await serving((stream, _, headers) => {
      heard.push(headers);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(SERVING);
    });
    const flags = ['-rpc-header', 'y-bin: ab', '-rpc-header', 'x: ab', '-rpc-timeout=48h', '-v=true'];
    const { code, stderr } = await run(['check', `-addr=127.0.0.1:${port}`, ...flags]);
    expect(code).toBe(0);
    expect(stderr).toContain('connecting to');
    expect(heard).toEqual([expect.objectContaining({ 'y-bin': 'YWI', x: 'ab', 'grpc-timeout': '172800S' })]);
  });
});
