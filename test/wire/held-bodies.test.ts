import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/wire/exchange.ts';
import { HeldBodies } from '../../src/wire/held-bodies.ts';
import { randomRuns } from '../support/random.ts';

function room(maxHeldBytes: number, maxHeldBytesInAll: number) {
  const cut: string[] = [];
  const peer = (name: string): Peer => ({ connection: { name }, ip: '', port: 0, cut: () => void cut.push(name) });
  return { bodies: new HeldBodies({ maxHeldBytes, maxHeldBytesInAll }), cut, peer };
}

describe('bodies that are not whole', () => {
  it('are bounded for each connection, all of its bodies together', () => {
    const { bodies, cut, peer } = room(100, 1_000);
    const one = peer('one');
    const [first, second] = [bodies.of(one), bodies.of(one)];
    expect([first.hold(60), second.hold(40), second.hold(41), first.hold(61)]).toEqual([true, true, false, false]);
    expect(bodies.of(peer('other')).hold(100)).toBe(true);
    expect(bodies.bytes).toBe(200);
    first.hold(0);
    expect(second.hold(100)).toBe(true);
    expect(cut).toEqual([]);
  });

  it('are bounded more closely where that is said', () => {
    const { bodies, peer } = room(100, 1_000);
    const stranger = peer('stranger');
    const first = bodies.of(stranger, 10);
    expect([first.hold(10), bodies.of(stranger, 10).hold(1)]).toEqual([true, false]);
    // How long one may be, others say.
    expect([first.hold(200), bodies.of(stranger, 10).hold(1)]).toEqual([true, false]);
  });

  it('are bounded in all: whoever holds most is ended, and nobody else', () => {
    const { bodies, cut, peer } = room(100, 250);
    const held = [
      ['a', 40],
      ['b', 90],
      ['c', 80],
    ] as const;
    const all = held.map(([name, bytes]) => {
      const body = bodies.of(peer(name));
      expect(body.hold(bytes)).toBe(true);
      return body;
    });
    const little = bodies.of(peer('d'));
    expect(little.hold(50)).toBe(true);
    expect(cut).toEqual(['b']);
    expect(bodies.bytes).toBe(170);
    // What is still on its way from it is taken no more.
    expect(all[1]?.hold(91)).toBe(false);
    all[1]?.hold(0);
    expect(bodies.bytes).toBe(170);
  });

  it('are refused to whoever asks for so much that it is the one with most', () => {
    const { bodies, cut, peer } = room(100, 120);
    bodies.of(peer('little')).hold(30);
    expect(bodies.of(peer('much')).hold(100)).toBe(false);
    expect(cut).toEqual(['much']);
    expect(bodies.bytes).toBe(30);
  });

  it('are let go of at their end, however it came', async () => {
    const { bodies, peer } = room(100, 1_000);
    async function* chunks() {
      for (let i = 0; i < 5; i++) yield new Uint8Array(30);
    }
    let taken = 0;
    const one = peer('a');
    const other = bodies.of(one);
    other.hold(10);
    const reading = async () => {
      for await (const { length } of bodies.of(one).through(chunks(), () => new Error('too much'))) taken += length;
    };
    await expect(reading()).rejects.toThrow('too much');
    expect([taken, bodies.bytes]).toEqual([90, 10]);
  });

  const runs = randomRuns(300);
  it(`are counted right, whatever comes and goes ${runs.title}`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.nat(60)), { maxLength: 200 }), (steps) => {
        const { bodies, peer, cut } = room(100, 150);
        const peers = ['a', 'b', 'c', 'd'].map((name) => peer(name));
        const all = peers.map((one) => [0, 1, 2].map(() => ({ body: bodies.of(one), bytes: 0 })));
        for (const [i, j, bytes] of steps) {
          const held = all[i]?.[j];
          // Nothing comes from one that was ended.
          if (cut.includes('abcd'.charAt(i))) continue;
          if (held?.body.hold(bytes)) held.bytes = bytes;
        }
        const alive = all.filter((_, i) => !cut.includes('abcd'.charAt(i)));
        const sum = alive.flat().reduce((bytes, held) => bytes + held.bytes, 0);
        expect(bodies.bytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(150);
        for (const held of all.flat()) held.body.hold(0);
        expect(bodies.bytes).toBe(0);
      }),
      runs.parameters,
    );
  });
});
