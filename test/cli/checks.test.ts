import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listening } from '../probe/peers.ts';
import { CLI, FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

/** Active checks by the program as built: what the process as a whole makes of them. */

const ALLOWED = [...FREE_PORTS, '--probe-allow', 'loopback'];

/** Beats are no matter here. */
const ASKS = JSON.stringify({
  'health.check': 'http:/',
  'health.check.interval': '500ms',
  'health.check.timeout': '1m',
  'preserved.heart.beat.timeout': '600000',
  'preserved.ip.delete.timeout': '900000',
});

/** Takes connections on every loopback address and never says a word. */
function silent() {
  return listening(
    createServer((socket) => socket.resume()),
    '0.0.0.0',
  );
}

async function registerHanging(bridge: Pick<Process, 'listeners'>, port: number, count: number): Promise<void> {
  const params = (i: number) => ({ ip: `127.0.${i % 50}.${1 + Math.floor(i / 50)}`, port, metadata: ASKS });
  for (let i = 0; i < count; i++) await register(bridge, 'hanging', params(i));
}

describe('beatbridge serve', () => {
  it('answers about health on few descriptors while more checks hang than there are', async () => {
    await using peer = await silent();
    const command = `ulimit -n 256; exec '${process.execPath}' '${CLI}' serve ${ALLOWED.join(' ')}`;
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const { listeners } = JSON.parse(line);
    await registerHanging({ listeners }, peer.port, 150);
    // On so few 54 may be under way, and half of them for a minute: the rest wait.
    await expect.poll(() => peer.connections, { timeout: 10_000 }).toBe(27);
    for (let i = 0; i < 3; i++) {
      const answer = await fetch(`http://${listeners.health}/health/hanging`, { headers: { connection: 'close' } });
      expect(answer.status).toBe(200);
    }
    expect(peer.connections).toBe(27);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends with exit code 0 though something cannot be cut short, as the look-up of a host name', async () => {
    const endless = 'data:text/javascript,setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ['--import', endless, CLI, 'serve', ...FREE_PORTS], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(createInterface({ input: child.stdout }), 'line');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends with checks that hang, and none is left at the other end', async () => {
    const open = new Set<object>();
    await using peer = await listening(
      createServer((socket) => {
        open.add(socket);
        socket.resume().once('close', () => open.delete(socket));
      }),
      '0.0.0.0',
    );
    await using bridge = await startProcess(ALLOWED);
    await registerHanging(bridge, peer.port, 200);
    await expect.poll(() => peer.connections, { timeout: 10_000 }).toBe(200);
    expect(await bridge.stop('SIGTERM')).toBe(0);
    await expect.poll(() => open.size).toBe(0);
  });
});

/** What a curl of docs/checks.md asks, with the ports that are free here. */
function request(curl: string, ports: ReadonlyMap<string, string>): Promise<Response> {
  const free = (text: string) => text.replace(/\b(?:8848|20000|20001)\b/g, (port) => ports.get(port) ?? port);
  const [, method = 'GET'] = /-X (\w+)/.exec(curl) ?? [];
  const [, url = ''] = /'(http:[^']*)'/.exec(curl) ?? [];
  const [, name, value = ''] = /--data-urlencode '(\w+)=([^']*)'/.exec(curl) ?? [];
  return fetch(free(url), { method, ...(name !== undefined && { body: new URLSearchParams({ [name]: value }) }) });
}

it('the check in four curls of docs/checks.md does what it says, though not by curl and on other ports', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/checks.md'), 'utf8');
  const [, section = ''] = /\n## An HTTP check in four curls\n([\s\S]*?)\n## /.exec(page) ?? [];
  const curls = section.replaceAll('\\\n', '').match(/^curl .*\n# .*$/gm) ?? [];
  expect(curls).toHaveLength(4);
  await using instance = await listening(createHttp((_, answer) => answer.end('ok')));
  await using bridge = await startProcess(ALLOWED);
  const portOf = (address: string) => address.replace(/^.*:/, '');
  const { main, health } = bridge.listeners;
  const ports = new Map([
    ['8848', portOf(main)],
    ['20000', portOf(health)],
    ['20001', String(instance.port)],
  ]);
  const told: string[] = [];
  for (const curl of curls) {
    const response = await request(curl, ports);
    const [, answer = ''] = curl.split('\n# ');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value?.trim()).toBe(answer);
    if (!answer.startsWith('data: ')) continue;
    void (async () => {
      for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) told.push(part.value.trim());
    })().catch(() => {});
  }
  await instance[Symbol.asyncDispose]();
  await expect.poll(() => told, { timeout: 15_000 }).toContain('data: {"status":"NOT_SERVING"}');
  const cart = async () => (await fetch(`http://${health}/health/cart`)).json();
  await expect
    .poll(cart, { timeout: 15_000 })
    .toMatchObject({ reason: expect.stringContaining('1 fails its check (http: refused)') });
});
