import { describe, expect, it } from 'vitest';
import {
  type Caller,
  MOST_CALLERS,
  MOST_KINDS,
  MOST_OF_NETWORK,
  RefusedCallers,
  type Told,
  toldLine,
} from '../../src/access/refused-callers.ts';
import { Refused } from '../../src/wire/refused.ts';
import { ManualScheduler } from '../support/scheduler.ts';

function room() {
  const scheduler = new ManualScheduler();
  const told: Told[] = [];
  const refused = new Refused();
  const callers = new RefusedCallers(scheduler, (one) => void told.push(one), refused);
  return { scheduler, told, callers, refused, lines: () => told.splice(0).map(toldLine), [Symbol.dispose]: () => callers.stop() };
}

const GO: Caller = { address: '10.2.3.4', client: 'Nacos-Go-Client:v2.3.5', need: 'write', example: 'register orders' };

describe('who is refused', () => {
  it('is told at once, and then once a minute how often', () => {
    using it = room();
    for (let i = 0; i < 38; i++) it.callers.refused('not-trusted', GO);
    expect(it.lines()).toEqual(['refused 1 write from 10.2.3.4 (Nacos-Go-Client:v2.3.5): not-trusted; e.g. register orders']);
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual(['refused 37 writes from 10.2.3.4 (Nacos-Go-Client:v2.3.5): not-trusted; e.g. register orders']);
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual([]);
    it.callers.refused('no-login', GO);
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual(['refused 1 write from 10.2.3.4 (Nacos-Go-Client:v2.3.5): no-login; e.g. register orders']);
    expect([...it.callers.counts]).toEqual([
      ['not-trusted', 38],
      ['no-login', 1],
    ]);
    expect([...it.refused.counts]).toEqual([
      ['callers (not-trusted)', 38],
      ['callers (no-login)', 1],
    ]);
  });

  it('is told by address, client and kind of call', () => {
    using it = room();
    for (const more of [
      {},
      { address: '10.2.3.5' },
      { client: 'npm' },
      { need: 'read' as const },
      { need: undefined },
      { example: 'beat' },
    ])
      it.callers.refused('not-trusted', { ...GO, ...more });
    expect(it.told.map(({ address, client, need, isFirst }) => [address, client, need, isFirst])).toEqual([
      ['10.2.3.4', 'Nacos-Go-Client:v2.3.5', 'write', true],
      ['10.2.3.5', 'Nacos-Go-Client:v2.3.5', 'write', true],
      ['10.2.3.4', 'npm', 'write', true],
      ['10.2.3.4', 'Nacos-Go-Client:v2.3.5', 'read', true],
      ['10.2.3.4', 'Nacos-Go-Client:v2.3.5', undefined, true],
    ]);
  });

  it('is news again after ten quiet minutes, and then there is nothing left of him', () => {
    using it = room();
    it.callers.refused('not-trusted', GO);
    expect(it.scheduler.open).toBe(1);
    it.scheduler.advance(600_000);
    expect(it.scheduler.open).toBe(0);
    it.callers.refused('not-trusted', GO);
    expect(it.told.map(({ isFirst }) => isFirst)).toEqual([true, true]);
  });

  it('cannot fill the log or the memory: of too many there is a number', () => {
    using it = room();
    for (let i = 0; i < MOST_CALLERS + 5_000; i++)
      it.callers.refused('not-trusted', { ...GO, address: `10.${i >> 8}.${i & 255}.1` });
    expect(it.told).toHaveLength(MOST_CALLERS);
    it.told.length = 0;
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual(['refused 5000 calls from others']);
    expect(it.callers.counts.get('not-trusted')).toBe(MOST_CALLERS + 5_000);
  });

  it('and comes again and again is named, however many have come once', () => {
    using it = room();
    for (let i = 0; i < MOST_CALLERS; i++) it.callers.refused('no-login', { ...GO, address: `10.${i >> 8}.${i & 255}.1` });
    it.told.length = 0;
    for (let i = 0; i < 3_000; i++) {
      if (i % 500 === 0) it.callers.refused('not-trusted', GO);
      it.callers.refused('no-login', { ...GO, address: `172.${i >> 8}.${i & 255}.1` });
    }
    expect(it.told).toEqual([]);
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual([
      'refused 6 writes from 10.2.3.4 (Nacos-Go-Client:v2.3.5): not-trusted; e.g. register orders',
      'refused 3000 calls from others',
    ]);
    expect(it.scheduler.open).toBe(1);
    it.scheduler.advance(1_200_000);
    expect(it.scheduler.open).toBe(0);
  });

  it('and has a network of IPv6 is named by so many addresses of it, and then by the network', () => {
    using it = room();
    const from = (i: number) => it.callers.refused('no-login', { ...GO, address: `2001:db8:0:1:0:0:0:${i.toString(16)}` });
    for (let i = 0; i < 5_000; i++) from(i);
    expect(it.told).toHaveLength(MOST_OF_NETWORK + 1);
    expect(it.lines().at(-1)).toBe('refused 1 write from 2001:db8:0:1::/64 (and others): no-login; e.g. register orders');
    from(0);
    it.callers.refused('no-login', { ...GO, address: '2001:db8:0:2:0:0:0:1' });
    expect(it.lines().at(-1)).toContain('from 2001:db8:0:2:0:0:0:1 ');
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual([
      `refused ${5_000 - MOST_OF_NETWORK - 1} writes from 2001:db8:0:1::/64 (and others): no-login; e.g. register orders`,
      'refused 1 write from 2001:db8:0:1:0:0:0:0 (Nacos-Go-Client:v2.3.5): no-login; e.g. register orders',
    ]);
    it.scheduler.advance(600_000);
    expect(it.scheduler.open).toBe(0);
  });

  it('and calls himself another each time, cannot take the room of others', () => {
    using it = room();
    for (let i = 0; i < 5_000; i++) it.callers.refused('not-trusted', { ...GO, client: `client ${i}` });
    expect(it.told).toHaveLength(MOST_KINDS + 1);
    it.callers.refused('not-trusted', { ...GO, client: 'client 0' });
    it.callers.refused('not-trusted', { ...GO, address: '10.2.3.5' });
    expect(it.lines().at(-1)).toBe('refused 1 write from 10.2.3.5 (Nacos-Go-Client:v2.3.5): not-trusted; e.g. register orders');
    it.scheduler.advance(60_000);
    expect(it.lines()).toEqual([
      `refused ${5_000 - MOST_KINDS - 1} writes from 10.2.3.4 (and others): not-trusted; e.g. register orders`,
      'refused 1 write from 10.2.3.4 (client 0): not-trusted; e.g. register orders',
    ]);
    it.scheduler.advance(600_000);
    it.callers.refused('not-trusted', { ...GO, client: 'client 21' });
    expect(it.lines()).toEqual(['refused 1 write from 10.2.3.4 (client 21): not-trusted; e.g. register orders']);
  });

  it('cannot write lines of his own', () => {
    using it = room();
    it.callers.refused('not-trusted', {
      ...GO,
      client: `x\n{"level":"fatal"}${'y'.repeat(1_000)}`,
      example: '\u001b[2Jregister',
    });
    expect(it.told[0]?.client).toBe(`x?{"level":"fatal"}${'y'.repeat(64 - 19)}`);
    expect(it.told[0]?.example).toBe('?[2Jregister');
  });
});

it('who is let in without a login is told likewise', () => {
  using it = room();
  for (let i = 0; i < 3; i++) it.callers.letIn('no-login', GO);
  it.scheduler.advance(60_000);
  expect(it.lines()).toEqual([
    'let in without a login 1 write from 10.2.3.4 (Nacos-Go-Client:v2.3.5): no-login; e.g. register orders',
    'let in without a login 2 writes from 10.2.3.4 (Nacos-Go-Client:v2.3.5): no-login; e.g. register orders',
  ]);
  expect(it.callers.counts.size).toBe(0);
});

it('a trusted address that hands on is told once', () => {
  using it = room();
  for (let i = 0; i < 3; i++) it.callers.handsOn({ ...GO, client: `${i}` });
  it.scheduler.advance(60_000);
  expect(it.lines()).toEqual(['10.2.3.4 is trusted and hands on what others ask: whoever reaches it is trusted as it is']);
});
