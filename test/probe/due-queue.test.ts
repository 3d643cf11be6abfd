import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DueQueue, type Queued } from '../../src/probe/due-queue.ts';
import { randomRuns } from '../support/random.ts';

const RUNS = randomRuns(1_000);

/** An entry comes due at so many ms, or one of those that wait goes, or the first is taken. */
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ due: fc.integer({ min: 0, max: 50 }) }) },
    { weight: 1, arbitrary: fc.record({ goes: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.constant('take' as const) },
  ),
  { maxLength: 200 },
);

it(`the first is the one that is due first, whoever goes meanwhile ${RUNS.title}`, { timeout: RUNS.timeoutMs }, () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const queue = new DueQueue<Queued>();
      const waiting: Queued[] = [];
      const remove = (item: Queued | undefined) => {
        if (item === undefined) return;
        expect(queue.remove(item)).toBe(true);
        expect(queue.remove(item)).toBe(false);
        waiting.splice(waiting.indexOf(item), 1);
      };
      for (const step of sequence) {
        if (step === 'take') remove(queue.first);
        else if ('goes' in step) remove(waiting[step.goes % Math.max(1, waiting.length)]);
        else {
          const item: Queued = { due: step.due, place: 0, queue: undefined };
          waiting.push(item);
          queue.add(item);
        }
        expect(queue.size).toBe(waiting.length);
        expect(queue.first?.due).toBe(waiting.length === 0 ? undefined : Math.min(...waiting.map(({ due }) => due)));
      }
    }),
    RUNS.parameters,
  );
});
