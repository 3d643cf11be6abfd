import fc from 'fast-check';
import { expect, it } from 'vitest';
import { healthKeys } from '../../src/health/health.ts';
import { type HealthName, parseHealthName } from '../../src/health/names.ts';
import type { Status } from '../../src/health/status.ts';
import type { Patience } from '../../src/health/steady.ts';
import { isAvailable, type MinAvailable, neededOf, ONE_AVAILABLE } from '../../src/registry/available.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { FORGET_AFTER_MS, KEEP_EDITS_MS, type Step, steps, take } from '../registry/model.ts';
import { healthOf } from '../support/health.ts';
import { HOME, orders } from '../support/instances.ts';
import { randomRuns } from '../support/random.ts';
import { ManualScheduler } from '../support/scheduler.ts';

const NAMES = [
  'orders',
  ...['A', 'B'].map((cluster) => `orders?cluster=${cluster}`),
  ...[1, 2, 3].map((port) => `orders?instance=10.0.0.1:${port}`),
];

/** All that was ever so of one name, and what must be told of it now. */
class Model {
  readonly #history: { readonly at: number; readonly raw: Status; readonly patience: Patience }[] = [];

  note(at: number, raw: Status, patience: Patience): void {
    this.#history.push({ at, raw, patience });
  }

  told(now: number): Status {
    let told: Status = 'unknown';
    let since = 0;
    for (const [i, { at, raw, patience }] of this.#history.entries()) {
      if (raw !== this.#history[i - 1]?.raw) since = at;
      const until = this.#history[i + 1]?.at ?? now;
      const isKnown = raw !== 'unknown' && told !== 'unknown';
      const neededMs = raw === 'serving' ? patience.riseAfterMs : patience.fallAfterMs;
      if (!isKnown || until - since >= neededMs) told = raw;
    }
    return told;
  }
}

function rawOf(registry: Registry, name: string): Status {
  const [, part = '', value = ''] = /\?(.*)=(.*)$/.exec(name) ?? [];
  const instances = registry.instances(orders)?.filter(({ ip, port, cluster }) => {
    return part === '' || (part === 'cluster' ? cluster === value : `${ip}:${port}` === value);
  });
  if (instances === undefined || (part !== '' && instances.length === 0)) return 'unknown';
  const min = part === 'instance' ? ONE_AVAILABLE : (registry.settings(orders)?.minAvailable ?? ONE_AVAILABLE);
  return instances.filter(isAvailable).length >= neededOf(instances.length, min) ? 'serving' : 'not-serving';
}

type Turn =
  | Step
  | { readonly do: 'patience'; readonly fallAfterMs: number | undefined; readonly riseAfterMs: number | undefined }
  | { readonly do: 'minimum'; readonly minAvailable: MinAvailable }
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'drop' };

const ms = fc.constantFrom(undefined, 0, 1, 3, 1_000, 5_000, 20_000);
const turns: fc.Arbitrary<Turn[]> = fc
  .tuple(
    steps,
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.record({ do: fc.constant('patience' as const), fallAfterMs: ms, riseAfterMs: ms }) },
        { weight: 6, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.constantFrom(0, 1, 2, 3, 999, 1_000) }) },
        {
          weight: 1,
          arbitrary: fc.record({
            do: fc.constant('minimum' as const),
            minAvailable: fc.constantFrom<MinAvailable>({ count: 2 }, { percent: 60 }, ONE_AVAILABLE),
          }),
        },
        { weight: 1, arbitrary: fc.constant({ do: 'drop' as const }) },
      ),
      { maxLength: 60 },
    ),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([some, others, coins]) => {
    const mixed: Turn[] = [];
    const [a, b] = [[...some], [...others]];
    while (a.length > 0 && b.length > 0) mixed.push(...(coins.next().value === true ? a : b).splice(0, 1));
    return [...mixed, ...a, ...b];
  });

/** A registry, its health, what must be told, and a watcher that hears of nothing but keys. */
function setUp(defaults: Patience) {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now, { forgetAfterMs: FORGET_AFTER_MS, keepEditsMs: KEEP_EDITS_MS });
  const names = NAMES.map((text) => {
    const name = parseHealthName(text, HOME);
    if (name === undefined) throw new Error(`${text} is no health name`);
    return { text, name, model: new Model() };
  });
  registry.onChange(() => {
    const { fallAfterMs, riseAfterMs } = registry.settings(orders) ?? DEFAULT_SETTINGS;
    const patience = { fallAfterMs: fallAfterMs ?? defaults.fallAfterMs, riseAfterMs: riseAfterMs ?? defaults.riseAfterMs };
    for (const { text, model } of names) model.note(scheduler.now(), rawOf(registry, text), patience);
  });
  const health = healthOf(registry, { patience: defaults, scheduler, now: scheduler.now });
  const watched = new Map<HealthName, Status>(names.map(({ name }) => [name, health.statusOf(name)]));
  health.onChange((key) => {
    for (const { name } of names) if (healthKeys(name).includes(key)) watched.set(name, health.statusOf(name));
  });
  const agree = () => {
    for (const { text, name, model } of names) {
      const expected = model.told(scheduler.now());
      expect([text, health.statusOf(name), watched.get(name)]).toEqual([text, expected, expected]);
    }
  };
  return { scheduler, registry, health, names, agree };
}

function turn(registry: Registry, scheduler: ManualScheduler, now: Turn): void {
  const settings = registry.settings(orders) ?? DEFAULT_SETTINGS;
  if (now.do === 'patience') {
    const { fallAfterMs, riseAfterMs } = now;
    registry.configure(orders, { ...settings, fallAfterMs, riseAfterMs });
  } else if (now.do === 'minimum') registry.configure(orders, { ...settings, minAvailable: now.minAvailable });
  else if (now.do === 'pause') scheduler.advance(now.ms);
  else if (now.do === 'drop') registry.drop(orders);
  else {
    if (now.do === 'wait') scheduler.advance(now.ms);
    take(registry, now);
  }
}

const RUNS = randomRuns(500);

it(`what is told, and what a watcher has last read, is what the history of all statuses makes of it ${RUNS.title}`, {
  timeout: RUNS.timeoutMs,
}, () => {
  const defaults = fc.record({ fallAfterMs: fc.constantFrom(0, 5_000), riseAfterMs: fc.constantFrom(0, 0, 3_000) });
  fc.assert(
    fc.property(turns, defaults, (sequence, patience) => {
      const { scheduler, registry, health, names, agree } = setUp(patience);
      for (const each of sequence) {
        turn(registry, scheduler, each);
        agree();
        for (const { text, name } of names) {
          if (!text.includes('instance')) continue;
          // Named with its cluster an instance is told of as without; with another one it is unknown.
          const { cluster } = registry.instance(orders, { ip: '10.0.0.1', port: Number(text.at(-1)) }) ?? {};
          for (const other of ['A', 'B']) {
            const both = parseHealthName(`${text}&cluster=${other}`, HOME);
            const expected = cluster === other ? health.statusOf(name) : 'unknown';
            expect(both && health.statusOf(both)).toBe(expected);
          }
        }
      }
      scheduler.advance(100_000);
      agree();
      for (const { text, name } of names) expect(health.statusOf(name)).toBe(rawOf(registry, text));
      expect(scheduler.open).toBe(0);
    }),
    RUNS.parameters,
  );
});
