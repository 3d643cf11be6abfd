import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/wire/exchange.ts';
import { HeldBodies, type HeldBody, heldThrough } from '../../src/wire/held-bodies.ts';
import { Refused } from '../../src/wire/refused.ts';
import { randomRuns } from '../support/random.ts';

/** `hold(IP, NAME)`: a body of the connection of that name. What is refused, and what is cut, is noted. */
function room(maxHeldBytes: number, maxHeldBytesPerPeer: number, maxHeldBytesInAll: number) {
  const cut: string[] = [];
  const refused: string[] = [];
  const counts = new Refused();
  const bodies = new HeldBodies({ maxHeldBytes, maxHeldBytesPerPeer, maxHeldBytesInAll }, counts);
  const connections = new Map<string, object>();
  const peer = (ip: string, name: string): Peer => {
    const connection = connections.get(name) ?? { name };
    connections.set(name, connection);
    return { connection, ip, port: 0, cut: () => void cut.push(name) };
  };
  const body = (ip: string, name: string, most?: number): HeldBody =>
    bodies.of(peer(ip, name), () => void refused.push(name), most);
  return { bodies, cut, refused, counts: counts.counts, peer, body };
}

describe('bodies that are not whole', () => {
  it('are bounded for each connection, all of its bodies together', () => {
    const { bodies, body, refused, cut, counts } = room(100, 1_000, 1_000);
    const [first, second] = [body('A', 'one'), body('A', 'one')];
    expect([first.hold(60), second.hold(40), second.hold(41), first.hold(61)]).toEqual([true, true, false, false]);
    expect(body('A', 'other').hold(100)).toBe(true);
    expect(bodies.bytes).toBe(200);
    first.hold(0);
    expect(second.hold(100)).toBe(true);
    expect([refused, cut]).toEqual([[], []]);
    expect(counts.get('bytes held')).toBe(2);
  });

  it('are bounded more closely where that is said', () => {
    const { body } = room(100, 1_000, 1_000);
    const first = body('A', 'stranger', 10);
    expect([first.hold(10), body('A', 'stranger', 10).hold(1)]).toEqual([true, false]);
    // How long one may be, others say.
    expect([first.hold(200), body('A', 'stranger', 10).hold(1)]).toEqual([true, false]);
  });

  it('are bounded in all: the address that holds most is refused one, and nobody else, however much his is', () => {
    const { bodies, body, refused, cut } = room(200, 1_000, 250);
    const many = [40, 50, 60].map((bytes, i) => {
      const one = body('A', `a${i}`);
      expect(one.hold(bytes)).toBe(true);
      return one;
    });
    expect(body('B', 'b').hold(90)).toBe(true);
    expect(body('C', 'c').hold(20)).toBe(true);
    expect(refused).toEqual(['a0']);
    expect(bodies.bytes).toBe(220);
    // It has been told, and is cut if it goes on.
    expect(cut).toEqual([]);
    expect(many[0]?.hold(41)).toBe(false);
    expect(cut).toEqual(['a0']);
    many[0]?.hold(0);
    expect(bodies.bytes).toBe(220);
  });

  it('are bounded for each address: of those that hold much, whoever has been at it longest is refused', () => {
    const { body, refused, bodies } = room(100, 100, 1_000);
    expect(body('A', 'little').hold(2)).toBe(true);
    for (const name of ['first', 'second', 'third']) expect(body('A', name).hold(30)).toBe(true);
    const honest = body('A', 'honest');
    for (let bytes = 5; bytes <= 60; bytes += 5) expect(honest.hold(bytes)).toBe(true);
    expect(refused).toEqual(['first', 'second']);
    expect(body('B', 'other').hold(100)).toBe(true);
    expect(bodies.bytes).toBe(2 + 30 + 60 + 100);
  });

  it('one alone may be longer than what an address may hold', () => {
    const { body, refused } = room(100, 50, 1_000);
    const one = body('A', 'one');
    expect([one.hold(80), one.hold(90)]).toEqual([true, true]);
    expect(body('A', 'two').hold(10)).toBe(true);
    expect(refused).toEqual(['one']);
  });

  it('are refused all at once, those of a connection together', () => {
    const { body, refused } = room(100, 100, 1_000);
    const [a, b] = [body('A', 'one'), body('A', 'one')];
    expect([a.hold(40), b.hold(40), body('A', 'two').hold(30)]).toEqual([true, true, true]);
    expect(refused).toEqual(['one', 'one']);
    expect([a.bytes, b.bytes]).toEqual([0, 0]);
  });

  it('are refused to whoever asks for so much that it is the one, in the answer alone', () => {
    const { bodies, body, refused, cut } = room(100, 1_000, 120);
    body('A', 'little').hold(30);
    const much = body('B', 'much');
    expect(much.hold(100)).toBe(false);
    expect([refused, cut, much.bytes, bodies.bytes]).toEqual([[], [], 0, 30]);
  });

  const chunks = async function* (count: number) {
    for (let i = 0; i < count; i++) yield new Uint8Array(30);
  };
  const refusal = () => new Error('too much');

  it('are let go of at their end, however it came', async () => {
    const { bodies, body, peer } = room(100, 1_000, 1_000);
    body('A', 'a').hold(10);
    let taken = 0;
    const reading = async () => {
      for await (const { length } of heldThrough(bodies, peer('A', 'a'), chunks(5), { refusal })) taken += length;
    };
    await expect(reading()).rejects.toThrow('too much');
    expect([taken, bodies.bytes]).toEqual([90, 10]);
    for await (const { length } of heldThrough(bodies, peer('A', 'a'), chunks(2), { refusal })) taken += length;
    expect([taken, bodies.bytes]).toEqual([150, 10]);
  });

  it('are refused while nothing comes of them', async () => {
    const { bodies, body, peer } = room(100, 100, 1_000);
    let hears = () => {};
    const heard = new Promise<void>((resolve) => {
      hears = resolve;
    });
    async function* stalled() {
      yield new Uint8Array(60);
      hears();
      await new Promise(() => {});
    }
    const reading = async () => {
      for await (const _ of heldThrough(bodies, peer('A', 'slow'), stalled(), { refusal }));
    };
    const read = reading();
    await heard;
    expect(bodies.bytes).toBe(60);
    expect(body('A', 'quick').hold(50)).toBe(true);
    await expect(read).rejects.toThrow('too much');
    expect(bodies.bytes).toBe(50);
  });

  it('are refused while what has come is being worked on', async () => {
    const { bodies, body, peer } = room(100, 100, 1_000);
    const reading = async () => {
      for await (const _ of heldThrough(bodies, peer('A', 'slow'), chunks(2), { refusal }))
        expect(body('A', 'quick').hold(90)).toBe(true);
    };
    await expect(reading()).rejects.toThrow('too much');
  });

  it('are held as far as is said', async () => {
    const { bodies, peer } = room(100, 100, 1_000);
    const seen: number[] = [];
    for await (const _ of heldThrough(bodies, peer('A', 'a'), chunks(3), { refusal, held: () => seen.length }))
      seen.push(bodies.bytes);
    expect([seen, bodies.bytes]).toEqual([[0, 1, 2], 0]);
  });

  const runs = randomRuns(300);
  it(`are counted right, whatever comes and goes ${runs.title}`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.nat(60)), { maxLength: 200 }), (steps) => {
        const { bodies, body } = room(100, 90, 150);
        const names = ['a', 'b', 'c', 'd', 'e', 'f'];
        // Two of each address.
        const all = names.map((name, i) => [0, 1, 2].map(() => body(`${i >> 1}`, name)));
        for (const [i, j, bytes] of steps) {
          const held = all[i]?.[j];
          if (held === undefined) continue;
          const before = held.bytes;
          // As it was said, as before, or nothing any more.
          if (held.hold(bytes)) expect(held.bytes).toBe(bytes);
          else expect([before, 0]).toContain(held.bytes);
        }
        const sum = all.flat().reduce((bytes, held) => bytes + held.bytes, 0);
        expect(bodies.bytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(150);
        for (const held of all.flat()) held.hold(0);
        expect(bodies.bytes).toBe(0);
      }),
      runs.parameters,
    );
  });
});
