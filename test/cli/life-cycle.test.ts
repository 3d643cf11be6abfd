import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { answerOf, NACOS_NOT_READY, nacos, nacosProbes, register } from '../support/server.ts';

/** A process from the moment it is ready to its end, as whoever supervises it sees it. */

const connect = HEALTH_CLIENTS['gRPC (grpc-js)'];

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-life-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Watches the bridge itself. Resolves when it says that it goes, having been sent the signal. */
async function signalled(bridge: Process, signal: NodeJS.Signals): Promise<void> {
  using client = connect(bridge.listeners.health);
  const ended = new AbortController();
  for await (const status of client.watch('', ended.signal)) {
    if (status === 'SERVING') bridge.child.kill(signal);
    else return;
  }
}

const pages = async (bridge: Process, path: string) =>
  Promise.all(
    Object.values(bridge.listeners).map(async (address) => {
      // A connection of its own: new ones are taken.
      const response = await fetch(`http://${address}${path}`, { headers: { connection: 'close' } });
      return [response.status, await response.text()];
    }),
  );

describe('the drain delay', () => {
  it('SIGTERM flips readiness at once, and all else is answered, over new connections too, until a second one ends it', async () => {
    await using bridge = await startProcess([...FREE_PORTS, '--drain-delay', '60000']);
    await register(bridge, 'orders');
    using client = connect(bridge.listeners.health);
    const seen: string[] = [];
    const watching = (async () => {
      for await (const status of client.watch('orders', new AbortController().signal)) seen.push(status);
    })();
    watching.catch(() => {});
    await signalled(bridge, 'SIGTERM');

    expect((await pages(bridge, '/readyz')).map(([status]) => status)).toEqual([503, 503, 503]);
    expect((await pages(bridge, '/readyz?verbose'))[0]?.[1]).toContain('[-]drain under way\nreadyz check failed\n');
    expect(await pages(bridge, '/livez')).toEqual([0, 1, 2].map(() => [200, 'ok\n']));
    expect((await pages(bridge, '/health')).map(([status]) => status)).toEqual([503, 503, 503]);
    expect(await nacosProbes(bridge)).toEqual(NACOS_NOT_READY);
    const headers = { connection: 'close' };
    const orders = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };
    expect(await answerOf(nacos(bridge, 'PUT', '/instance/beat', orders, { headers }))).toMatchObject({ status: 200 });
    await register(bridge, 'payments');
    using another = connect(bridge.listeners.health);
    expect(await another.check('payments')).toBe('SERVING');
    expect(await another.check('')).toBe('NOT_SERVING');
    // What is watched goes on to be told.
    await nacos(bridge, 'DELETE', '/instance', orders);
    await expect.poll(() => seen).toEqual(['SERVING', 'NOT_SERVING']);

    expect(await bridge.stop('SIGTERM')).toBe('SIGTERM');
    await expect(watching).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is over in its time, and then comes the rest', async () => {
    await using bridge = await startProcess([...FREE_PORTS, '--drain-delay', '300']);
    const started = performance.now();
    expect(await bridge.stop('SIGTERM')).toBe(0);
    expect(performance.now() - started).toBeGreaterThanOrEqual(299);
  });

  it('there is one by default where there is no terminal', async () => {
    await using bridge = await startProcess(FREE_PORTS, { BEATBRIDGE_DRAIN_DELAY: 'auto' });
    await signalled(bridge, 'SIGINT');
    expect((await pages(bridge, '/readyz')).map(([status]) => status)).toEqual([503, 503, 503]);
    expect(await bridge.stop('SIGINT')).toBe('SIGINT');
  });
});

