import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { fixedPorts } from '../support/ports.ts';
import { CLI, type Process, startProcess } from '../support/process.ts';
import { answerOf, deregister, nacos } from '../support/server.ts';

const connect = HEALTH_CLIENTS['gRPC (grpc-js)'];

/** For all that leave it as they found it. */
let bridge: Process;
beforeAll(async () => {
  bridge = await startProcess();
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
});

interface Registering {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly exit: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

function registering(addr: string, ...args: string[]): Registering {
  const child = spawn(process.execPath, [CLI, 'register', ...args], {
    env: { ...process.env, BEATBRIDGE_ADDR: addr },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.err += chunk;
  });
  // Node gives these two with it.
  const exit = once(child, 'close') as Registering['exit'];
  return { child, out: () => said.out, err: () => said.err, exit };
}

async function hosts(bridge: Pick<Process, 'listeners'>, serviceName: string): Promise<readonly string[]> {
  const { body } = await answerOf(nacos(bridge, 'GET', '/instance/list', { serviceName, healthyOnly: 'true' }));
  return (body as { hosts: { ip: string; port: number }[] }).hosts.map(({ ip, port }) => `${ip}:${port}`);
}

describe('beatbridge register --beat', () => {
  it('is served as long as it runs, far beyond its timeout, and says goodbye', async () => {
    const one = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', '--beat', '--interval', '1s');
    using client = connect(bridge.listeners.health);
    const seen: string[] = [];
    const ended = new AbortController();
    const watched = async () => {
      for await (const status of client.watch('orders', ended.signal)) {
        seen.push(status);
        // No event tells of what does not happen: beats come at their own pace, and without them it would be unhealthy after 3 s.
        if (status === 'SERVING') setTimeout(() => one.child.kill('SIGTERM'), 4_000);
        if (seen.includes('SERVING') && status !== 'SERVING') ended.abort();
      }
    };
    await watched().catch(() => {});
    expect(seen.filter((status) => status !== 'SERVICE_UNKNOWN')).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await one.exit).toEqual([0, null]);
    expect(one.out()).toBe('10.0.0.1:80 of orders: registered\n10.0.0.1:80 of orders: deregistered\n');
    expect(one.err()).toBe('beatbridge: SIGTERM: 10.0.0.1:80 of orders is taken away\n');
    expect(await hosts(bridge, 'orders')).toEqual([]);
  });

  it('goes on through a restart of the server, which knows nothing of it any more', async () => {
    const ports = await fixedPorts();
    const args = [...ports, '--data-dir', 'none'];
    const first = await startProcess(args);
    const one = registering(first.listeners.main, 'orders', '10.0.0.1:80', '--beat', '--interval', '300ms', '--metadata', 'a=b');
    await expect.poll(one.out).toBe('10.0.0.1:80 of orders: registered\n');
    await first.stop('SIGKILL');
    await expect.poll(one.err).toContain('is not kept alive now, and it is tried again: ');
    await using second = await startProcess(args);
    await expect.poll(one.out).toBe('10.0.0.1:80 of orders: registered\n10.0.0.1:80 of orders: registered again\n');
    expect(await hosts(second, 'orders')).toEqual(['10.0.0.1:80']);
    // Once for the whole of it.
    expect(one.err().match(/not kept alive/g)).toHaveLength(1);
    one.child.kill('SIGINT');
    expect(await one.exit).toEqual([0, null]);
    expect(await hosts(second, 'orders')).toEqual([]);
  });

  it('registers again what somebody has taken away, and waits for a server that is still to come', async () => {
    const ports = await fixedPorts();
    const addr = `127.0.0.1:${ports[3]}`;
    const one = registering(addr, 'orders', '10.0.0.1:80', '--beat', '--interval', '300ms');
    await expect.poll(one.err).toContain('tried again');
    await using bridge = await startProcess([...ports, '--data-dir', 'none']);
    expect(bridge.listeners.main).toBe(addr);
    await expect.poll(one.out).toBe('10.0.0.1:80 of orders: registered\n');
    await deregister(bridge, 'orders');
    await expect.poll(one.out).toContain('registered again\n');
    expect(await hosts(bridge, 'orders')).toEqual(['10.0.0.1:80']);
    one.child.kill('SIGTERM');
    expect(await one.exit).toEqual([0, null]);
  });

  it('at the end says that it could not say goodbye, and a second signal ends it at once', async () => {
    const bridge = await startProcess();
    const one = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', '--beat');
    const two = registering(bridge.listeners.main, 'orders', '10.0.0.2:80', '--beat');
    await expect.poll(one.out).toContain('registered');
    await expect.poll(two.out).toContain('registered');
    // It takes connections and answers nobody.
    bridge.child.kill('SIGSTOP');
    two.child.kill('SIGTERM');
    await expect.poll(two.err).toContain('SIGTERM: 10.0.0.2:80 of orders is taken away');
    two.child.kill('SIGTERM');
    expect(await two.exit).toEqual([null, 'SIGTERM']);
    bridge.child.kill('SIGCONT');
    await bridge.stop('SIGKILL');
    one.child.kill('SIGTERM');
    expect(await one.exit).toEqual([2, null]);
    expect(one.err()).toMatch(/10\.0\.0\.1:80 of orders could not be deregistered: .*cannot be reached/);
  });

  it('is refused at once where it cannot be registered: 3', async () => {
    const one = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', '--beat', '--cluster', 'a b');
    expect(await one.exit).toEqual([3, null]);
    expect(one.err()).toMatch(/^beatbridge: [^\n]*cluster[^\n]*\n$/);
  });
});

