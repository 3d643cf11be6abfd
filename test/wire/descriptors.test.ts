import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Descriptors } from '../../src/wire/descriptors.ts';
import { ManualScheduler } from '../support/scheduler.ts';

function setUp(limit: number) {
  const scheduler = new ManualScheduler();
  const told: number[][] = [];
  const descriptors = new Descriptors(limit, scheduler, (...facts) => told.push(facts));
  const admitted = (count: number, forHealth: boolean) =>
    Array.from({ length: count }, () => new Socket()).filter((socket) => descriptors.admit(socket, forHealth));
  return { descriptors, scheduler, told, admitted };
}

it('connections to other ports leave room for those that ask for health', () => {
  const { told, admitted } = setUp(128);
  expect(admitted(300, false)).toHaveLength(66);
  expect(admitted(300, true)).toHaveLength(22);
  expect(told).toEqual([[1, 66]]);
});

it.each([
  [20_000, 512],
  [128, 22],
  [96, 14],
  [Number.POSITIVE_INFINITY, 512],
])('of %d descriptors a third of what callers may have, at most, is for what the process dials itself: %d', (limit, expected) => {
  const { descriptors } = setUp(limit);
  expect(descriptors.setAside(512)).toBe(expected);
});

it('what is set aside is not for callers', () => {
  const { descriptors, admitted } = setUp(128);
  descriptors.setAside(512);
  expect(admitted(300, false)).toHaveLength(44);
  expect(admitted(300, true)).toHaveLength(22);
});

it('a connection that ends makes room for another', async () => {
  const { admitted } = setUp(128);
  const [first] = admitted(66, false);
  first?.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(admitted(10, false)).toHaveLength(1);
});

it('refusals are told at once, and then no more often than every 10 s', () => {
  const { scheduler, told, admitted } = setUp(128);
  admitted(70, false);
  expect(told).toEqual([[1, 66]]);
  scheduler.advance(10_000);
  expect(told).toEqual([
    [1, 66],
    [3, 66],
  ]);
  scheduler.advance(60_000);
  expect(told).toHaveLength(2);
  expect(scheduler.open).toBe(0);
});

it('without a limit nobody is refused', () => {
  const { told, admitted } = setUp(Number.POSITIVE_INFINITY);
  expect(admitted(1_000, false)).toHaveLength(1_000);
  expect(told).toEqual([]);
});
