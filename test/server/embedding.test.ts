import { createServer as createTcpServer } from 'node:net';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createServer, createTestClock, type EventView, RefusedError, type ServerOptions } from '../../src/index.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { nacos } from '../support/server.ts';

failOnLeaks();

const ORDERS = { ip: '10.0.0.1', port: 8080 };

async function embedded(options: ServerOptions = {}) {
  const clock = createTestClock();
  const ports = { host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0 };
  const server = await createServer({ ...ports, probes: false, restartGraceMs: 0, clock, ...options });
  const events: EventView[] = [];
  server.on('event', (event) => events.push(event));
  return { clock, server, events, [Symbol.asyncDispose]: () => server.close(200) };
}

it('fifteen seconds of silence pass in no time, and everybody tells of it', async () => {
  await using room = await embedded();
  const { clock, server, events } = room;
  await server.registry.register('orders', ORDERS);
  expect(server.health.check('orders')).toBe('SERVING');
  await clock.advance(14_900);
  expect(server.health.check('orders')).toBe('SERVING');
  await clock.advance(200);
  expect(server.health.check('orders')).toBe('NOT_SERVING');
  expect(events.at(-1)).toMatchObject({
    kind: 'service',
    cause: 'silent',
    service: 'orders',
    from: 'serving',
    to: 'not-serving',
  });
  expect(events.at(-2)).toMatchObject({ instances: [{ ...ORDERS, lastBeatAt: '2026-01-01T00:00:00.000Z' }] });
  const told = await fetch(`http://${server.listeners.health}/health/orders`);
  expect([told.status, await told.json()]).toMatchObject([503, { failing: [{ ...ORDERS, cause: 'silent' }] }]);
  expect(server.registry.beat('orders', ORDERS)).toBe(true);
  expect(server.health.check('orders')).toBe('SERVING');
  await clock.advance(30_100);
  expect(server.registry.instances('orders')).toEqual([]);
});

it('who beats stays, however much time passes', async () => {
  await using room = await embedded();
  const { clock, server, events } = room;
  await server.registry.register('orders', ORDERS);
  for (let i = 0; i < 100; i++) {
    await clock.advance(5_000);
    server.registry.beat('orders', ORDERS);
  }
  expect(server.health.check('orders')).toBe('SERVING');
  expect(events.map(({ cause }) => cause)).toEqual(['registered', 'registered']);
});

it('a status that is told once it has lasted is told in its time', async () => {
  await using room = await embedded({ fallAfterMs: 5_000 });
  const { clock, server } = room;
  await server.registry.register('orders', ORDERS);
  await clock.advance(19_900);
  expect(server.health.check('orders')).toBe('SERVING');
  await clock.advance(200);
  expect(server.health.check('orders')).toBe('NOT_SERVING');
});

it('checks are made in its time, over real sockets', async () => {
  const target = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => target.once('listening', resolve));
  const address = target.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await using room = await embedded({ probes: true, probeAllow: '127.0.0.1' });
  const { clock, server } = room;
  await server.registry.register('db', { ip: '127.0.0.1', port: address.port, ephemeral: false });
  await clock.advance(60_000);
  expect(server.health.check('db')).toBe('SERVING');
  await new Promise((resolve) => target.close(resolve));
  await clock.advance(60_000);
  expect(server.health.check('db')).toBe('NOT_SERVING');
});

