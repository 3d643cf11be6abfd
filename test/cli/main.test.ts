import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OPTIONS } from '../../src/options.ts';
import { HEALTH_CLIENTS, TLS_HEALTH_CLIENTS } from '../support/health-clients.ts';
import { CLI, FREE_PORTS, run, startProcess } from '../support/process.ts';
import { dial } from '../support/raw.ts';
import { nacos, register, unhealthyAfter } from '../support/server.ts';

const connect = HEALTH_CLIENTS['gRPC (grpc-js)'];

describe('beatbridge serve', () => {
  it('says on one line of standard output where it listens, and nothing else there', async () => {
    await using bridge = await startProcess();
    expect(bridge.stdout.map((line) => JSON.parse(line))).toEqual([{ msg: 'ready', listeners: bridge.listeners }]);
    expect(Object.keys(bridge.listeners)).toEqual(['main', 'grpc', 'health']);
    for (const address of Object.values(bridge.listeners)) {
      expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
      using client = connect(address);
      expect(await client.check('')).toBe('SERVING');
    }
    expect(await bridge.stop('SIGTERM')).toBe(0);
    expect(bridge.stdout).toHaveLength(1);
  });

  it('on SIGTERM ends watches with UNAVAILABLE and exits 0', async () => {
    await using bridge = await startProcess();
    using client = connect(bridge.listeners.health);
    const seen: string[] = [];
    let exit: Promise<unknown> | undefined;
    const watched = async () => {
      for await (const status of client.watch('', new AbortController().signal)) {
        seen.push(status);
        exit ??= bridge.stop('SIGTERM');
      }
    };
    await expect(watched()).rejects.toMatchObject({ code: 'unavailable' });
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await exit).toBe(0);
  });

  it('drains on a signal that comes the moment it has said that it is ready', async () => {
    await using bridge = await startProcess();
    expect(await bridge.stop('SIGTERM')).toBe(0);
  });

  it('on a second signal ends at once', async () => {
    await using bridge = await startProcess();
    // A request that never ends keeps the drain waiting.
    const socket = await dial(bridge.listeners.health);
    socket.write(
      'POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    using client = connect(bridge.listeners.health);
    const watched = async () => {
      for await (const status of client.watch('', new AbortController().signal)) {
        if (status === 'SERVING') bridge.child.kill('SIGTERM');
      }
    };
    await expect(watched()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await bridge.stop('SIGINT')).toBe('SIGINT');
    socket.destroy();
  });

  it('stopped and continued takes no instance for silent whose beat waits to be read', async () => {
    await using bridge = await startProcess();
    using client = connect(bridge.listeners.health);
    const services = Array.from({ length: 20 }, (_, i) => `service-${i}`);
    const metadata = unhealthyAfter(2_000);
    for (const service of services) await register(bridge, service, { metadata });
    const ended = new AbortController();
    setMaxListeners(0, ended.signal);
    const seen = services.map((): string[] => []);
    const watching = services.map(async (service, i) => {
      for await (const status of client.watch(service, ended.signal)) seen[i]?.push(status);
    });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    // From before every deadline to after it: nobody is told when a process has been stopped for long enough.
    await pause(1_300);
    bridge.child.kill('SIGSTOP');
    await pause(900);
    // Each over a connection of its own, as scripts beat: they are accepted one by one when the process goes on.
    const headers = { connection: 'close' };
    const beats = services.map((serviceName) =>
      nacos(bridge, 'PUT', '/instance/beat', { serviceName, ip: '10.0.0.1', port: 80 }, { headers }),
    );
    await pause(50);
    bridge.child.kill('SIGCONT');
    await Promise.all(beats);
    // Over the connection of the watches, and so after whatever they had to say.
    await client.check('');
    ended.abort();
    await Promise.allSettled(watching);
    expect(seen).toEqual(services.map(() => ['SERVING']));
  });

  it('with few descriptors warns, closes who says nothing and logs it, and goes on answering about health', async () => {
    const command = `ulimit -n 256; exec '${process.execPath}' '${CLI}' serve ${FREE_PORTS.join(' ')}`;
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const { main, health } = JSON.parse(line).listeners;
    const sockets = await Promise.all(Array.from({ length: 500 }, () => dial(main)));
    await expect.poll(() => log).toContain('connections refused, or closed for others: a limit is reached');
    expect(log).toMatch(/"limit":\d+,"option":"ulimit -n"/);
    expect(log).toContain('the limit of open files and sockets is low');
    // And now none of them is idle: all have a request under way.
    const busy = await Promise.all(Array.from({ length: 300 }, () => dial(main)));
    for (const socket of busy) socket.write('PUT /nacos/v1/ns/instance/beat HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
    const asked = (address: string, path: string) =>
      fetch(`http://${address}${path}`, { headers: { connection: 'close' } }).then(({ status }) => status);
    await expect.poll(() => asked(main, '/nacos/v1/ns/operator/metrics')).toBe(503);
    for (const address of [health, main, main]) expect(await asked(address, '/health')).toBe(200);
    for (const socket of [...sockets, ...busy]) socket.destroy();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('with too few descriptors to be loaded says so in one line and exits 3', async () => {
    const child = spawn('bash', ['-c', `ulimit -n 255; exec '${process.execPath}' '${CLI}'`]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(stderr).toMatch(/^beatbridge: this process may open 255 files and sockets, and needs 256 at least: [^\n]+\n$/);
  });

  it('on a taken port says so in one line on standard error and exits 3', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const { code, stdout, stderr } = await run(['serve', ...FREE_PORTS, '--health-port', String(port)]);
    blocker.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 3,
      stdout: '',
      stderr: `beatbridge: cannot listen on 127.0.0.1:${port}: the port is taken\n`,
    });
  });

  it('serves TLS with the files it is given, and says at the start when they are not fit', async () => {
    const tls = join(import.meta.dirname, '../fixtures/tls');
    const files = ['--tls-cert', join(tls, 'cert.pem'), '--tls-key', join(tls, 'key.pem')];
    await using bridge = await startProcess([...FREE_PORTS, '--tls-port', '0', ...files]);
    using client = TLS_HEALTH_CLIENTS['gRPC (grpc-js) with TLS'](bridge.listeners.tls ?? '');
    expect(await client.check('')).toBe('SERVING');

    const swapped = ['--tls-cert', join(tls, 'key.pem'), '--tls-key', join(tls, 'cert.pem')];
    expect(await run(['serve', ...FREE_PORTS, '--tls-port', '0', ...swapped])).toMatchObject({
      code: 2,
      stderr:
        'beatbridge: --tls-cert must be a certificate in PEM: no certificate in it\nbeatbridge: --tls-key must be a private key in PEM: no key in it\n',
    });
    expect(
      await run(['serve', ...FREE_PORTS, '--tls-port', '0', '--tls-cert', 'nowhere.pem', '--tls-key', 'nowhere.pem']),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^beatbridge: --tls-cert cannot be read: .*\nbeatbridge: --tls-key cannot be read: .*\n$/),
    });
  });

  it('says all that is wrong with the options at once and exits 2', async () => {
    const { code, stderr } = await run(['serve', '--port', 'http'], { BEATBRIDGE_LOG_LEVEL: 'loud' });
    expect(code).toBe(2);
    expect(stderr.split('\n')).toEqual([
      'beatbridge: --port must be 0..65535, got "http"',
      expect.stringMatching(/^beatbridge: BEATBRIDGE_LOG_LEVEL must be one of /),
      '',
    ]);
  });

  it('takes no option that it does not know, and says all of them at once', async () => {
    const { code, stdout, stderr } = await run(['serve', '--prot', '80', '--grpc-prot=81', '--port', 'http', '--loud'], {
      BEATBRIDGE_HEALTHPORT: '82',
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      'beatbridge: --port must be 0..65535, got "http"',
      'beatbridge: --prot is not an option, did you mean --port?',
      'beatbridge: --grpc-prot is not an option, did you mean --grpc-port?',
      'beatbridge: --loud is not an option',
      'beatbridge: BEATBRIDGE_HEALTHPORT is not an option, did you mean BEATBRIDGE_HEALTH_PORT?',
      '',
    ]);
  });

  it('takes no argument but options', async () => {
    expect(await run(['serve', 'orders', ...FREE_PORTS])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'beatbridge: unexpected argument "orders"\n',
    });
  });
});

