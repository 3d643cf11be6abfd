import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Refused } from '../../src/wire/refused.ts';
import type { Seat, Use } from '../../src/wire/seat.ts';
import { Seats, type SeatsLimits } from '../../src/wire/seats.ts';
import { ManualScheduler } from '../support/scheduler.ts';

class Idle implements Use {
  isIdle = true;
  mark = 0;
  left = false;

  leave(): void {
    this.left = true;
  }
}

const NO_LIMITS: SeatsLimits = { maxSockets: 1_000_000, maxSocketsPerPeer: 1_000_000 };

function setUp(descriptors: number, limits: Partial<SeatsLimits> = {}) {
  const scheduler = new ManualScheduler();
  const told: number[][] = [];
  const by: string[] = [];
  const refused = new Refused();
  const onRefused = (count: number, open: number, limit: string) => {
    told.push([count, open]);
    by.push(limit);
  };
  const seats = new Seats({
    descriptors,
    limits: { ...NO_LIMITS, ...limits },
    scheduler,
    now: scheduler.now,
    onRefused,
    refused,
  });
  const admit = (forHealth: boolean, ip = '10.0.0.1') => {
    const socket = new Socket();
    Object.defineProperty(socket, 'remoteAddress', { value: ip.includes(':') ? ip : `::ffff:${ip}` });
    return seats.admit(socket, forHealth);
  };
  const admitted = (count: number, forHealth: boolean, ip?: string): Seat[] =>
    Array.from({ length: count }, () => admit(forHealth, ip)).filter((seat) => seat !== undefined);
  const kinds = (all: readonly Seat[]) => {
    const count = (kind: string) => all.filter((seat) => seat.kind === kind).length;
    return { usual: count('usual'), guest: count('guest'), reader: count('reader') };
  };
  /** Each asks something all the time. */
  const busy = (all: readonly Seat[]) => {
    for (const seat of all) seat.serves({ isIdle: false, mark: 0, leave() {} });
    return all;
  };
  const idle = (all: readonly Seat[]) =>
    all.map((seat) => {
      const use = new Idle();
      seat.serves(use);
      return use;
    });
  const turns = () => {
    for (let i = 0; i < 3; i++) {
      scheduler.advance(0);
      admit(true)?.socket.destroy();
    }
    return new Promise((resolve) => setImmediate(resolve));
  };
  return { seats, scheduler, told, by, refused, admit, admitted, kinds, busy, idle, turns };
}

it('connections to other ports leave room for those that ask for health, to which who comes too late is a guest', () => {
  const { told, admitted, kinds } = setUp(128);
  expect(kinds(admitted(300, false))).toEqual({ usual: 66, guest: 11, reader: 0 });
  expect(told).toEqual([[1, 66]]);
});

it('readers may have all that is free, and guests no more than what is kept for them', () => {
  const { admitted, kinds, busy } = setUp(128);
  expect(kinds(admitted(10, true))).toMatchObject({ reader: 10 });
  expect(kinds(busy(admitted(300, false)).slice())).toEqual({ usual: 66, guest: 11, reader: 0 });
});

it.each([
  [20_000, 512],
  [128, 22],
  [96, 14],
  [Number.POSITIVE_INFINITY, 512],
])('of %d descriptors a third of what callers may have, at most, is for what the process dials itself: %d', (limit, expected) => {
  const { seats } = setUp(limit);
  expect(seats.setAside(512)).toBe(expected);
});

it('what is set aside is not for callers, and not taken from what is kept for health', () => {
  const { seats, admitted, kinds } = setUp(128);
  seats.setAside(512);
  expect(kinds(admitted(300, false))).toEqual({ usual: 44, guest: 11, reader: 0 });
});

it('a connection that ends makes room for another', async () => {
  const { seats, admitted, kinds, busy } = setUp(128);
  const [first] = busy(admitted(66, false));
  first?.socket.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(seats.count).toBe(65);
  expect(kinds(admitted(2, false))).toMatchObject({ usual: 1, guest: 1 });
});

it('there are no more than the option says, some of them for health', () => {
  const { seats, admitted, kinds } = setUp(Number.POSITIVE_INFINITY, { maxSockets: 40 });
  expect(kinds(admitted(300, false))).toEqual({ usual: 30, guest: 5, reader: 0 });
  expect(seats.most).toBe(40);
});

