import { describe, expect, it } from 'vitest';
import type { LookRoom, View } from '../../src/console/look.ts';
import { Looks } from '../../src/console/looks.ts';
import { Pulse } from '../../src/console/pulse.ts';
import type { Reader, Sources } from '../../src/console/sources.ts';
import { SharedTurns } from '../../src/wire/shared-turns.ts';
import { eventsRoom, ORDERS } from '../support/events-room.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

const reader = (more: Partial<Reader> = {}): Reader => ({
  scope: '',
  maySee: () => true,
  maySeeAll: true,
  holds: () => true,
  mayOperate: () => false,
  ...more,
});

function* none(): Generator<undefined, number, void> {
  yield undefined;
  return 0;
}

/** Of a view that takes so many parts of a millisecond each, and shows who was shown it as its only row. */
function looking(parts = 1) {
  const scheduler = new ManualScheduler();
  let [made, opened, spentMs] = [0, 0, 0];
  const now = () => scheduler.now() + spentMs;
  // Of the room nothing else is looked at here.
  const room = { now, events: { lastSeq: () => made } } as unknown as LookRoom;
  const view: View = {
    open: (params) => {
      opened++;
      if (params.has('wrong')) return 'wrong is not known';
      return {
        *look({ scope }) {
          for (let i = 0; i < parts; i++) {
            spentMs++;
            yield undefined;
          }
          made++;
          return { facts: { bridge: {} } as never, rows: [{ key: scope, made }] as never };
        },
      };
    },
  };
  const looks = new Looks(room, new SharedTurns({ scheduler, now }), { countFor: none });
  const join = (query = '', who = reader()) => {
    const joined = looks.join(view, { name: 'now', params: new URLSearchParams(query), reader: who });
    if (typeof joined === 'string') throw new Error(joined);
    return joined;
  };
  /** What is shown, once the parts have had their turns. */
  const shownTo = async ({ look }: ReturnType<typeof join>) => {
    const shown = look();
    let isDone = false;
    shown.then(() => {
      isDone = true;
    });
    for (let turn = 0; !isDone && turn < 10_000; turn++) {
      scheduler.advance(0);
      await Promise.resolve();
      await Promise.resolve();
    }
    return [...(await shown).rows.keys()].join();
  };
  return { scheduler, looks, join, shownTo, made: () => made, opened: () => opened, spent: () => spentMs };
}

describe('what pages look at', () => {
  it('is made once for all who look at the same and see as much', async () => {
    const { join, shownTo, made, opened, looks, scheduler } = looking();
    const all = [join('a=1'), join('a=1'), join('a=1'), join('a=2'), join('a=1', reader({ scope: 'alice' }))];
    expect([looks.count, opened()]).toEqual([3, 3]);
    expect(await Promise.all(all.slice(0, 3).map(shownTo))).toEqual(['', '', '']);
    expect(made()).toBe(1);
    expect([await shownTo(all[3] as never), await shownTo(all[4] as never), made()]).toEqual(['', 'alice', 3]);
    scheduler.advance(1_000);
    for (const one of all) one.leave();
  });

  it('is made anew for who comes when none of those before may see it any more', () => {
    const { join, looks, opened } = looking();
    let holds = true;
    const before = join('', reader({ holds: () => holds }));
    holds = false;
    const after = join();
    expect([opened(), looks.count]).toEqual([2, 1]);
    before.leave();
    expect(looks.count).toBe(1);
    after.leave();
    expect(looks.count).toBe(0);
  });

  it('is kept for nobody once all have left, each as often as it likes', () => {
    const { join, looks } = looking();
    const [first, second] = [join(), join()];
    first.leave();
    first.leave();
    expect(looks.count).toBe(1);
    second.leave();
    expect(looks.count).toBe(0);
    expect(() => join('wrong')).toThrow('wrong is not known');
    expect(looks.count).toBe(0);
  });

  it('is what somebody may see who still looks, and whose login holds', async () => {
    const { join, shownTo, scheduler } = looking();
    let holds = true;
    const [first, second] = [join('', reader({ holds: () => holds, scope: 'alice' })), join('', reader({ scope: 'alice' }))];
    expect(await shownTo(first)).toBe('alice');
    holds = false;
    scheduler.advance(1_000);
    expect(await shownTo(second)).toBe('alice');
    second.leave();
    scheduler.advance(1_000);
    expect(await shownTo(first)).toBe('');
    first.leave();
  });

  it('has a tenth of the time where it is long, and all of it together a quarter', async () => {
    for (const [count, share] of [
      [1, 0.1],
      [2, 0.25],
      [30, 0.25],
    ] as const) {
      const { join, shownTo, scheduler, spent } = looking(40);
      const pages = Array.from({ length: count }, (_, i) => join(`a=${i}`));
      for (let round = 0; round < 600; round++) {
        await Promise.all(pages.map(shownTo));
        scheduler.advance(100);
      }
      expect(spent() / (scheduler.now() + spent())).toBeLessThan(share * 1.2);
      for (const page of pages) page.leave();
    }
  });
});

