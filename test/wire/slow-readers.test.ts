import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Serve } from '../../src/wire/exchange.ts';
import { listen, type OpenPort } from '../../src/wire/listener.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { dial } from '../support/raw.ts';

failOnLeaks();

const STALL_MS = 500;
/** More than the system takes for both ends of a connection. */
const LONG = 'x'.repeat(40_000_000);
let port: OpenPort | undefined;
afterEach(() => port?.close(AbortSignal.abort()));

/** What is served, and how many connections have ended. */
async function serving(request: Serve, keepAliveTimeoutMs = 4 * STALL_MS) {
  let closed = 0;
  const noted: Serve = (req, res) => {
    req.socket.once('close', () => closed++);
    return request(req, res);
  };
  const limits = { ...LIMITS, stallTimeoutMs: STALL_MS, keepAliveTimeoutMs };
  port = await listen('127.0.0.1', 0, { request: noted }, { limits, scheduler: systemScheduler });
  return { address: port.address, closed: () => closed };
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('over HTTP/1.1', () => {
  it('whoever takes nothing of its answer for a while is ended', async () => {
    // For idleness nobody is ended in this test.
    const { address, closed } = await serving((_, res) => void res.end(LONG), 600_000);
    const socket = await dial(address);
    socket.pause();
    const started = performance.now();
    socket.write(GET);
    await expect.poll(closed, { interval: 10 }).toBe(1);
    expect(performance.now() - started).toBeGreaterThanOrEqual(STALL_MS);
    socket.destroy();
  });

  it('whoever takes some of it now and then is not', async () => {
    const { address, closed } = await serving((_, res) => void res.end(LONG));
    const socket = await dial(address);
    let heard = 0;
    socket.on('data', ({ length }) => {
      heard += length;
      socket.pause();
      // A clock is what this is about: slower than its patience in all, and never for as long at once.
      if (heard < 30_000_000) setTimeout(() => socket.resume(), 2);
      else socket.resume();
    });
    socket.write(GET);
    const started = performance.now();
    await expect.poll(() => heard, { interval: 10, timeout: 60_000 }).toBeGreaterThan(LONG.length);
    expect(performance.now() - started).toBeGreaterThan(2 * STALL_MS);
    const whole = performance.now();
    // It may be idle now as any other may, whatever its answer took.
    await expect.poll(closed, { interval: 10, timeout: 10_000 }).toBe(1);
    expect(performance.now() - whole).toBeGreaterThan(2 * STALL_MS);
    socket.destroy();
  });

  it('whoever waits for an answer may wait for longer, and then be idle for longer', async () => {
    const { address } = await serving((_, res) => void setTimeout(() => res.end('late'), 2.5 * STALL_MS));
    const socket = await dial(address);
    socket.write(GET);
    const [late] = await once(socket, 'data');
    expect(String(late)).toContain('late');
    const answered = performance.now();
    socket.resume();
    await once(socket, 'close');
    expect(performance.now() - answered).toBeGreaterThanOrEqual(3 * STALL_MS);
  });
});
