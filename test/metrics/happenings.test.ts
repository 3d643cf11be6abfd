import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Happenings } from '../../src/metrics/happenings.ts';
import { inTurns } from '../../src/metrics/pace.ts';

it('instances are counted with what happened to them, and services with what they became; once each', () => {
  const happenings = new Happenings(['silent', 'removed']);
  happenings.note({ kind: 'instance', cause: 'silent', count: 3_000, to: 'unhealthy', at: 0 });
  happenings.note({ kind: 'registry', cause: 'silent', count: 3_000, at: 0 });
  happenings.note({ kind: 'service', cause: 'silent', to: 'not-serving', at: 0 });
  expect(Object.fromEntries(happenings.events)).toEqual({ silent: 3, removed: 0 });
  expect(Object.fromEntries(happenings.instances)).toEqual({ silent: 3_000, removed: 0 });
  expect(Object.fromEntries(happenings.transitions)).toEqual({ 'not-serving silent': 1 });
});

it('long work has two milliseconds of each turn, and ends with its result', async () => {
  let clock = 0;
  let turns = 0;
  function* work() {
    for (let i = 0; i < 10; i++) {
      clock += 1;
      yield;
    }
    return 'done';
  }
  const scheduler = {
    soon(run: () => void) {
      turns++;
      setImmediate(run);
    },
  };
  expect(await inTurns(work(), { scheduler, now: () => clock })).toBe('done');
  expect(turns).toBe(5);
});

it('nothing on the way of a request knows a library for metrics', () => {
  const src = join(import.meta.dirname, '../../src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const using = files.filter((name) => /from 'prom-client'|import\('prom-client'\)/.test(readFileSync(join(src, name), 'utf8')));
  expect(using).toEqual([join('metrics', 'of-process.ts')]);
});
