import { expect, it } from 'vitest';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { type Begun, heard, ProberRoom } from './prober-room.ts';

failOnLeaks();

const INTERVAL = { 'health.check': 'tcp', 'health.check.interval': '1s' };

/** `count` instances that are checked, each at an address of its own, or all at one. */
function register({ registry }: ProberRoom, count: number, ip?: string): void {
  for (let i = 0; i < count; i++)
    registry.register(orders, registration({ ip: ip ?? `10.1.${i >> 8}.${i & 255}`, port: i + 1, metadata: INTERVAL }));
}

it('no more are under way than may be, in all, and each that waits has its turn', async () => {
  using room = new ProberRoom({ maxProbes: 10 }).start();
  register(room, 100);
  let most = 0;
  for (let i = 0; i < 700; i++) {
    await room.pass(10);
    most = Math.max(most, room.prober.underWay);
  }
  expect(most).toBe(10);
  expect(new Set(room.begun.map(({ port }) => port)).size).toBe(100);
});

it('no more are under way to one address than may be, however it is spelt, and others do not wait for them', async () => {
  using room = new ProberRoom({ maxProbesPerAddress: 3 }).start();
  room.answer = ({ ip, pass }) => ip.startsWith('10.2.') && pass();
  register(room, 10, '10.0.0.1');
  for (let port = 1; port <= 10; port++)
    room.registry.register(orders, registration({ ip: '::ffff:10.0.0.1', port, metadata: INTERVAL }));
  for (let port = 1; port <= 10; port++)
    room.registry.register(orders, registration({ ip: `10.2.0.${port}`, metadata: INTERVAL }));
  await room.pass(510);
  expect(room.prober.underWay).toBe(3);
  expect(room.begun.length).toBe(13);
  await room.pass(6_000);
  const turns = new Map<string, number>();
  for (const { ip, port } of room.begun) turns.set(`${ip} ${port}`, (turns.get(`${ip} ${port}`) ?? 0) + 1);
  expect(turns.size).toBe(30);
  expect(room.prober.underWay).toBe(3);
});

it('those that may take longer than others have half of the room, and no one else waits for them', async () => {
  using room = new ProberRoom({ maxProbes: 10, maxProbesPerAddress: 4 }).start();
  room.answer = ({ port, pass }) => port > 1_000 && pass();
  const patient = { ...INTERVAL, 'health.check.timeout': '10s' };
  for (let port = 1; port <= 100; port++)
    room.registry.register(orders, registration({ ip: `10.1.0.${port % 4}`, port, metadata: patient }));
  await room.pass(2_000);
  expect(room.prober.underWay).toBe(5);
  // At the same addresses, and at another.
  for (let port = 1_001; port <= 1_020; port++)
    room.registry.register(orders, registration({ ip: `10.1.0.${port % 5}`, port, metadata: INTERVAL }));
  await room.pass(5_000);
  const quick = room.begun.filter(({ port }) => port > 1_000);
  expect(new Set(quick.map(({ port }) => port)).size).toBe(20);
  expect(quick.length).toBeGreaterThanOrEqual(4 * 20);
  // Among themselves chance decides.
  await room.pass(300_000, 50);
  expect(new Set(room.begun.map(({ port }) => port)).size).toBeGreaterThan(60);
});

it('no more begin within a second than may, in small portions, those first that are due first', async () => {
  // Spread over half a second, in an order of their own.
  const dueOf = (n: number) => Math.floor(((n * 7_919) % 1_000) / 2);
  let n = 0;
  using room = new ProberRoom({ maxProbesPerSecond: 200 }, () => dueOf(n++) / 1_000 + 1e-9).start();
  register(room, 1_000);
  room.scheduler.stall(1_000);
  while (room.begun.length < 1_000) await room.pass(1, 1);
  const at = room.begun.map((begun) => begun.at);
  for (const [n, time] of at.entries()) expect((at[n + 200] ?? Number.POSITIVE_INFINITY) - time).toBeGreaterThanOrEqual(1_000);
  // Two at once.
  for (const [n, time] of at.entries()) expect(at[n + 2] ?? Number.POSITIVE_INFINITY).toBeGreaterThan(time);
  const dues = room.begun.map(({ port }) => dueOf(port - 1));
  expect(dues).toEqual([...dues].sort((one, other) => one - other));
  expect(at.at(-1)).toBeLessThan(6_100);
});