it('what clients have registered is seen, and what is registered here is seen by clients', async () => {
  await using room = await embedded();
  const { server } = room;
  await nacos(server, 'POST', '/instance', {
    serviceName: 'G1@@pay',
    namespaceId: 'dev',
    ip: '10.0.0.2',
    port: 81,
    metadata: '{"a":"1"}',
  });
  const pay = { namespace: 'dev', group: 'G1', name: 'pay' };
  expect(server.registry.services()).toEqual([{ ...pay, instances: 1, healthy: 1, available: 1 }]);
  expect(server.registry.services('public')).toEqual([]);
  expect(server.registry.instances(pay)).toEqual([
    {
      ip: '10.0.0.2',
      port: 81,
      cluster: 'DEFAULT',
      ephemeral: true,
      weight: 1,
      enabled: true,
      healthy: true,
      available: true,
      metadata: { a: '1' },
      silentMs: 0,
    },
  ]);
  await server.registry.register('orders', { ...ORDERS, weight: 0, cluster: 'C1', metadata: { zone: 2 } });
  expect(server.registry.instances('orders')).toMatchObject([{ weight: 0, available: false, metadata: { zone: '2' } }]);
  const list = await nacos(server, 'GET', '/instance/list', { serviceName: 'orders' });
  expect(await list.json()).toMatchObject({ hosts: [{ ...ORDERS, clusterName: 'C1' }] });
  await server.registry.deregister('orders', ORDERS);
  expect(server.registry.instances('orders')).toEqual([]);
  expect(server.registry.instances('nobody')).toBeUndefined();
  expect(server.registry.beat('nobody', ORDERS)).toBe(false);
});

it('what a client may not say is refused here too, with why', async () => {
  await using room = await embedded({ maxInstances: 1, maxMetadataLength: 1_024 });
  const { registry, health } = room.server;
  const refusals: [() => unknown, string, RegExp][] = [
    [() => registry.register('', ORDERS), 'invalid', /serviceName/],
    [() => registry.register({ namespace: 'a b', name: 'x' }, ORDERS), 'invalid', /namespace/],
    [() => registry.register('orders', { ...ORDERS, port: 65_536 }), 'invalid', /port/],
    [() => registry.register('orders', { ...ORDERS, ip: '' }), 'invalid', /ip/],
    [() => registry.register('orders', { ...ORDERS, weight: -1 }), 'bad-weight', /weight/],
    [
      () => registry.register('orders', { ...ORDERS, metadata: { 'preserved.heart.beat.timeout': 1_000 } }),
      'bad-instance',
      /below/,
    ],
    [() => registry.register('orders', { ...ORDERS, metadata: { a: 'x'.repeat(5_000) } }), 'bad-metadata', /max-metadata/],
  ];
  for (const [act, reason, text] of refusals) {
    const refused = await Promise.resolve()
      .then(act)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(refused).toBeInstanceOf(RefusedError);
    expect(refused).toMatchObject({ reason, message: expect.stringMatching(text) });
  }
  expect(() => registry.beat('', ORDERS)).toThrow(RefusedError);
  expect(() => registry.instances('')).toThrow(RefusedError);
  expect(() => registry.services('a b')).toThrow(RefusedError);
  expect(() => health.check('orders?nonsense=1')).toThrow(RefusedError);
  expect(() => health.watch('orders?nonsense=1')).toThrow(RefusedError);
  await registry.register('orders', ORDERS);
  await expect(registry.register('orders', { ...ORDERS, port: 81 })).rejects.toMatchObject({ reason: 'too-many' });
});

it('the program that embeds it is no client whose calls are counted by the second', async () => {
  await using room = await embedded({ maxRegistrationsPerSecondPerPeer: 1, maxBeatsPerSecondPerPeer: 1 });
  const { registry } = room.server;
  for (let port = 1; port <= 1_000; port++) await registry.register('orders', { ip: '10.0.0.1', port });
  for (let port = 1; port <= 1_000; port++) expect(registry.beat('orders', { ip: '10.0.0.1', port })).toBe(true);
});