it('a server that cannot be closed in order says why, and ends with exit code 1', async () => {
  const fails = 'process.getBuiltinModule("net").Server.prototype.close = () => { throw new Error("no end"); };';
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(fails)}` };
  await using bridge = await startProcess(FREE_PORTS, env);
  const closed = once(bridge.child, 'close');
  expect(await bridge.stop('SIGTERM')).toBe(1);
  await closed;
  const lines = bridge.log().trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    level: 'error',
    msg: 'it could not be closed in order',
    err: { message: 'no end' },
  });
});

describe('a store that cannot be written', () => {
  it('is said by readyz, which stays 200, until it can be written again', async () => {
    await using bridge = await startProcess([...FREE_PORTS, '--data-dir', join(folder, 'data')]);
    const bound = (bytes: string) => execFileSync('prlimit', ['--pid', String(bridge.child.pid), `--fsize=${bytes}:`]);
    expect((await pages(bridge, '/readyz?verbose'))[0]?.[1]).toContain('[+]store ok\n');
    bound('1');
    const persistent = { serviceName: 'orders', ip: '10.0.0.1', port: 80, ephemeral: 'false' };
    expect((await nacos(bridge, 'POST', '/instance', persistent)).status).toBe(503);
    expect(await pages(bridge, '/readyz')).toEqual([0, 1, 2].map(() => [200, 'ok\n']));
    expect((await pages(bridge, '/readyz?verbose'))[0]?.[1]).toMatch(/^\[-\]store failed: .+\n[\s\S]*readyz check passed\n$/);
    bound('unlimited');
    await expect
      .poll(async () => (await pages(bridge, '/readyz?verbose'))[0]?.[1], { timeout: 15_000 })
      .toContain('[+]store ok\n');
  });

  it('what is only remembered after a restart is counted', async () => {
    const args = [...FREE_PORTS, '--data-dir', join(folder, 'counted')];
    {
      await using before = await startProcess(args);
      await register(before, 'orders');
      await register(before, 'orders', { port: 81 });
      expect(await before.stop('SIGTERM')).toBe(0);
    }
    await using after = await startProcess(args);
    const counts = async () => /\[\+\]registry (.*)/.exec(String((await pages(after, '/readyz?verbose'))[0]?.[1]))?.[1];
    expect(await counts()).toBe('1 services, 2 instances (2 not heard of since a restart)');
    await nacos(after, 'PUT', '/instance/beat', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
    expect(await counts()).toBe('1 services, 2 instances (1 not heard of since a restart)');
    await nacos(after, 'DELETE', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 81 });
    expect(await counts()).toBe('1 services, 1 instances');
  });
});

describe('systemd', () => {
  /** A program of that name that writes down what it is told. */
  function recorder(name: string, code = 0) {
    const bin = mkdtempSync(join(folder, 'bin-'));
    const file = join(bin, 'told');
    writeFileSync(file, '');
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$@" >> '${file}'\nexit ${code}\n`, { mode: 0o755 });
    return { path: `${bin}:${process.env.PATH}`, told: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) };
  }

  it('is told that the bridge is ready, that its loop turns, and that it stops', async () => {
    const { path, told } = recorder('systemd-notify');
    const env = { PATH: path, NOTIFY_SOCKET: '/run/nowhere', WATCHDOG_USEC: '100000' };
    await using bridge = await startProcess([...FREE_PORTS, '--drain-delay', '300'], env);
    await expect.poll(() => told().length).toBeGreaterThanOrEqual(4);
    expect(told().slice(0, 4)).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    expect(await bridge.stop('SIGTERM')).toBe(0);
    expect(told()).toContain('STOPPING=1');
    // The drain takes its time, and is no hang.
    expect(told().slice(told().indexOf('STOPPING=1'))).toContain('WATCHDOG=1');
    expect(bridge.log()).not.toContain('systemd');
  });

  it('is told of no loop if its watchdog is for another process', async () => {
    const { path, told } = recorder('systemd-notify');
    const env = { PATH: path, NOTIFY_SOCKET: '/run/nowhere', WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' };
    await using bridge = await startProcess([...FREE_PORTS, '--drain-delay', '100'], env);
    expect(await bridge.stop('SIGTERM')).toBe(0);
    await expect.poll(told).toEqual(['READY=1', 'STOPPING=1']);
  });

  it('is told nothing if it has not asked', async () => {
    const { path, told } = recorder('systemd-notify');
    await using bridge = await startProcess(FREE_PORTS, { PATH: path });
    expect(await bridge.stop('SIGTERM')).toBe(0);
    expect(told()).toEqual([]);
  });

  it.each([
    ['there is no systemd-notify', () => mkdtempSync(join(folder, 'empty-')), 127],
    ['systemd-notify fails', () => recorder('systemd-notify', 3).path, 3],
  ])('where %s a line says so, once, and the bridge is served', async (_, path, exitCode) => {
    const env = { PATH: path(), NOTIFY_SOCKET: '/run/nowhere', WATCHDOG_USEC: '20000' };
    await using bridge = await startProcess(FREE_PORTS, env);
    await expect.poll(bridge.log).toContain(`"exitCode":${exitCode}`);
    expect((await pages(bridge, '/readyz')).map(([status]) => status)).toEqual([200, 200, 200]);
    expect(await bridge.stop('SIGTERM')).toBe(0);
    expect(bridge.log().match(/systemd is not told how it goes/g)).toHaveLength(1);
  });
});

describe('the hang limit', () => {
  /** On SIGUSR2 the loop never turns again. */
  const HANGS = 'process.on("SIGUSR2", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));';
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(HANGS)}` };

  it('kills a process whose event loop hangs, with a line that says why', async () => {
    await using bridge = await startProcess([...FREE_PORTS, '--hang-limit', '500'], env);
    const closed = once(bridge.child, 'close');
    expect(await bridge.stop('SIGUSR2')).toBe('SIGKILL');
    await closed;
    const text = 'beatbridge: the event loop has not turned for 500 ms (--hang-limit), the process is killed\n';
    expect(bridge.log().slice(-text.length)).toBe(text);
  });

  it('takes a process that was stopped for none that hangs, and lets one end in order', async () => {
    await using bridge = await startProcess([...FREE_PORTS, '--hang-limit', '200']);
    for (let i = 0; i < 3; i++) {
      bridge.child.kill('SIGSTOP');
      // A stopped process tells of nothing: it has to be stopped for longer than its limit.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      bridge.child.kill('SIGCONT');
      expect((await pages(bridge, '/livez'))[0]).toEqual([200, 'ok\n']);
    }
    expect(await bridge.stop('SIGTERM')).toBe(0);
  });

  it('is off by default', async () => {
    const { stdout } = await run(['config', 'print', '--json']);
    expect(JSON.parse(stdout).hangLimitMs).toEqual({ value: 0, source: 'default' });
  });
});