describe('beatbridge register', () => {
  it('believes no server that answers like none: 3', async () => {
    for (const body of ['<html>hello', '{"hello":1}', '']) {
      const other = createServer((_, res) => void res.end(body)).listen(0, '127.0.0.1');
      await once(other, 'listening');
      onTestFinished(() => void other.close());
      const address = other.address();
      const addr = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : ''}`;
      const reason = `beatbridge: ${addr} does not answer like a beatbridge or Nacos: ${JSON.stringify(body)}\n`;
      const single = registering(addr, 'orders', '10.0.0.1:80');
      expect(await single.exit).toEqual([3, null]);
      expect({ out: single.out(), err: single.err() }).toEqual({ out: '', err: reason });
      const beating = registering(addr, 'orders', '10.0.0.1:80', '--beat');
      expect(await beating.exit).toEqual([3, null]);
      expect({ out: beating.out(), err: beating.err() }).toEqual({ out: '', err: reason });
    }
  });

  it('says where a server leads to that is another one', async () => {
    const other = createServer((_, res) => void res.writeHead(302, { location: 'https://there.test/' }).end());
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = address !== null && typeof address === 'object' ? address.port : '';
    const one = registering(`127.0.0.1:${port}`, 'orders', '10.0.0.1:80');
    expect(await one.exit).toEqual([3, null]);
    expect(one.err()).toBe(
      `beatbridge: 127.0.0.1:${port} answers 302, and leads to https://there.test/: ask that one (--addr)\n`,
    );
  });
});

describe('beatbridge register -- COMMAND', () => {
  const script = (text: string) => ['--', process.execPath, '-e', text];
  /** A program that ends with 7 once it is asked to, by a file. */
  const endingOnceAsked = () => {
    const dir = mkdtempSync(join(tmpdir(), 'beatbridge-register-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, 'end');
    const is = `setInterval(() => { if (fs.existsSync(${JSON.stringify(file)})) process.exit(7); }, 20)`;
    return { is, asked: () => writeFileSync(file, '') };
  };

  it('keeps the instance for as long as the command runs, and ends as it ends', async () => {
    const ending = endingOnceAsked();
    const one = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', ...script(ending.is));
    await expect.poll(() => hosts(bridge, 'orders'), { interval: 20 }).toEqual(['10.0.0.1:80']);
    ending.asked();
    expect(await one.exit).toEqual([7, null]);
    expect(await hosts(bridge, 'orders')).toEqual([]);
  });

  it('takes the instance away before it tells the command to end', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'beatbridge-register-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const seen = join(dir, 'seen');
    const asks = `http://${bridge.listeners.main}/nacos/v1/ns/instance/list?serviceName=orders`;
    const text = `
      process.on('SIGTERM', async () => {
        const { hosts } = await (await fetch('${asks}')).json();
        require('node:fs').writeFileSync('${seen}', String(hosts.length));
        process.exit(3);
      });
      setInterval(() => {}, 1000);
      console.log('listening');`;
    const one = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', ...script(text));
    await expect.poll(() => hosts(bridge, 'orders'), { interval: 20 }).toEqual(['10.0.0.1:80']);
    await expect.poll(one.out).toContain('listening\n');
    one.child.kill('SIGTERM');
    expect(await one.exit).toEqual([3, null]);
    expect(readFileSync(seen, 'utf8')).toBe('0');
  });

  it('is deregistered by SIGHUP as by SIGTERM, which the command is told of then', async () => {
    await using bridge = await startProcess();
    const one = registering(
      bridge.listeners.main,
      'orders',
      '10.0.0.1:80',
      ...script(`process.on('SIGHUP', () => process.exit(5)); setInterval(() => {}, 1000); console.log('listening')`),
    );
    await expect.poll(one.out).toContain('listening\n');
    await expect.poll(one.out).toContain('registered\n');
    one.child.kill('SIGHUP');
    expect(await one.exit).toEqual([5, null]);
    expect(one.out()).toContain('deregistered\n');
    expect(await hosts(bridge, 'orders')).toEqual([]);
  });

  it('keeps the instance and the command when nobody reads what it tells', async () => {
    const ending = endingOnceAsked();
    await using bridge = await startProcess();
    const one = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', '--interval', '300ms', ...script(ending.is));
    for (const name of ['stdout', 'stderr'] as const) one.child[name]?.destroy();
    await expect.poll(() => hosts(bridge, 'orders'), { interval: 20 }).toEqual(['10.0.0.1:80']);
    ending.asked();
    expect(await one.exit).toEqual([7, null]);
    expect(await hosts(bridge, 'orders')).toEqual([]);
  });

  it('ends as a shell would where there is no such command, and where a signal ended it', async () => {
    const none = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', '--', '/nowhere/at/all');
    expect(await none.exit).toEqual([127, null]);
    expect(none.err()).toContain('"/nowhere/at/all" cannot be run: ');
    const killed = registering(bridge.listeners.main, 'orders', '10.0.0.1:80', ...script('process.kill(process.pid, "SIGKILL")'));
    expect(await killed.exit).toEqual([137, null]);
    expect(await hosts(bridge, 'orders')).toEqual([]);
  });

  it('tells the command to end where the instance is refused: 3', async () => {
    const one = registering(
      bridge.listeners.main,
      'orders',
      '10.0.0.1:80',
      '--cluster',
      'a b',
      ...script('setInterval(() => {}, 1000)'),
    );
    expect(await one.exit).toEqual([3, null]);
  });
});
