import { pino } from 'pino';
import { expect, it } from 'vitest';
import { EventLog } from '../../src/events/event-log.ts';
import { linesOf } from '../../src/wire/line-budget.ts';
import { at, BY, eventsRoom, ORDERS, SAID } from '../support/events-room.ts';

function logged(level = 'info') {
  const room = eventsRoom();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const eventLog = new EventLog(room.history, linesOf(room.scheduler, log), log);
  room.gathering.start();
  const turn = () => {
    room.turn();
    return lines.splice(0);
  };
  const silence = () => {
    room.scheduler.advance(15_001);
    while (room.registry.sweep() === 'more');
    return turn();
  };
  return { ...room, turn, silence, lines, eventLog };
}

it('a service that changes is a line, with why, by whom and who it was; what changes no service is for who looks closer', () => {
  const { registry, silence, turn } = logged();
  for (const i of [1, 2]) registry.register(ORDERS, { ...SAID, ...at(i) }, BY);
  expect(turn()).toMatchObject([
    {
      level: 30,
      msg: 'orders is SERVING: 10.0.0.1:80 and 1 more: registered',
      namespace: 'public',
      service: 'G@@orders',
      cause: 'registered',
      from: 'unknown',
      to: 'serving',
      ...BY,
      available: 2,
      total: 2,
      needed: 1,
      who: ['10.0.0.1:80', '10.0.0.2:80'],
    },
  ]);
  registry.deregister(ORDERS, at(2), BY);
  expect(turn()).toEqual([]);
  expect(silence()).toMatchObject([
    {
      msg: 'orders is NOT_SERVING: 10.0.0.1:80 silent for 15.0 s (last beat 00:16:40 from 10.9.9.9)',
      cause: 'silent',
      who: ['10.0.0.1:80'],
    },
  ]);
});

it('who looks closer sees instances too', () => {
  const { registry, turn } = logged('debug');
  registry.register(ORDERS, { ...SAID, ...at(1) }, BY);
  expect(turn().map(({ level, msg }) => [level, msg])).toEqual([
    [20, '10.0.0.1:80 of orders: registered'],
    [30, 'orders is SERVING: 10.0.0.1:80: registered'],
  ]);
});

it('thousands who fall silent at once are a line a service with the first of them, and no more than twenty lines a second', () => {
  const { registry, silence, turn, scheduler, lines } = logged();
  for (let i = 0; i < 1_000; i++) registry.register(ORDERS, { ...SAID, ...at(i) });
  turn();
  scheduler.advance(1_000);
  const [line, ...others] = silence().filter(({ level }) => level === 30);
  expect(line).toMatchObject({ count: 1_000 });
  expect([line?.msg, line?.who, others]).toEqual([
    'orders is NOT_SERVING: 10.0.0.0:80 and 999 more: no beat for too long',
    Array.from({ length: 20 }, (_, i) => `${at(i).ip}:80`),
    [],
  ]);
  for (let i = 0; i < 100; i++) registry.register({ ...ORDERS, name: `s${i}` }, { ...SAID, ...at(1) });
  scheduler.advance(1_000);
  turn();
  expect(silence().filter(({ level }) => level === 30)).toHaveLength(20);
  scheduler.advance(1_000);
  expect(lines.splice(0)).toMatchObject([{ msg: 'more happened within this second: see /events', count: expect.any(Number) }]);
});

it('that very many fell silent at once is a warning, once', () => {
  const { registry, silence } = logged();
  for (let i = 0; i < 100; i++) registry.register(ORDERS, { ...SAID, ...at(i) });
  expect(silence().filter(({ level }) => level === 40)).toMatchObject([{ count: 51, cause: 'mass-silence' }]);
});

it('a service that has healthy instances and is not serving has a word for why', () => {
  const { registry, turn } = logged();
  const last = () => turn().at(-1);
  registry.create(ORDERS);
  expect(last()).toMatchObject({ msg: 'orders is NOT_SERVING: created (no instances)', because: 'no-instances' });
  registry.register(ORDERS, { ...SAID, ...at(1) });
  turn();
  registry.edit(ORDERS, at(1), { enabled: false });
  expect(last()).toMatchObject({
    msg: 'orders is NOT_SERVING: 10.0.0.1:80: edited by an operator (healthy, but disabled)',
    because: 'disabled',
  });
  registry.unedit(ORDERS, at(1));
  turn();
  registry.register(ORDERS, { ...SAID, ...at(1), weight: 0 });
  expect(last()).toMatchObject({
    msg: 'orders is NOT_SERVING: 10.0.0.1:80: registered again (healthy, but of weight 0)',
    because: 'weight-0',
  });
});

it('what others can bring about of the process itself is counted among the lines of a second; what befalls it is not', () => {
  const { history, scheduler, lines } = logged();
  for (let i = 0; i < 100; i++) history.add({ kind: 'bridge', cause: 'configured', detail: { field: `namespace ${i}` } });
  expect(lines).toHaveLength(20);
  history.add({ kind: 'bridge', cause: 'stalled', detail: { gapMs: 3_000 } });
  expect(lines).toHaveLength(21);
  scheduler.advance(1_000);
  expect(lines.at(-1)).toMatchObject({ count: 80 });
});

it('what a terminal would obey is written out, in the sentence and in each field', () => {
  const { registry, turn } = logged();
  const service = { ...ORDERS, name: 'a\u009b31mred\u202eevil\u001b[2J' };
  registry.register(service, { ...SAID, ...at(1) }, { ...BY, agent: 'x\u009d', user: '\u2066jane' });
  registry.edit(service, at(1), { metadata: { zone: '\u202db' } }, BY);
  registry.edit(service, at(1), { enabled: false }, BY);
  const lines = turn();
  expect(lines.length).toBeGreaterThan(0);
  const texts = lines.flatMap((line) => Object.values(line)).join(' ');
  expect(texts).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  expect(lines[0]).toMatchObject({ service: 'G@@a\\u009b31mred\\u202eevil\\u001b[2J' });
  expect(lines[0]?.msg).toContain('a\\u009b31mred\\u202eevil\\u001b[2J is');
});
