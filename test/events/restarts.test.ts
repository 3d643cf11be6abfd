import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { failOnLeaks } from '../support/leaks.ts';
import { fixedPorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

failOnLeaks();

type Told = Readonly<Record<string, unknown>>;

async function events(server: Pick<Process, 'listeners'>): Promise<readonly Told[]> {
  const text = await (await fetch(`http://${server.listeners.main}/events`)).text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Told]));
}

const said = ({ cause, service }: Told) => `${cause} ${service ?? ''}`.trim();

it('what happened is told after a restart in order as before it, and after a kill but for the last moments', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-kept-events-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const args = [...(await fixedPorts()), '--data-dir', dataDir];
  let before: readonly Told[];
  {
    await using server = await startProcess(args);
    // Nobody beats, and nobody is to fall silent.
    const metadata = JSON.stringify({ 'preserved.heart.beat.timeout': '3600000', 'preserved.ip.delete.timeout': '7200000' });
    await register(server, 'orders', { metadata });
    await expect
      .poll(async () => (await events(server)).map(said))
      .toEqual(['started', 'registered orders', 'registered orders']);
    before = await events(server);
    await server.stop('SIGTERM');
  }
  {
    await using server = await startProcess(args);
    const now = await events(server);
    expect(now.slice(0, 3)).toEqual(before);
    expect(now.map(({ seq }) => seq)).toEqual(now.map((_, i) => i + 1));
    expect(now.map(said)).toEqual(['started', 'registered orders', 'registered orders', 'draining', 'started']);
    await server.stop('SIGKILL');
  }
  await using server = await startProcess(args);
  const after = await events(server);
  expect(after.slice(0, 4).map(said)).toEqual(['started', 'registered orders', 'registered orders', 'draining']);
  // What it had given numbers to and not written is left out, and so is what was set aside.
  expect(after.at(-1)).toMatchObject({ cause: 'started', seq: expect.toSatisfy((seq: number) => seq > 100_000) });
});

it('no number is given twice by whoever is killed within moments of its first start', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-kept-events-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const args = [...(await fixedPorts()), '--data-dir', dataDir];
  let last = 0;
  for (let i = 0; i < 2; i++) {
    await using server = await startProcess(args);
    const seqs = (await events(server)).map(({ seq }) => Number(seq));
    expect(seqs[0]).toBeGreaterThan(last);
    last = seqs.at(-1) ?? 0;
    await server.stop('SIGKILL');
  }
});

it('a drain that ended while nobody was there is told of after the start', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-kept-events-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const args = [...(await fixedPorts()), '--data-dir', dataDir];
  let until = Number.POSITIVE_INFINITY;
  {
    await using server = await startProcess(args);
    await register(server, 'orders', { ephemeral: 'false' });
    const url = `http://${server.listeners.main}/drains/10.0.0.1:80?for=1s&reason=a%20release`;
    until = Date.parse(((await (await fetch(url, { method: 'PUT' })).json()) as { until: string }).until);
    await server.stop('SIGTERM');
  }
  await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(until);
  await using server = await startProcess(args);
  const told = await events(server);
  expect(told.filter(({ cause }) => cause === 'resumed')).toEqual([
    expect.objectContaining({
      kind: 'instance',
      service: 'orders',
      instances: [expect.objectContaining({ ip: '10.0.0.1', port: 80 })],
      detail: expect.objectContaining({ why: 'over', reason: 'a release' }),
    }),
  ]);
});
