import { expect, it } from 'vitest';
import { failOnLeaks } from '../support/leaks.ts';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { nacos, unhealthyAfter } from '../support/server.ts';

failOnLeaks();

const QUIET = [...FREE_PORTS, '--probes', 'false', '--data-dir', 'none', '--drain-delay', '0'];
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly cause?: string;
  readonly service?: string;
  readonly who?: readonly string[];
  readonly count?: number;
}

const linesOf = (bridge: Process): Line[] =>
  bridge
    .log()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function events(bridge: Process, query: string): Promise<{ kind: string; count: number; to: string; detail?: object }[]> {
  const text = await (await fetch(`http://${bridge.listeners.main}/events?${query}`)).text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

it('lines are JSON with times and levels that need no explanation, where nobody looks', async () => {
  await using bridge = await startProcess(QUIET);
  await bridge.stop('SIGTERM');
  const lines = linesOf(bridge);
  expect(lines.length).toBeGreaterThan(1);
  for (const { level, time } of lines) {
    expect(['info', 'warn']).toContain(level);
    expect(time).toMatch(ISO);
  }
});

it('and for eyes where that is wanted, without colours where there is no terminal', async () => {
  await using bridge = await startProcess([...QUIET, '--log-format', 'pretty']);
  await bridge.stop('SIGTERM');
  expect(bridge.log()).toMatch(/INFO.*: ready/);
  expect(bridge.log()).not.toContain('\u001b');
});

it('3,000 who fall silent together are a line a service and one of them all, and no instance has a line', async () => {
  await using bridge = await startProcess(QUIET);
  const metadata = unhealthyAfter(3_000);
  const SERVICES = ['a', 'b', 'c'];
  for (const serviceName of SERVICES)
    for (let first = 0; first < 1_000; first += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          nacos(bridge, 'POST', '/instance', { serviceName, ip: `10.0.0.${(first + i) % 250}`, port: 1 + first + i, metadata }),
        ),
      );
  await expect
    .poll(
      async () =>
        (await events(bridge, 'cause=silent&limit=10000')).filter(({ kind, to }) => kind === 'service' && to === 'not-serving')
          .length,
    )
    .toBe(3);
  await bridge.stop('SIGTERM');
  const lines = linesOf(bridge);
  const silent = lines.filter(({ cause, service }) => cause === 'silent' && service !== undefined);
  expect(silent.map(({ service }) => service).toSorted()).toEqual(SERVICES.map((name) => `DEFAULT_GROUP@@${name}`));
  for (const { msg, level, who = [] } of silent) {
    expect(level).toBe('info');
    expect(msg).toMatch(/^[abc] is NOT_SERVING: 10\.0\.0\.\d+:\d+/);
    expect(who.length).toBeLessThanOrEqual(20);
  }
  expect(lines.filter(({ cause }) => cause === 'mass-silence')).toMatchObject([{ level: 'warn' }]);
  // Of the thousands of registrations, too, whose services came one after another.
  expect(lines.filter(({ level }) => level === 'info' || level === 'warn').length).toBeLessThan(20);
});
