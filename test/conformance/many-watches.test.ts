import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { parseHealthName } from '../../src/health/names.ts';
import { Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import { healthOf } from '../support/health.ts';
import { HOME } from '../support/instances.ts';
import { LIMITS } from '../support/limits.ts';
import { startProcess } from '../support/process.ts';
import { register, setEnabled, startServer } from '../support/server.ts';

const SESSIONS = 10;
const STREAMS_EACH = 1_000;

function frame(service: string): Buffer {
  const name = Buffer.from(service);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, name.length + 2, 0x0a, name.length]), name]);
}

/** A gRPC Watch by hand, as a client with ten thousand of them has to be frugal: the last byte of a message is the status. */
function watch(session: ClientHttp2Session, service: string, seen: number[], arrived: () => void) {
  const headers = {
    ':path': '/grpc.health.v1.Health/Watch',
    ':method': 'POST',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const stream = session.request(headers);
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    for (let at = 6; at < chunk.length; at += 7) seen.push(chunk[at] ?? -1);
    arrived();
  });
  stream.end(frame(service));
  return stream;
}

it('ten thousand watches flip, none misses the final state and none is told one twice', async () => {
  await using bridge = await startProcess();
  await register(bridge, 'orders', { ephemeral: 'false' });
  const sessions = Array.from({ length: SESSIONS }, () => connectHttp2(`http://${bridge.listeners.health}`));
  await Promise.all(sessions.map((session) => once(session, 'remoteSettings')));
  const seen = Array.from({ length: SESSIONS * STREAMS_EACH }, (): number[] => []);
  let wanted = 1;
  let done = () => {};
  const arrived = () => {
    if (seen.every((statuses) => statuses.at(-1) === wanted)) done();
  };
  const all = (status: number) =>
    new Promise<void>((resolve) => {
      wanted = status;
      done = resolve;
      arrived();
    });

  const started = all(1);
  seen.forEach((statuses, i) => {
    const session = sessions[i % SESSIONS];
    if (session) watch(session, 'orders', statuses, i % 97 === 0 || i === seen.length - 1 ? arrived : () => {});
  });
  const look = setInterval(arrived, 50);
  try {
    await started;
    for (const enabled of [false, true, false]) {
      const flipped = all(enabled ? 1 : 2);
      await setEnabled(bridge, 'orders', enabled);
      await flipped;
    }
    expect(seen.every((statuses) => statuses.join() === '1,2,1,2')).toBe(true);
    // As fast as can be said: states in between may be skipped, but not the last, and nothing is said twice.
    for (let i = 0; i < 20; i++) await setEnabled(bridge, 'orders', i % 2 === 0);
    await setEnabled(bridge, 'orders', true);
    await all(1);
  } finally {
    clearInterval(look);
    for (const session of sessions) session.destroy();
  }
  expect(seen.every((statuses) => statuses.every((status, i) => status !== statuses[i - 1]))).toBe(true);
});

// A process cannot be started with this flag from here, but it can be set.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapAfterCollecting(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

it('a million names that were watched and ended leave memory where it was', () => {
  const health = healthOf(new Registry(() => 0));
  const watches = new Watches(health, LIMITS);
  const watcher = { connection: {}, ip: '127.0.0.1' };
  const churn = (count: number, prefix: string) => {
    for (let i = 0; i < count; i++) {
      const name = parseHealthName(`${prefix}${i}`, HOME);
      const watch = name && watches.open(name, watcher, { wake() {}, giveWay() {} });
      expect(watch?.take()).toBe('unknown');
      watch?.close();
    }
  };
  churn(10_000, 'warm');
  const before = heapAfterCollecting();
  churn(1_000_000, 'name');
  expect(watches.keyCount).toBe(0);
  expect(heapAfterCollecting() - before).toBeLessThan(5 << 20);
});

it('twenty thousand names watched and cancelled over sockets leave memory where it was', async () => {
  await using server = await startServer();
  const churn = async (count: number, prefix: string) => {
    for (let i = 0; i < count; i += 500) {
      // A session of its own for each few: cancelling more than a thousand on one is taken for an attack, by Node itself.
      const session = connectHttp2(`http://${server.listeners.health}`);
      await once(session, 'remoteSettings');
      const ends = Array.from({ length: 500 }, async (_, j) => {
        const { promise, resolve } = deferred();
        const stream = watch(session, `${prefix}${i + j}`, [], resolve);
        await promise;
        const closed = once(stream, 'close');
        stream.close();
        await closed;
      });
      await Promise.all(ends);
      const closed = once(session, 'close');
      session.close();
      await closed;
    }
  };
  await churn(2_000, 'warm');
  const before = heapAfterCollecting();
  await churn(20_000, 'name');
  await new Promise((resolve) => setImmediate(resolve));
  expect(heapAfterCollecting() - before).toBeLessThan(5 << 20);
});

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
