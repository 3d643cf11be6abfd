import fc from 'fast-check';
import { expect, it } from 'vitest';
import { writeJson } from '../../src/nacos/doubles.ts';
import { Many, writeLong } from '../../src/nacos/many.ts';
import { AT_A_TIME, each, sortedBy } from '../../src/nacos/turns.ts';
import { Walks } from '../../src/nacos/walks.ts';
import { LIMITS } from '../support/limits.ts';
import { randomRuns } from '../support/random.ts';
import { ManualScheduler } from '../support/scheduler.ts';
import { atOnce } from '../support/turns.ts';

const RUNS = randomRuns(2_000);

function walksOn(scheduler: ManualScheduler): Walks {
  return new Walks({ scheduler, now: scheduler.now, limits: LIMITS });
}

it(`what is long is written as the same that is short ${RUNS.title}`, { timeout: RUNS.timeoutMs }, () => {
  const name = fc.oneof(fc.constantFrom('weight', 'protectThreshold', '__proto__', '1', 'a"b'), fc.string());
  const leaf = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null), fc.string());
  const item = fc.dictionary(name, leaf, { maxKeys: 3 });
  const data = fc.dictionary(name, fc.oneof(leaf, item, fc.array(item, { maxLength: 3 })), { maxKeys: 4 });
  fc.assert(
    fc.property(data, fc.array(item), (around, items) => {
      const plain = { gone: undefined, ...around, list: items, nested: [{ list: items, weight: 2 }], count: items.length };
      const count = () => items.length;
      const long = { gone: undefined, ...around, list: new Many(items), nested: [{ list: new Many(items), weight: 2 }], count };
      const written = walksOn(new ManualScheduler()).run(writeLong(long));
      if (written instanceof Promise) throw new Error('it is short');
      expect(written.json).toBe(writeJson(plain));
      expect(written.bytes).toBe(Buffer.byteLength(written.json));
    }),
    RUNS.parameters,
  );
});

it('items are made when they are written, in turns, and those left out count as work', async () => {
  const scheduler = new ManualScheduler();
  let made = 0;
  function* items() {
    for (let i = 0; i < 3 * AT_A_TIME; i++) yield made++ % 2 === 0 ? { i } : undefined;
  }
  const written = walksOn(scheduler).run(writeLong({ list: new Many(items()) }));
  expect([made > AT_A_TIME / 2, made <= AT_A_TIME]).toEqual([true, true]);
  scheduler.advance(0);
  expect(JSON.parse((await written).json).list.length).toBe((3 * AT_A_TIME) / 2);
});

it('work is done at once where it is short, and to the end where it is not', async () => {
  const scheduler = new ManualScheduler();
  const walks = walksOn(scheduler);
  const seen: number[] = [];
  const few = Array.from({ length: AT_A_TIME }, (_, i) => i);
  expect(walks.run(each(few, (i) => seen.push(i)))).toBeUndefined();
  expect(seen).toEqual(few);
  const more = walks.run(each([...few, 1], (i) => seen.push(i)));
  expect(scheduler.open).toBe(1);
  scheduler.advance(0);
  await more;
  expect(seen.length).toBe(2 * AT_A_TIME + 1);
});

it(`texts are sorted in turns as they are at once ${RUNS.title}`, { timeout: RUNS.timeoutMs }, () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 4 }), (some, times) => {
      // Of so many there are several parts, some of them not full.
      const many = Array.from({ length: times * 200 }, (_, i) => some[i % Math.max(1, some.length)] ?? String(i % 7));
      const numbered = many.map((text, i) => ({ text, i }));
      const sorted = atOnce(sortedBy(numbered, ({ text }) => text));
      expect(sorted.map(({ text }) => text)).toEqual([...many].sort());
      // Equal ones stay in their order.
      expect(sorted.every((one, i) => i === 0 || one.text !== sorted[i - 1]?.text || one.i > (sorted[i - 1]?.i ?? 0))).toBe(true);
    }),
    { ...RUNS.parameters, numRuns: Math.ceil(RUNS.parameters.numRuns / 10) },
  );
});

it('work that fails in a later turn rejects', async () => {
  const scheduler = new ManualScheduler();
  const fails = walksOn(scheduler).run(
    (function* () {
      yield;
      throw new Error('on purpose');
    })(),
  );
  scheduler.advance(0);
  await expect(fails).rejects.toThrow('on purpose');
});