it('of one address beyond its limit all are guests, and they take nothing from another', () => {
  const { admitted, by, kinds, busy } = setUp(Number.POSITIVE_INFINITY, { maxSockets: 400, maxSocketsPerPeer: 20 });
  expect(kinds(busy(admitted(300, false)))).toEqual({ usual: 20, guest: 50, reader: 0 });
  expect(by).toEqual(['connections of one address']);
  expect(kinds(busy(admitted(20, false, '10.0.0.2')))).toMatchObject({ usual: 20 });
  // One of an address that has none is worth more than the hundredth.
  expect(kinds(admitted(1, true, '10.0.0.3'))).toMatchObject({ reader: 1 });
});

it('why somebody is a guest is known', () => {
  const { seats, admitted, busy, admit } = setUp(Number.POSITIVE_INFINITY, { maxSockets: 40, maxSocketsPerPeer: 20 });
  busy(admitted(20, false));
  const guest = admit(false);
  expect(guest && seats.limitOf(guest.socket)).toBe('connections of one address');
  busy(admitted(10, false, '10.0.0.2'));
  const other = admit(false, '10.0.0.3');
  expect(other && seats.limitOf(other.socket)).toBe('connections');
});

it('who has said nothing goes first, the first that came, once it could have been heard', async () => {
  const { seats, admitted, admit, turns, idle } = setUp(128);
  const [first, second, ...others] = admitted(66, false);
  expect(admit(false)?.kind).toBe('guest');
  idle(others);
  await turns();
  expect(admit(false)?.kind).toBe('usual');
  expect(first?.socket.destroyed).toBe(true);
  expect(second?.socket.destroyed).toBe(false);
  expect(seats.count).toBe(67);
});

it('who is idle goes next, but not who has asked since it was looked at, nor who asks something now', async () => {
  const { refused, admitted, admit, busy, idle, scheduler } = setUp(128);
  const all = admitted(66, false);
  busy(all.slice(0, 33));
  const uses = idle(all.slice(33));
  const kinds: (string | undefined)[] = [];
  for (let i = 0; i < 16; i++) {
    // Who was seen idle has been so for a while, and not only between two questions.
    if (i === 8) {
      expect(uses.some(({ left }) => left)).toBe(false);
      scheduler.advance(1_000);
    }
    // All but one ask again and again.
    for (const use of uses.slice(1)) use.mark++;
    kinds.push(admit(false)?.kind);
  }
  expect(uses.map(({ left }) => left)).toEqual([true, ...uses.slice(1).map(() => false)]);
  expect(kinds.filter((kind) => kind === 'usual')).toHaveLength(1);
  expect(refused.counts.get('idle connections')).toBe(1);
});

it('guests that are idle make room for guests, and never those that have a seat of their own', async () => {
  const { admitted, admit, busy, idle, turns } = setUp(128);
  const all = admitted(88, false);
  busy(all.filter(({ kind }) => kind === 'usual'));
  const guests = idle(all.filter(({ kind }) => kind === 'guest'));
  expect(admit(false)).toBeUndefined();
  await turns();
  for (let i = 0; i < 8; i++) expect(admit(false)?.kind).toBe('guest');
  expect(guests.some(({ left }) => left)).toBe(true);
  expect(all.filter(({ kind, socket }) => kind === 'usual' && socket.destroyed)).toEqual([]);
});

it('where all that is kept for health is in use, an address that has less of it than another is let in', () => {
  const { refused, admitted, busy, admit } = setUp(128);
  busy(admitted(66, false));
  const readers = busy(admitted(22, true));
  expect(admit(true)).toBeUndefined();
  expect(refused.counts.get('connections')).toBe(1);
  for (const ip of ['10.0.0.2', '10.0.0.3']) expect(admit(true, ip)?.kind).toBe('reader');
  expect(readers.filter(({ socket }) => socket.destroyed)).toHaveLength(2);
  expect(refused.counts.get('connections that gave way')).toBe(2);
});

it('where all usual seats are in use, one of the address that has most is for whoever has less, and is a late one', () => {
  const { admitted, admit, busy, kinds } = setUp(128);
  const few = busy(admitted(20, false, '10.0.0.2'));
  const many = busy(admitted(46, false));
  for (let i = 0; i < 13; i++) expect(admit(false, '10.0.0.3')?.kind).toBe('usual');
  expect(few.concat(many.slice(0, 20)).some(({ socket }) => socket.destroyed)).toBe(false);
  expect(many.filter(({ socket }) => socket.destroyed)).toHaveLength(13);
  // Whoever has most himself is a guest, and takes nothing from others.
  expect(kinds(admitted(5, false))).toEqual({ usual: 0, guest: 5, reader: 0 });
  expect(few.some(({ socket }) => socket.destroyed)).toBe(false);
});

