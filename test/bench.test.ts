import { expect, it } from 'vitest';
import { measureGroup, median, percentile } from '../bench/rounds.js';
import { linesOf, missingIn, tableOf } from '../bench/table.js';
import { Missing } from '../bench/toolchain.js';

/** A server that is none, and notes what is done to it. */
function peer(log: string[], name: string) {
  log.push(`start ${name}`);
  const process = { used: () => ({ ns: 0, waitedNs: 0 }), end: async () => void log.push(`end ${name}`) };
  return { name, process };
}

const OPTIONS = { rounds: 2, seconds: 1, without: [] as string[], note: () => {} };

it('everybody takes his turn in each round, in the opposite order in every other one, and is ended', async () => {
  const log: string[] = [];
  const take = async ({ name }: { name: string }) => {
    log.push(name);
    return { perSecond: log.length };
  };
  const work = { name: 'work', title: 'work', cold: true, take, lines: [{ figure: 'perSecond', peer: 'theirs' }] };
  const subjects = { beatbridge: async () => peer(log, 'ours'), theirs: async () => peer(log, 'theirs') };
  const [result] = await measureGroup({ name: 'group', subjects, works: [work] }, [work], OPTIONS);
  expect(log).toEqual(['start ours', 'ours', 'start theirs', 'theirs', 'theirs', 'ours', 'end ours', 'end theirs']);
  expect(result?.subjects.beatbridge?.figures).toEqual({ perSecond: (2 + 6) / 2 });
  expect(linesOf([result])).toMatchObject([{ row: 'group/work', ours: 4, theirs: 4.5, value: 4 / 4.5 }]);
});

it('a peer that is missing, or has failed, leaves a row that is not reached', async () => {
  const subjects = {
    beatbridge: async () => peer([], 'ours'),
    absent: () => Promise.reject(new Missing('go is not installed')),
    broken: async () => peer([], 'broken'),
  };
  const take = async ({ name }: { name: string }) => {
    if (name === 'broken') throw new Error('it has ended');
    return { cpuUs: 10 };
  };
  const lines = ['absent', 'broken'].map((name) => ({ figure: 'cpuUs', peer: name, atMost: 1 }));
  const work = { name: 'work', title: 'work', fresh: true, take, lines };
  const results = await measureGroup({ name: 'group', subjects, works: [work] }, [work], OPTIONS);
  expect(linesOf(results).map(({ reached }) => reached)).toEqual([false, false]);
  expect(tableOf(linesOf(results)).match(/not measured/g)).toHaveLength(2);
  expect(missingIn(results)).toEqual([
    'absent is missing: go is not installed (group/work)',
    'broken failed: it has ended (group/work)',
  ]);
});

it.each([
  [{ atLeast: 1.5 }, 30, 20, true],
  [{ atLeast: 1.5 }, 29, 20, false],
  [{ atMost: 1.5 }, 30, 20, true],
  [{ atMost: 1.5 }, 31, 20, false],
  // What ours may be above the peer's.
  [{ atMost: 1, plus: 10 }, 30, 20, true],
  [{ atMost: 1, plus: 10 }, 31, 20, false],
])('a line %o with %d beside %d', (wanted, ours, theirs, reached) => {
  const subjects = { beatbridge: { figures: { cpuUs: ours } }, peer: { figures: { cpuUs: theirs } } };
  const result = { name: 'group/work', title: 'work', lines: [{ figure: 'cpuUs', peer: 'peer', ...wanted }], subjects };
  expect(linesOf([result]).map((line) => line.reached)).toEqual([reached]);
});

it('of lines that are alternatives one is enough', () => {
  const figures = (heldBytes: number) => ({ figures: { heldBytes } });
  const subjects = { beatbridge: figures(10), small: figures(5), large: figures(20) };
  const lines = ['small', 'large'].map((peer) => ({ figure: 'heldBytes', peer, atMost: 1, either: 'memory' }));
  const reached = (of: object[]) => linesOf([{ name: 'a/b', title: '', lines: of, subjects }]).map((line) => line.reached);
  expect(reached(lines)).toEqual(['instead', true]);
  expect(reached(lines.slice(0, 1))).toEqual([false]);
});

it('medians and percentiles are of what was measured', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(percentile([5, 1, 4, 2, 3], 50)).toBe(3);
  expect(
    percentile(
      Array.from({ length: 100 }, (_, i) => i + 1),
      99,
    ),
  ).toBe(99);
  expect(percentile([7], 99)).toBe(7);
});
