import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kdf, MOST_AT_ONCE, MOST_WAITING, MOST_WAITING_OF_ONE, type Origin, OWN } from '../../src/access/kdf.ts';
import { randomRuns } from '../support/random.ts';
import { quickly } from './room.ts';

/** Work that ends when the test says so, and who has had a turn, in order. */
function kdfRoom() {
  const kdf = new Kdf(quickly);
  const served: Origin[] = [];
  const refused: Origin[] = [];
  const ends: (() => void)[] = [];
  const ask = (origin: Origin): void => {
    const work = () => {
      served.push(origin);
      return new Promise<true>((resolve) => void ends.push(() => resolve(true)));
    };
    void kdf.run(origin, work).then((done) => {
      if (done === undefined) refused.push(origin);
    });
  };
  /** Ends the oldest turn, and lets whatever follows happen. */
  const turn = async (): Promise<void> => {
    ends.shift()?.();
    await settled();
  };
  return { kdf, served, refused, ask, turn };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const GUESSERS = Array.from({ length: 16 }, (_, i) => `10.1.0.${i}`);

describe('turns', () => {
  it('go round by origin, and within one in the order in which they came', async () => {
    const room = kdfRoom();
    for (const origin of ['a', 'a', 'a', 'a', 'a', 'b', 'b', 'c']) room.ask(origin);
    for (let i = 0; i < 8; i++) await room.turn();
    expect(room.served.join('')).toBe('aaabcaba');
    expect(room.kdf.waiting).toBe(0);
  });

  it('are so few at a time', async () => {
    const room = kdfRoom();
    for (let i = 0; i < 5; i++) room.ask('a');
    await settled();
    expect(room.served).toHaveLength(MOST_AT_ONCE);
    await room.turn();
    expect(room.served).toHaveLength(MOST_AT_ONCE + 1);
  });
});

describe('a newcomer', () => {
  it('pushes out the last of who waits for most', async () => {
    const room = kdfRoom();
    // Six each, of which the places are taken by the first.
    for (let i = 0; i < 6; i++) for (const origin of GUESSERS) room.ask(origin);
    await settled();
    expect(room.kdf.waiting).toBe(MOST_WAITING);
    const before = room.refused.length;
    room.ask('new');
    await settled();
    expect(room.kdf.waiting).toBe(MOST_WAITING);
    expect(room.refused.length).toBe(before + 1);
    expect(room.refused).not.toContain('new');
  });

  it('is served within as many turns as there are places, whatever others do meanwhile', async () => {
    const room = kdfRoom();
    const flood = () => {
      for (const origin of GUESSERS) for (let i = 0; i < 6; i++) room.ask(origin);
    };
    flood();
    room.ask('new');
    let turns = 0;
    while (!room.served.includes('new')) {
      await room.turn();
      flood();
      turns++;
    }
    // One for each of the others.
    expect(turns).toBeLessThanOrEqual(GUESSERS.length + 1);
    expect(room.refused).not.toContain('new');
  });

  it('pushes nobody out who waits for as few', async () => {
    const room = kdfRoom();
    for (let i = 0; i < MOST_AT_ONCE + MOST_WAITING; i++) room.ask(`10.1.0.${i}`);
    await settled();
    expect(room.kdf.hasRoomFor('new')).toBe(false);
    room.ask('new');
    await settled();
    expect(room.refused).toEqual(['new']);
  });

  it('has so many places and no more, also where nobody else is', async () => {
    const room = kdfRoom();
    for (let i = 0; i < 100; i++) room.ask('a');
    await settled();
    expect(room.kdf.waiting).toBe(MOST_WAITING_OF_ONE);
    expect(room.refused).toHaveLength(100 - MOST_AT_ONCE - MOST_WAITING_OF_ONE);
    expect(room.kdf.hasRoomFor('b')).toBe(true);
  });
});

it('the process itself is never sent away, and takes its turn like one more', async () => {
  const room = kdfRoom();
  for (let i = 0; i < MOST_AT_ONCE + MOST_WAITING; i++) room.ask(`10.1.0.${i}`);
  for (let i = 0; i < 3; i++) room.ask(OWN);
  await settled();
  expect([room.kdf.waiting, room.refused.length]).toEqual([MOST_WAITING, 0]);
  for (let i = 0; i < 200 && room.served.filter((origin) => origin === OWN).length < 3; i++) await room.turn();
  expect(room.served.filter((origin) => origin === OWN)).toHaveLength(3);
  expect(room.refused).toEqual([]);
});

const runs = randomRuns(30);
it(
  `whatever comes, nobody who waits for one is sent away, nor waits for longer than there are places ${runs.title}`,
  async () => {
    const asked = fc.array(fc.tuple(fc.nat(80), fc.boolean()), { minLength: 50, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(asked, async (steps) => {
        const room = kdfRoom();
        let turns = 0;
        /** Who waits for one and nobody else for him, and since when. */
        const since = new Map<Origin, number>();
        let loners = 0;
        for (const [who, isTurn] of steps) {
          if (isTurn) {
            await room.turn();
            turns++;
          }
          room.ask(`10.0.0.${who}`);
          if (who % 4 === 0) {
            const loner = `alone ${loners++}`;
            if (room.kdf.hasRoomFor(loner)) since.set(loner, turns);
            room.ask(loner);
          }
          for (const [loner, at] of since) {
            if (room.served.includes(loner)) since.delete(loner);
            else expect(turns - at).toBeLessThanOrEqual(MOST_WAITING);
          }
          expect(room.kdf.waiting).toBeLessThanOrEqual(MOST_WAITING);
        }
        await settled();
        expect(room.refused.filter((origin) => since.has(origin))).toEqual([]);
        while (room.kdf.waiting > 0) await room.turn();
        expect(room.served.length + room.refused.length).toBe(steps.length + loners);
      }),
      runs.parameters,
    );
  },
  runs.timeoutMs,
);
