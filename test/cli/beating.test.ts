import { expect, it } from 'vitest';
import { Beating, type BeatingNews, type Outcome } from '../../src/cli/beating.ts';
import { ManualScheduler } from '../support/scheduler.ts';

/** A server that answers one after the other, and how it went. */
function beatingTo(answers: readonly Outcome[], intervalMs = 5_000) {
  const scheduler = new ManualScheduler();
  const calls: string[] = [];
  const news: BeatingNews[] = [];
  const left = [...answers];
  const answer = (call: string) => (): Promise<Outcome> => {
    calls.push(`${scheduler.now()} ${call}`);
    return Promise.resolve(left.shift() ?? { kind: 'done' });
  };
  const options = {
    scheduler,
    intervalMs,
    register: answer('register'),
    beat: answer('beat'),
    told: (one: BeatingNews) => news.push(one),
  };
  const beating = new Beating(options);
  const ended = beating.run();
  /** What was answered is heard before time goes on. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await new Promise((resolve) => setImmediate(resolve));
      scheduler.advance(100);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { beating, scheduler, calls, news, ended, pass };
}

const DONE: Outcome = { kind: 'done' };
const AWAY: Outcome = { kind: 'unreachable', reason: 'refused' };

it('registers, and beats at its interval', async () => {
  const { beating, calls, news, ended, pass, scheduler } = beatingTo([]);
  await pass(10_000);
  expect(calls).toEqual(['0 register', '5000 beat', '10000 beat']);
  expect(news).toEqual([{ kind: 'registered', isAgain: false }]);
  expect(beating.wasRegistered).toBe(true);
  beating.stop();
  expect(await ended).toBeUndefined();
  expect(scheduler.open).toBe(0);
});

it('beats as often as the server asks for', async () => {
  const { beating, calls, pass } = beatingTo([DONE, { kind: 'done', nextMs: 1_000 }, { kind: 'done', nextMs: 2_000 }]);
  await pass(8_000);
  expect(calls).toEqual(['0 register', '5000 beat', '6000 beat', '8000 beat']);
  beating.stop();
});

it('registers again at once where the server knows it no more', async () => {
  const { beating, calls, news, pass } = beatingTo([DONE, { kind: 'unknown' }, DONE]);
  await pass(5_000);
  expect(calls).toEqual(['0 register', '5000 beat', '5000 register']);
  expect(news).toEqual([
    { kind: 'registered', isAgain: false },
    { kind: 'registered', isAgain: true },
  ]);
  beating.stop();
});

it('tries on while nobody answers, soon first and then more seldom, and tells of it once', async () => {
  const { beating, calls, news, pass } = beatingTo([DONE, AWAY, AWAY, AWAY, AWAY, AWAY, DONE]);
  await pass(17_500);
  expect(calls).toEqual(['0 register', '5000 beat', '5500 beat', '6500 beat', '8500 beat', '12500 beat', '17500 beat']);
  expect(news.slice(1)).toEqual([{ kind: 'failing', reason: 'refused' }, { kind: 'heard-again' }]);
  beating.stop();
});

it('waits for a server that is still to come, and ends at a refusal before anything was taken', async () => {
  const { ended, beating, pass } = beatingTo([AWAY, AWAY, { kind: 'refused', reason: 'no right' }]);
  await pass(1_500);
  expect(await ended).toBe('no right');
  expect(beating.wasRegistered).toBe(false);
});

it('goes on after a refusal of what was taken before: rights and logins come back', async () => {
  const { beating, news, calls, pass } = beatingTo([DONE, { kind: 'refused', reason: 'no right' }, DONE]);
  await pass(5_500);
  expect(calls).toEqual(['0 register', '5000 beat', '5500 beat']);
  expect(news.slice(1)).toEqual([{ kind: 'failing', reason: 'no right' }, { kind: 'heard-again' }]);
  beating.stop();
});

it('gives up what is under way when it is stopped', async () => {
  const scheduler = new ManualScheduler();
  const hung = (signal: AbortSignal) =>
    new Promise<Outcome>((resolve) =>
      signal.addEventListener('abort', () => resolve({ kind: 'unreachable', reason: 'aborted' })),
    );
  const told: BeatingNews[] = [];
  const beating = new Beating({ scheduler, intervalMs: 1_000, register: hung, beat: hung, told: (one) => told.push(one) });
  const ended = beating.run();
  beating.stop();
  expect(await ended).toBeUndefined();
  expect(told).toEqual([]);
});