describe('the pulse', () => {
  /** What is listened to is counted. */
  function pulsing() {
    const { scheduler, history, registry, gathering } = eventsRoom();
    let listening = 0;
    const counted = (stop: () => void) => {
      listening++;
      return () => {
        listening--;
        stop();
      };
    };
    const sources = {
      scheduler,
      registry,
      wallClock: () => 1_000_000 + scheduler.now(),
      taps: { beats: { known: 0, registering: 0, unknown: 0 } },
      events: { onEvent: (listener: () => void) => counted(history.onEvent(listener)) },
      health: { onService: () => counted(() => {}) },
    } as unknown as Sources;
    return { scheduler, registry, gathering, history, pulse: new Pulse(sources), listening: () => listening };
  }

  it('runs while somebody looks, and leaves nothing behind', () => {
    const { scheduler, pulse, listening, history } = pulsing();
    const before = scheduler.open;
    expect(listening()).toBe(0);
    let rounds = 0;
    const leaves = [pulse.join(() => rounds++), pulse.join(() => rounds++)];
    expect([scheduler.open, listening()]).toEqual([before + 1, 3]);
    scheduler.advance(3_000);
    expect([rounds, pulse.minutes.length, pulse.last.length]).toEqual([6, 0, 3]);
    leaves[0]?.();
    history.add({ kind: 'bridge', cause: 'stalled', detail: {} });
    expect(scheduler.open).toBe(before + 2);
    leaves[1]?.();
    expect([scheduler.open, listening(), pulse.last.length]).toEqual([before, 0, 0]);
    scheduler.advance(10_000);
    expect(rounds).toBe(6);
    // And again from the start.
    const leave = pulse.join(() => rounds++);
    history.add({ kind: 'bridge', cause: 'stalled', detail: {} });
    scheduler.advance(200);
    expect(rounds).toBe(7);
    leave();
    expect([scheduler.open, listening()]).toEqual([before, 0]);
  });

  it('counts beats in whole minutes and in the one that is not over, ten minutes and that one at most', () => {
    const { scheduler, pulse } = pulsing();
    const leave = pulse.join(() => {});
    scheduler.advance(61_000);
    const whole = pulse.minutes;
    expect([whole.length, pulse.last.length]).toEqual([60, 1]);
    scheduler.advance(58_000);
    expect(pulse.minutes).toBe(whole);
    scheduler.advance(900_000);
    expect([pulse.minutes.length, pulse.last.length]).toEqual([600, 59]);
    leave();
    expect([pulse.minutes.length, pulse.last.length]).toEqual([0, 0]);
  });

  it('gathers whatever happens, however much, a few times a second', () => {
    const { scheduler, pulse, history } = pulsing();
    let rounds = 0;
    const leave = pulse.join(() => rounds++);
    for (let ms = 0; ms < 1_000; ms++) {
      for (let i = 0; i < 10; i++) history.add({ kind: 'service', cause: 'registered', service: ORDERS });
      scheduler.advance(1);
    }
    expect(rounds).toBeLessThanOrEqual(6);
    expect(rounds).toBeGreaterThanOrEqual(4);
    leave();
  });
});