it('guests take no seat of a port that serves health alone, from however many addresses they come', () => {
  const { admitted, admit, busy } = setUp(128);
  busy(admitted(66, false));
  for (let i = 0; i < 200; i++) admit(false, `10.0.1.${i}`)?.serves({ isIdle: false, mark: 1, leave() {} });
  for (let i = 0; i < 11; i++) expect(admit(true, `10.0.2.${i}`)?.kind).toBe('reader');
});

describe.each([
  ['guests', false],
  ['readers', true],
] as const)('where all seats of %s are in use, each for a watch of another address', (_, forHealth) => {
  /** All of them, heard long ago. */
  async function crowded() {
    const room = setUp(128);
    const { seats, admit, admitted, busy, turns } = room;
    if (!forHealth) for (let i = 0; i < 66; i++) busy(admitted(1, false, `10.3.0.${i}`));
    const watching = Array.from({ length: forHealth ? seats.most : 11 }, (_, i) => admit(forHealth, `10.1.${i >> 8}.${i & 255}`));
    busy(watching.filter((seat) => seat !== undefined));
    await turns();
    // Whoever came meanwhile has left.
    if (forHealth) busy(admitted(seats.most - seats.count, true, '10.4.0.1'));
    return { ...room, watching };
  }
  const gone = (all: readonly (Seat | undefined)[]) => all.filter((seat) => seat?.socket.destroyed === true).length;

  it('whoever comes next has one of the latest, and the first keep theirs', async () => {
    const { admit, watching } = await crowded();
    const before = gone(watching);
    const seat = admit(forHealth, '10.0.0.9');
    expect(seat?.kind).toBe(forHealth ? 'reader' : 'guest');
    expect(gone(watching) - before).toBe(1);
    expect(watching[0]?.socket.destroyed).toBe(false);
    // It has had no turn yet in which it could ask.
    for (let i = 0; i < 5; i++) expect(admit(forHealth, `10.0.1.${i}`)).toBeDefined();
    expect(seat?.socket.destroyed).toBe(false);
  });

  it('one address has one, and for more it takes its own', async () => {
    const { admit, watching, turns } = await crowded();
    admit(forHealth, '10.0.0.9');
    const before = gone(watching);
    for (let i = 0; i < 50; i++) {
      admit(forHealth, '10.0.0.9')?.serves({ isIdle: false, mark: 1, leave() {} });
      if (i % 10 === 0) await turns();
    }
    expect(gone(watching) - before).toBeLessThanOrEqual(20);
  });

  it('who says nothing goes before them only where these are more than half', async () => {
    const { admit, watching, turns } = await crowded();
    for (let i = 0; i < 60; i++) {
      admit(forHealth, `10.2.${i}.1`);
      await turns();
    }
    expect(gone(watching)).toBeLessThanOrEqual(Math.ceil(watching.length / 2) + 1);
    expect(watching[0]?.socket.destroyed).toBe(false);
  });
});

it('of IPv6 a network of 64 bits counts as one address', () => {
  const { admitted, admit, busy } = setUp(Number.POSITIVE_INFINITY, { maxSockets: 400, maxSocketsPerPeer: 20 });
  busy(admitted(10, false, '2001:db8::1'));
  busy(admitted(10, false, '2001:db8:0:0:ffff::2'));
  expect(admit(false, '2001:db8::3')?.kind).toBe('guest');
  expect(admit(false, '2001:db8:0:1::3')?.kind).toBe('usual');
});

it('refusals are told at once, and then no more often than every 10 s', () => {
  const { scheduler, told, admitted, busy, seats } = setUp(128);
  busy(admitted(70, false));
  expect(told).toEqual([[1, 66]]);
  scheduler.advance(10_000);
  expect(told).toEqual([
    [1, 66],
    [3, 70],
  ]);
  scheduler.advance(60_000);
  expect(told).toHaveLength(2);
  expect(scheduler.open).toBe(0);
  seats.close();
});

it('without a limit nobody is refused', () => {
  const { told, admitted, kinds } = setUp(Number.POSITIVE_INFINITY);
  expect(kinds(admitted(1_000, false))).toMatchObject({ usual: 1_000 });
  expect(told).toEqual([]);
});