describe('beatbridge', () => {
  it('without a command serves', async () => {
    const { code, stderr } = await run(['--port', 'http']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'beatbridge: --port must be 0..65535, got "http"\n' });
  });

  it.each([
    ['serv', 'beatbridge: unknown command "serv", did you mean serve?\n'],
    ['start', 'beatbridge: unknown command "start"\n'],
  ])('knows no command %s, says so and exits 2', async (command, stderr) => {
    expect(await run([command, ...FREE_PORTS])).toEqual({ code: 2, stdout: '', stderr });
  });

  it('--help shows the commands, each in a line, and what it does without one', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const command of ['serve', 'check', 'why', 'list', 'events', 'drain', 'doctor', 'completion'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('Without a command it serves');
    expect(stdout.split('\n').length).toBeLessThan(80);
  });

  it.each([[['serve', '--help']], [['help', 'serve']]])('%j shows every option with its bounds and default', async (args) => {
    const help = await run(args);
    expect(help.code).toBe(0);
    const words = help.stdout.replaceAll(/\s+/g, ' ');
    for (const { flag, env, default: value, expected } of Object.values(OPTIONS)) {
      expect(words).toContain(` ${flag} `);
      expect(words).toContain(`[${expected}] (env ${env}, default ${value})`);
    }
  });

  it('--version shows the version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