it('a watch tells the status now and each that is another, and misses what is over by the time it is read', async () => {
  await using room = await embedded();
  const { server } = room;
  const watch = server.health.watch('orders');
  expect(await watch.next()).toEqual({ done: false, value: 'SERVICE_UNKNOWN' });
  const next = watch.next();
  await server.registry.register('orders', { ...ORDERS, enabled: false });
  expect(await next).toEqual({ done: false, value: 'NOT_SERVING' });
  await server.registry.register('orders', ORDERS);
  await server.registry.deregister('orders', ORDERS);
  await server.registry.register('orders', ORDERS);
  expect(await watch.next()).toEqual({ done: false, value: 'SERVING' });
  const never = watch.next();
  await watch.return?.();
  expect([await never, await watch.next()]).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

it('a watch ends with its signal, and with the server', async () => {
  const room = await embedded();
  const { health } = room.server;
  const ended = new AbortController();
  const [own, other] = [health.watch('', { signal: ended.signal }), health.watch('orders')];
  expect([await own.next(), await other.next()]).toMatchObject([{ value: 'SERVING' }, { value: 'SERVICE_UNKNOWN' }]);
  const both = [own.next(), other.next()] as const;
  ended.abort();
  expect(await both[0]).toEqual({ done: true, value: undefined });
  await room.server.close(200);
  expect(await both[1]).toEqual({ done: true, value: undefined });
  expect(await health.watch('orders', { signal: ended.signal }).next()).toEqual({ done: true, value: undefined });
});

it('list has the bridge and all services of the default namespace', async () => {
  await using room = await embedded();
  const { registry, health } = room.server;
  await registry.register('orders', ORDERS);
  await registry.register('G1@@pay', { ...ORDERS, enabled: false });
  await registry.register({ namespace: 'dev', name: 'x' }, ORDERS);
  expect([...health.list()]).toEqual([
    ['', 'SERVING'],
    ['orders', 'SERVING'],
    ['G1@@pay', 'NOT_SERVING'],
  ]);
});

it('a listener that throws, rejects or spoils what it is given hurts nobody, and is logged once until it does right again', async () => {
  const logged: { msg: string }[] = [];
  await using room = await embedded({
    log: pino({ level: 'error' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
  const { clock, server, events } = room;
  let isBroken = true;
  server.on('event', () => {
    if (isBroken) throw new Error('broken');
  });
  server.on('event', async () => {
    throw new Error('broken too');
  });
  server.on('event', (event) => Object.assign(event, { cause: 'dropped', instances: [] }));
  const late: EventView[] = [];
  const off = server.on('event', (event) => late.push(event));
  const flip = async () => {
    await server.registry.register('orders', ORDERS);
    await clock.advance(0);
    await server.registry.deregister('orders', ORDERS);
    await clock.advance(0);
  };
  await flip();
  expect(late.map(({ cause }) => cause)).toEqual(['registered', 'registered', 'deregistered', 'deregistered']);
  expect(late).toEqual(events);
  expect(logged.map(({ msg }) => msg)).toEqual(Array(2).fill("a listener of server.on('event') failed"));
  isBroken = false;
  await flip();
  isBroken = true;
  await flip();
  expect(logged).toHaveLength(3);
  const before = late.length;
  off();
  await flip();
  expect(late).toHaveLength(before);
});

it.each([
  ['a promise of another realm', () => runInNewContext('Promise.reject(new Error("of another realm"))')],
  // biome-ignore lint/suspicious/noThenProperty: it is what such a listener gives.
  ['something with a then', () => ({ then: (_: unknown, no: (error: Error) => void) => no(new Error('no promise')) })],
  [
    'a then that throws',
    () =>
      Object.defineProperty({}, 'then', {
        get: () => {
          throw new Error('no then');
        },
      }),
  ],
])('%s that a listener gives back hurts nobody, and each failure after a success is logged', async (_, fails) => {
  const logged: { msg: string }[] = [];
  await using room = await embedded({
    log: pino({ level: 'error' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
  let calls = 0;
  room.server.on('event', async () => undefined);
  room.server.on('event', () => (++calls % 2 === 1 ? fails() : Promise.resolve()));
  for (let port = 1; port <= 5; port++) {
    await room.server.registry.register(`s${port}`, { ...ORDERS, port });
    await room.clock.advance(100);
  }
  expect(calls).toBe(10);
  expect(logged.map(({ msg }) => msg)).toEqual(Array(5).fill("a listener of server.on('event') failed"));
});

it('what its types do not allow is refused in clear words, and makes nothing', async () => {
  await using room = await embedded();
  const { registry, health } = room.server;
  const on: unknown = room.server.on;
  const calls: readonly (readonly [unknown, readonly unknown[], RegExp])[] = [
    ...[undefined, null, 5, ['x'], new Map(), () => 'x'].map(
      (bad) => [registry.register, [bad, ORDERS], /^a service must be/] as const,
    ),
    [registry.register, [{}, ORDERS], /^name must be a text, got undefined$/],
    [registry.register, [{ name: 5 }, ORDERS], /^name must be a text, got 5$/],
    [registry.register, [{ name: 'x', group: null }, ORDERS], /^group must be a text, got null$/],
    [registry.register, [{ name: 'x', namespace: 5 }, ORDERS], /^namespace must be a text, got 5$/],
    ...[undefined, null, 5, 'x', new Map()].map(
      (bad) => [registry.register, ['x', bad], /^an instance must be an object/] as const,
    ),
    [registry.register, ['x', {}], /^ip must be a text, got undefined$/],
    [registry.register, ['x', { ip: '10.0.0.1' }], /^port must be a number, got undefined$/],
    [registry.register, ['x', { ...ORDERS, port: '80' }], /^port must be a number, got "80"$/],
    [registry.register, ['x', { ...ORDERS, port: Number.NaN }], /port/],
    [registry.register, ['x', { ...ORDERS, cluster: 5 }], /^cluster must be a text/],
    [registry.register, ['x', { ...ORDERS, weight: '3' }], /^weight must be a number, got "3"$/],
    [registry.register, ['x', { ...ORDERS, enabled: 'false' }], /^enabled must be true or false, got "false"$/],
    [registry.register, ['x', { ...ORDERS, healthy: 0 }], /^healthy must be true or false, got 0$/],
    [registry.register, ['x', { ...ORDERS, metadata: new Map([['a', 'b']]) }], /^metadata must be an object .*, got object Map$/],
    [registry.register, ['x', { ...ORDERS, metadata: null }], /^metadata must be an object/],
    [registry.register, ['x', { ...ORDERS, metadata: ['a'] }], /^metadata must be an object/],
    [registry.register, ['x', { ...ORDERS, metadata: { a: undefined } }], /^metadata "a" must be a text.*, got undefined$/],
    [registry.register, ['x', { ...ORDERS, metadata: { a: { b: 1 } } }], /^metadata "a" must be a text/],
    [registry.beat, ['x'], /^an instance must be an object/],
    [registry.deregister, ['x', {}], /^ip must be a text/],
    [registry.instances, [null], /^a service must be/],
    [registry.services, [5], /^namespace must be a text, got 5$/],
    [health.check, [undefined], /^a health name must be a text, got undefined$/],
    [health.check, [5], /^a health name must be a text, got 5$/],
    [health.watch, [null], /^a health name must be a text, got null$/],
    [health.watch, ['x', null], /^the options of a watch must be an object, got null$/],
    [health.watch, ['x', { signal: {} }], /^signal must be an AbortSignal/],
    [on, ['nope', () => {}], /^what is listened to must be "event", got "nope"$/],
    ...[undefined, null, {}, 'x'].map((bad) => [on, ['event', bad], /^the listener must be a function/] as const),
  ];
  for (const [call, given, text] of calls) {
    const refused = await Promise.resolve()
      // As a program that is not checked calls them.
      .then(() => (call as (...given: readonly unknown[]) => unknown)(...given))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(refused, String(text)).toBeInstanceOf(RefusedError);
    expect(refused).toMatchObject({ reason: 'invalid', message: expect.stringMatching(text) });
  }
  expect(registry.services()).toEqual([]);
  expect(room.events.filter(({ kind }) => kind !== 'bridge')).toEqual([]);
});

it('a listener may close the server by which it hears, and is told of that once', async () => {
  await using room = await embedded();
  const { server, events } = room;
  const closed: Promise<void>[] = [];
  server.on('event', () => void closed.push(server.close(200)));
  await server.registry.register('orders', ORDERS);
  await expect.poll(() => closed.length).toBeGreaterThan(0);
  await Promise.all(closed);
  expect(events.filter(({ cause }) => cause === 'draining')).toHaveLength(1);
});
