import { setImmediate as nextRound } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Drainable, drain } from '../../src/server/drain.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

/** Parts that say what is done with them, and that are done when the test says so. */
function setUp(withinMs: number, delayMs = 0) {
  const scheduler = new ManualScheduler();
  const log: string[] = [];
  const [told, ended, closed] = [pending(), pending(), pending()];
  const parts: Drainable = {
    announce: () => void log.push('announce'),
    sendAway: () => noted('send away', told.promise),
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
  void drain(parts, { delayMs, withinMs }, scheduler).then(() => log.push('drained'));
  return {
    told,
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
  const { told, ended, closed, after } = setUp(4_000);
  expect(await after(0)).toEqual(['announce', 'send away']);
  told.resolve();
  expect(await after(0)).toEqual(['announce', 'send away', 'end calls']);
  ended.resolve();
  expect(await after(0)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut']);
  closed.resolve();
  expect(await after(0)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut', 'drained']);
});

it('a step that waits for peers has a quarter of the time, and all together have no more than all of it', async () => {
  const { after } = setUp(4_000);
  expect(await after(0)).toEqual(['announce', 'send away']);
  expect(await after(999)).toEqual(['announce', 'send away']);
  expect(await after(1)).toEqual(['announce', 'send away', 'end calls']);
  expect(await after(999)).toEqual(['announce', 'send away', 'end calls']);
  expect(await after(1)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut']);
  expect(await after(1_999)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut']);
  expect(await after(1)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut', 'cut ports', 'drained']);
});

it('between the announcement and the rest is the delay, which takes nothing of the time for the rest', async () => {
  const { after } = setUp(4_000, 5_000);
  expect(await after(0)).toEqual(['announce']);
  expect(await after(4_999)).toEqual(['announce']);
  expect(await after(1)).toEqual(['announce']);
  // Two rounds of the event loop are no time.
  expect(await after(0)).toEqual(['announce', 'send away']);
  expect(await after(1_000)).toEqual(['announce', 'send away', 'end calls']);
  expect(await after(1_000)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut']);
  expect(await after(1_999)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut']);
  expect(await after(1)).toEqual(['announce', 'send away', 'end calls', 'close ports', 'cut', 'cut ports', 'drained']);
});