it('those that hang do not pile up: each is checked once at a time, and no more often than its pace says', async () => {
  using room = new ProberRoom({ maxProbes: 1_000 }).start();
  register(room, 100);
  const open = new Map<number, Begun>();
  const twice: Begun[] = [];
  room.answer = (begun) => {
    if (open.get(begun.port)?.signal.aborted === false) twice.push(begun);
    open.set(begun.port, begun);
  };
  await room.pass(15_400);
  // A check of half a second, and a second until the next.
  expect([room.begun.length, twice]).toEqual([1_000, []]);
});

it('when a target goes that has room, the one that waits behind it gets it', async () => {
  let n = 0;
  using room = new ProberRoom({ maxProbesPerAddress: 1 }, () => ++n / 10).start();
  register(room, 3, '10.0.0.1');
  await room.pass(400);
  expect(room.begun.map(({ port }) => port)).toEqual([1]);
  room.registry.deregister(orders, { ip: '10.0.0.1', port: 1 });
  room.registry.deregister(orders, { ip: '10.0.0.1', port: 2 });
  await room.pass(20);
  expect(room.begun.map(({ port }) => port)).toEqual([1, 3]);
});

it('while the event loop is busy others come first, and an eighth of the checks goes on', async () => {
  using room = new ProberRoom({ maxProbesPerSecond: 1_000 }).start();
  register(room, 400);
  room.busy = 1;
  await room.pass(490);
  expect(room.begun.length).toBe(0);
  await room.pass(400);
  expect(room.begun.length).toBe(50);
  room.busy = 0;
  await room.pass(400);
  expect(room.begun.length).toBe(400);
});

it('more than the limits allow is said in one line a minute', async () => {
  using room = new ProberRoom({ maxProbesPerSecond: 10 }).start();
  room.answer = ({ pass }) => pass();
  register(room, 100);
  await room.pass(9_000, 50);
  expect(room.lines).toEqual([]);
  await room.pass(100_000, 50);
  expect(room.lines).toMatchObject([
    { level: 40, msg: 'checks fall behind: more is due than is begun', targets: 100, maxProbesPerSecond: 10 },
    { level: 40, lateMs: expect.any(Number) },
  ]);
  expect(room.lines[1]?.lateMs).toBeGreaterThan(8_000);
});

it('a crowd that comes at once and is worked off is no overload', async () => {
  using room = new ProberRoom({ maxProbesPerSecond: 200 }).start();
  room.answer = ({ pass }) => pass();
  for (let i = 0; i < 1_000; i++)
    room.registry.register(orders, registration({ port: i + 1, metadata: { ...INTERVAL, 'health.check.interval': '60s' } }));
  await room.pass(30_000, 50);
  expect([room.begun.length, room.lines]).toEqual([1_000, []]);
});

it('an event about one of ten thousand instances of a service costs no look at the others', async () => {
  using room = new ProberRoom().start();
  register(room, 10_000);
  const all = room.registry.instances;
  let looks = 0;
  room.registry.instances = function (...args) {
    looks++;
    return all.apply(this, args);
  };
  room.registry.deregister(orders, { ip: '10.1.0.0', port: 1 });
  room.registry.register(orders, registration({ ip: '10.1.0.1', port: 2, metadata: {} }));
  room.registry.beat(orders, { ip: '10.1.0.1', port: 2 });
  expect([looks, room.prober.targetCount]).toEqual([0, 9_998]);
  await heard();
});
