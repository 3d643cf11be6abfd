import { setImmediate as nextRound } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Drainable, drain } from '../../src/server/drain.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

/** Parts that say what is done with them, and that are done when the test says so. */
function setUp(withinMs: number) {
  const scheduler = new ManualScheduler();
  const log: string[] = [];
  const [announced, ended, closed] = [pending(), pending(), pending()];
  const parts: Drainable = {
    announce: () => noted('announce', announced.promise),
    endCalls: () => noted('end calls', ended.promise),
    closePorts: (deadline) => {
      deadline.addEventListener('abort', () => {
        log.push('cut ports');
        closed.resolve();
      });
      return noted('close ports', closed.promise);
    },
    cut: () => void log.push('cut'),
  };
  function noted(what: string, promise: Promise<void>): Promise<void> {
    log.push(what);
    return promise;
  }
  void drain(parts, withinMs, scheduler).then(() => log.push('drained'));
  return {
    announced,
    ended,
    closed,
    /** What has been done until `ms` later. */
    async after(ms: number) {
      scheduler.advance(ms);
      await nextRound();
      return log;
    },
  };
}

function pending() {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

it('each step waits for the one before, and no time passes that nobody needs', async () => {
  const { announced, ended, closed, after } = setUp(4_000);
  expect(await after(0)).toEqual(['announce']);
  announced.resolve();
  expect(await after(0)).toEqual(['announce', 'end calls']);
  ended.resolve();
  expect(await after(0)).toEqual(['announce', 'end calls', 'close ports', 'cut']);
  closed.resolve();
  expect(await after(0)).toEqual(['announce', 'end calls', 'close ports', 'cut', 'drained']);
});

it('a step that waits for peers has a quarter of the time, and all together have no more than all of it', async () => {
  const { after } = setUp(4_000);
  expect(await after(0)).toEqual(['announce']);
  expect(await after(999)).toEqual(['announce']);
  expect(await after(1)).toEqual(['announce', 'end calls']);
  expect(await after(999)).toEqual(['announce', 'end calls']);
  expect(await after(1)).toEqual(['announce', 'end calls', 'close ports', 'cut']);
  expect(await after(1_999)).toEqual(['announce', 'end calls', 'close ports', 'cut']);
  expect(await after(1)).toEqual(['announce', 'end calls', 'close ports', 'cut', 'cut ports', 'drained']);
});
