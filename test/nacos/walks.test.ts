import { expect, it } from 'vitest';
import { TooMany } from '../../src/nacos/errors.ts';
import type { Paused } from '../../src/nacos/turns.ts';
import { type Walker, Walks } from '../../src/nacos/walks.ts';

/** A turn of the event loop at a time; each part of any work takes a millisecond. */
function setUp(maxLongReads = 100, maxLongReadsPerPeer = 50) {
  let ms = 0;
  let soon: (() => void)[] = [];
  const done: string[] = [];
  const walks = new Walks({
    scheduler: { soon: (run) => void soon.push(run) },
    now: () => ms,
    limits: { maxLongReads, maxLongReadsPerPeer },
  });
  function* work(name: string, parts: number): Paused<string> {
    for (let i = 1; i <= parts; i++) {
      if (i > 1) yield;
      ms++;
      done.push(`${name}${i}`);
    }
    return name;
  }
  /** What was done in it. */
  const turn = () => {
    const due = soon;
    soon = [];
    for (const run of due) run();
    return done.splice(0).join(' ');
  };
  /** So that nothing of this turn is left. */
  const busy = () => {
    void walks.run(work('x', 1));
    void walks.run(work('y', 1));
    done.splice(0);
  };
  return { walks, work, done, turn, busy };
}

function at(ip: string): Walker {
  return { ip, hasLeft: () => false };
}

it('what does not pause is done at once as long as the turn has time for it', () => {
  const { walks, work, turn } = setUp();
  expect(walks.run(work('a', 1), at('1'))).toBe('a');
  expect(walks.run(work('b', 1), at('1'))).toBe('b');
  expect(walks.run(work('c', 1), at('1'))).toBeInstanceOf(Promise);
  turn();
  expect(walks.run(work('d', 1), at('1'))).toBe('d');
});

it('however many go on, a turn has no more of them than two milliseconds', () => {
  const { walks, work, turn, done } = setUp();
  for (let i = 0; i < 40; i++) void walks.run(work('a', 10), at(String(i % 7)));
  expect(done.splice(0)).toHaveLength(2);
  let count = 2;
  for (let said = turn(); said !== ''; said = turn()) {
    expect(said.split(' ').length).toBeLessThanOrEqual(2);
    count += said.split(' ').length;
  }
  expect(count).toBe(400);
});

it('of what goes on the addresses have their turn one after the other, and within one address the first is finished first', () => {
  const { walks, work, turn, busy } = setUp();
  busy();
  for (const [name, ip] of ['a1', 'b1', 'c2'].map((text) => [text.slice(0, 1), text.slice(1)]))
    void walks.run(work(name ?? '', 4), at(ip ?? ''));
  const turns = Array.from({ length: 6 }, turn);
  expect(turns).toEqual(['a1 a2', 'c1 a3', 'b1 c2', 'a4 c3', 'b2 c4', 'b3']);
});

it('whoever asks for little does not wait for the end of what goes on', async () => {
  const { walks, work, turn, busy } = setUp();
  busy();
  for (let i = 0; i < 20; i++) void walks.run(work('a', 1_000), at('1'));
  for (let i = 0; i < 20; i++) turn();
  const little = walks.run(work('b', 1), at('1'));
  expect(turn() + turn()).toContain('b1');
  expect(await little).toBe('b');
});

it('more than may go on are refused, of one address and in all, and room is made by whoever is done', async () => {
  const { walks, work, turn, busy } = setUp(3, 2);
  busy();
  const ask = (ip: string) => {
    return Promise.resolve(walks.run(work('a', 9), at(ip))).then(
      () => 'done',
      (error: unknown) => (error instanceof TooMany ? error.limit : error),
    );
  };
  const asked = Promise.all(['1', '1', '1', '2', '3'].map(ask));
  // What is nobody's is never refused.
  const own = walks.run(work('b', 2));
  // They have not begun.
  expect(walks.count).toBe(0);
  for (let i = 0; i < 4; i++) turn();
  expect(walks.count).toBe(3);
  while (turn() !== '');
  expect(walks.count).toBe(0);
  expect((await asked).toSorted()).toEqual(['done', 'done', 'done', 'long reads', 'long reads']);
  expect(await own).toBe('b');
});

it('of one address no more than so many go on', async () => {
  const { walks, work, turn, busy } = setUp(9, 2);
  busy();
  const ask = () => Promise.resolve(walks.run(work('a', 9), at('1'))).catch((error: unknown) => error);
  const asked = Promise.all([ask(), ask(), ask()]);
  while (turn() !== '');
  expect(await asked).toEqual(['a', 'a', expect.objectContaining({ limit: 'long reads of one address' })]);
});

it('what is done in one go is refused to nobody, however many ask', async () => {
  const { walks, work, turn, busy } = setUp(3, 2);
  busy();
  const asked = Promise.all(Array.from({ length: 500 }, (_, i) => walks.run(work(String(i), 1), at('1'))));
  while (turn() !== '');
  expect(await asked).toHaveLength(500);
});

it('of what has not begun the addresses have their turn one after the other, too', () => {
  const { walks, work, turn, busy } = setUp();
  busy();
  for (let i = 0; i < 100; i++) void walks.run(work('a', 1), at('1'));
  void walks.run(work('b', 1), at('2'));
  expect(turn()).toBe('a1 b1');
});

it('nothing more is done for whoever has left', () => {
  const { walks, work, turn, busy } = setUp();
  busy();
  let hasLeft = false;
  void walks.run(work('a', 9), { ip: '1', hasLeft: () => hasLeft });
  expect(turn()).toBe('a1');
  hasLeft = true;
  expect([turn(), turn(), walks.count]).toEqual(['', '', 0]);
});

it('what must have begun has, however busy the turn is', () => {
  const { walks, work, done, busy } = setUp();
  busy();
  expect(walks.begin(work('a', 1))).toBe('a');
  void walks.begin(work('b', 2));
  expect(done).toEqual(['a1', 'b1']);
});
