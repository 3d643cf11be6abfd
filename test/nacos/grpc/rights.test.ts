import { describe, expect, it } from 'vitest';
import { answerer } from '../../../src/nacos/grpc/protocol.ts';
import { requestTable } from '../../../src/nacos/grpc/table.ts';
import { silenceOf } from '../../../src/nacos/rules.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { gateOf } from '../../../src/server/door.ts';
import type { Peer } from '../../../src/wire/exchange.ts';
import { accessRoom, asked, PASSWORD } from '../../access/room.ts';
import { orders, registration } from '../../support/instances.ts';
import { emptyNacos } from '../../support/nacos-room.ts';

/** What is told over a connection by rights that end while it lives, as clients use it: they subscribe once, and log in again in time. */

const TTL_S = 300;
const MINUTE = 60_000;

async function setUp() {
  const access = accessRoom({ auth: true, tokenTtlSeconds: TTL_S });
  const { scheduler } = access;
  const { now } = scheduler;
  for (const name of ['ann', 'bob']) await access.addUser(name, PASSWORD, 'writer');
  const registry = new Registry(now, { silenceOf, graceMs: 0 });
  const nacos = emptyNacos({ scheduler, now, wallClock: now, registry, gate: gateOf(access) });
  const { connections, configs } = nacos.rooms;
  const answerTo = answerer(nacos.rooms, requestTable(nacos.rooms));
  const cut: string[] = [];
  const login = async (name = 'ann') => {
    const given = await access.access.login(asked(), { name, password: PASSWORD });
    if (given.isRefusal) throw new Error(given.text);
    return { accessToken: given.accessToken };
  };
  const change = (port: number) => registry.register(orders, registration({ port }));
  const user = (name = 'ann') => access.users.find(name) ?? expect.fail(`no ${name}`);

  /** A client that has set up its connection. */
  function join(name: string, certificate?: Peer['certificate']) {
    const peer: Peer = { connection: { name }, ip: '10.0.0.1', port: 1, certificate, cut: () => void cut.push(name) };
    const setup = { clientVersion: 'Nacos-Java-Client:v2.5.1', labels: {}, negotiates: false };
    const connection = connections.setUp(peer, setup, () => {}) ?? expect.fail('refused');
    const ask = async (type: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
      JSON.parse((await answerTo({ type, headers, body: Buffer.from(JSON.stringify(body)) }, peer)).body);
    const told: unknown[] = [];
    const read = () => {
      scheduler.advance(0);
      for (let next = connection.outbox.take(); next !== undefined; next = connection.outbox.take()) {
        const { requestId, serviceInfo } = JSON.parse(next.body);
        connection.answered(requestId, true);
        told.push(serviceInfo?.hosts.map(({ port }: { readonly port: number }) => port) ?? next.type);
        scheduler.advance(0);
      }
    };
    return {
      connection,
      ask,
      subscribe: (headers = {}) =>
        ask('SubscribeServiceRequest', { serviceName: 'orders', subscribe: true, clusters: '' }, headers),
      register: (port: number, headers = {}) =>
        ask('InstanceRequest', { serviceName: 'mine', type: 'registerInstance', instance: { ip: '10.0.0.1', port } }, headers),
      listen: (headers = {}) =>
        ask(
          'ConfigBatchListenRequest',
          { listen: true, configListenContexts: [{ dataId: 'd', group: 'DEFAULT_GROUP', tenant: '', md5: '' }] },
          headers,
        ),
      /** What has gone out over it, all of it acknowledged: the ports of a list, or what else it is. */
      taken() {
        read();
        return told.splice(0);
      },
      /** As a client lives that makes no call: it reads what comes, and checks the health of the server, which carries no login. */
      live() {
        read();
        connections.heard(peer);
      },
    };
  }

  /** Time passes, through which all of these live. */
  function pass(ms: number, ...clients: ReturnType<typeof join>[]) {
    for (let left = ms; left > 0; left -= 1_000) {
      for (const client of clients) client.live();
      scheduler.advance(Math.min(left, 1_000));
    }
  }

  return {
    ...access,
    registry,
    connections,
    configs,
    cut,
    login,
    change,
    user,
    join,
    pass,
    [Symbol.dispose]() {
      for (const connection of [...connections.all()]) connections.end(connection, 'closed');
      nacos.close();
      access.refusedCallers.stop();
    },
  };
}

describe('a login that is over', () => {
  it.each([
    ['a list', 'ServiceListRequest', { pageNo: 1, pageSize: 9 }],
    ['a registration', 'InstanceRequest', { serviceName: 'x', type: 'registerInstance', instance: { ip: '10.0.0.1', port: 1 } }],
    ['a text', 'ConfigPublishRequest', { dataId: 'other', group: 'G', content: 'x' }],
  ])('ends what is pushed by it, until %s brings the next, and nothing is missed', async (_, type, body) => {
    using room = await setUp();
    const client = room.join('a');
    await client.subscribe(await room.login());
    room.change(1);
    expect(client.taken()).toEqual([[1]]);
    room.pass((TTL_S + 60) * 1_000, client);
    room.change(2);
    expect(client.taken()).toEqual([[1, 2]]);
    room.pass(1_000, client);
    room.change(3);
    room.change(4);
    expect(client.taken()).toEqual([]);
    room.pass(20_000, client);
    expect(client.taken()).toEqual([]);
    expect(await client.ask(type, body, await room.login())).toMatchObject({ resultCode: 200 });
    expect(client.taken()).toEqual([[1, 2, 3, 4]]);
    room.pass(MINUTE, client);
    expect([client.taken(), room.cut]).toEqual([[], []]);
  });

  it('is renewed beforehand by a client that calls, and nothing of it is seen', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.subscribe(await room.login());
    client.taken();
    for (let port = 1; port <= 5; port++) {
      room.pass((TTL_S - 30) * 1_000, client);
      await client.ask('ServiceQueryRequest', { serviceName: 'orders' }, await room.login());
      room.pass(100_000, client);
      room.change(port);
      expect(client.taken()).toEqual([Array.from({ length: port }, (_, i) => i + 1)]);
    }
    expect(room.cut).toEqual([]);
  });

  it('counts for nothing beside a later one, in whatever order they are shown', async () => {
    using room = await setUp();
    const client = room.join('a');
    const older = await room.login();
    room.pass(100_000, client);
    const newer = await room.login();
    for (const headers of [newer, older]) await client.subscribe(headers);
    client.taken();
    await client.ask('ServiceListRequest', {}, older);
    room.pass((TTL_S - 30) * 1_000, client);
    room.change(1);
    expect(client.taken()).toEqual([[1]]);
    expect(await client.ask('ServiceListRequest', {}, older)).toMatchObject({ errorCode: 403 });
    room.pass(91_000, client);
    room.change(2);
    expect(client.taken()).toEqual([]);
  });

  it('is not renewed by another user, by a call that is refused, or by one without any', async () => {
    using room = await setUp();
    const client = room.join('a');
    const first = await room.login();
    await client.subscribe(first);
    client.taken();
    room.pass((TTL_S + 61) * 1_000, client);
    room.change(1);
    for (const headers of [first, {}, { accessToken: 'none' }])
      expect(await client.ask('ServiceListRequest', {}, headers)).toMatchObject({ errorCode: 403 });
    expect(await client.ask('ServiceListRequest', {}, await room.login('bob'))).toMatchObject({ resultCode: 200 });
    expect(client.taken()).toEqual([]);
    expect(await client.subscribe(await room.login('bob'))).toMatchObject({ resultCode: 200 });
    expect(client.taken()).toEqual([[1]]);
  });

  it('ends notices of texts too, which are made up for', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.listen(await room.login());
    const publish = (content: string) =>
      room.configs.publish({ namespace: 'public', group: 'DEFAULT_GROUP', dataId: 'd' }, content, 'text', '');
    publish('one');
    expect(client.taken()).toEqual(['ConfigChangeNotifyRequest']);
    room.pass((TTL_S + 61) * 1_000, client);
    publish('two');
    publish('three');
    expect(client.taken()).toEqual([]);
    await client.ask('ServiceListRequest', {}, await room.login());
    expect(client.taken()).toEqual(['ConfigChangeNotifyRequest']);
  });

  it('ends a push that waits for the one before to be acknowledged', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.subscribe(await room.login());
    room.pass((TTL_S + 59) * 1_000, client);
    client.taken();
    room.change(1);
    room.scheduler.advance(0);
    const { requestId } = JSON.parse(client.connection.outbox.take()?.body ?? '{}');
    room.change(2);
    room.scheduler.advance(2_000);
    client.connection.answered(requestId, true);
    expect(client.taken()).toEqual([]);
  });
});

describe('a client that makes no call by itself', () => {
  it('is asked to connect anew half a minute after its login is over, and cut off 10 s later, so that it is not deaf for ever', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.subscribe(await room.login());
    client.taken();
    room.pass((TTL_S + 60) * 1_000, client);
    room.pass(30_000, client);
    expect(client.taken()).toEqual([]);
    room.pass(2_000, client);
    expect(client.taken()).toEqual(['ConnectResetRequest']);
    room.pass(8_000, client);
    expect(room.cut).toEqual([]);
    room.pass(2_000, client);
    expect([client.taken(), room.cut]).toEqual([[], ['a']]);
    room.change(1);
    const again = room.join('b');
    await again.subscribe(await room.login());
    expect(again.taken()).toEqual([[1]]);
  });

  it('stays when it calls after all, and is asked again the next time', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.subscribe(await room.login());
    client.taken();
    for (const sinceLoginMs of [0, MINUTE]) {
      room.pass((TTL_S + 95) * 1_000 - sinceLoginMs, client);
      expect(client.taken()).toEqual(['ConnectResetRequest']);
      await client.ask('ServiceListRequest', {}, await room.login());
      room.pass(MINUTE, client);
    }
    expect(room.cut).toEqual([]);
  });

  it('is left alone where it is told of nothing', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.register(80, await room.login());
    room.pass((TTL_S + 600) * 1_000, client);
    expect([client.taken(), room.cut]).toEqual([[], []]);
  });

  it.each([
    ['first connects anew', true],
    ['is cut off first', false],
  ])('keeps what it has registered when it %s', async (_, connectsFirst) => {
    using room = await setUp();
    const client = room.join('a');
    const token = await room.login();
    await client.subscribe(token);
    await client.register(80, token);
    const seen: unknown[] = [];
    const mine = { ...orders, name: 'mine' };
    room.registry.onChange(() => seen.push(room.registry.tally(mine)?.available ?? 0));
    room.pass((TTL_S + 92) * 1_000, client);
    expect(client.taken()).toEqual([[], 'ConnectResetRequest']);
    if (connectsFirst) {
      const early = room.join('b');
      await early.register(80, await room.login());
      room.connections.end(client.connection, 'closed');
      room.pass(90_000, early);
    } else {
      room.pass(11_000, client);
      expect(room.cut).toEqual(['a']);
      // Python's looks every 30 s whether there is something to be done again.
      room.pass(30_000);
      const late = room.join('b');
      await late.register(80, await room.login());
      room.pass(90_000, late);
    }
    expect(room.registry.tally(mine)).toMatchObject({ available: 1 });
    expect(seen).not.toContain(0);
  });

  it('has lost what it has registered when it does not come back', async () => {
    using room = await setUp();
    const client = room.join('a');
    const token = await room.login();
    await client.subscribe(token);
    await client.register(80, token);
    const total = () => room.registry.tally({ ...orders, name: 'mine' })?.total ?? 0;
    room.pass((TTL_S + 103) * 1_000, client);
    expect([room.cut, total()]).toEqual([['a'], 1]);
    room.pass(46_000);
    expect(total()).toBe(0);
    expect(room.scheduler.open).toBeLessThan(10);
  });

  it('is one of a hundred in a second, however many have logged in together', async () => {
    using room = await setUp();
    const token = await room.login();
    const clients = Array.from({ length: 250 }, (_, i) => room.join(`c${i}`));
    for (const client of clients) await client.subscribe(token);
    for (const client of clients) client.taken();
    const calls: number[] = [];
    room.pass((TTL_S + 89) * 1_000, ...clients);
    for (let second = 0; second < 6; second++) {
      room.pass(1_000, ...clients);
      calls.push(clients.filter((client) => client.taken().includes('ConnectResetRequest')).length);
    }
    expect(calls.filter((count) => count > 0)).toEqual([100, 100, 50]);
  });
});

describe('a right that is taken', () => {
  it.each<[how: string, take: (room: Awaited<ReturnType<typeof setUp>>) => () => void]>([
    [
      'a user who is disabled',
      ({ users, user }) => {
        const before = user();
        users.put({ ...before, isDisabled: true });
        return () => users.put(before);
      },
    ],
    [
      'a user who is dropped',
      ({ users, user }) => {
        const before = user();
        users.drop('ann');
        return () => users.put(before);
      },
    ],
    [
      'a role',
      ({ userAdmin }) => {
        userAdmin.revoke('writer', 'ann');
        return () => void userAdmin.grant('reader@public:DEFAULT_GROUP', 'ann');
      },
    ],
  ])('ends what is pushed: %s; and what was missed is told once it is back', async (_, take) => {
    using room = await setUp();
    const client = room.join('a');
    const token = await room.login();
    await client.subscribe(token);
    await client.listen(token);
    room.change(1);
    expect(client.taken()).toEqual([[1]]);
    const giveBack = take(room);
    room.change(2);
    room.configs.publish({ namespace: 'public', group: 'DEFAULT_GROUP', dataId: 'd' }, 'x', 'text', '');
    room.pass(10_000, client);
    expect(client.taken()).toEqual([]);
    giveBack();
    room.pass(1_000, client);
    expect(new Set(client.taken())).toEqual(new Set([[1, 2], 'ConfigChangeNotifyRequest']));
    expect(room.cut).toEqual([]);
  });

  it('is gone with a password, until the next login', async () => {
    using room = await setUp();
    const client = room.join('a');
    await client.subscribe(await room.login());
    await client.listen(await room.login());
    client.taken();
    const prepared = await room.userAdmin.prepared('ann', 'another horse', '10.0.0.1');
    if ('why' in prepared) throw new Error(prepared.text);
    room.userAdmin.changePassword('ann', prepared);
    room.change(1);
    room.configs.publish({ namespace: 'public', group: 'DEFAULT_GROUP', dataId: 'd' }, 'x', 'text', '');
    // It does not help to wait, and nobody is sent away for it.
    room.pass(120_000, client);
    expect([client.taken(), room.cut]).toEqual([[], []]);
    const given = await room.access.login(asked(), { name: 'ann', password: 'another horse' });
    if (given.isRefusal) throw new Error(given.text);
    await client.ask('ServiceListRequest', {}, { accessToken: given.accessToken });
    expect(new Set(client.taken())).toEqual(new Set([[1], 'ConfigChangeNotifyRequest']));
  });

  it('of one who has unsubscribed, or left, leaves nothing behind', async () => {
    using room = await setUp();
    const [client, other] = [room.join('a'), room.join('b')];
    for (const one of [client, other]) {
      await one.subscribe(await room.login());
      await one.listen(await room.login());
      one.taken();
    }
    const before = room.user();
    room.users.put({ ...before, isDisabled: true });
    room.change(1);
    room.configs.publish({ namespace: 'public', group: 'DEFAULT_GROUP', dataId: 'd' }, 'x', 'text', '');
    room.pass(1_000, client, other);
    const bob = await room.login('bob');
    await client.ask('SubscribeServiceRequest', { serviceName: 'orders', subscribe: false, clusters: '' }, bob);
    await client.ask(
      'ConfigBatchListenRequest',
      { listen: false, configListenContexts: [{ dataId: 'd', group: 'DEFAULT_GROUP', tenant: '', md5: '' }] },
      bob,
    );
    room.connections.end(other.connection, 'closed');
    room.users.put(before);
    room.pass(5_000, client);
    expect([client.taken(), other.taken()]).toEqual([[], []]);
  });
});

it('a certificate that is over ends what is pushed by it, and its client is called back at once, whatever it has asked for', async () => {
  using room = await setUp();
  room.users.put({ ...room.user(), certificate: 'CN=ann' });
  const certificate = { subject: 'CN=ann', subjectAltName: '', validUntil: room.scheduler.now() + 100_000 };
  const [subscriber, provider] = [room.join('subscriber', certificate), room.join('provider', certificate)];
  await subscriber.subscribe();
  await provider.register(80);
  subscriber.taken();
  room.pass(99_000, subscriber, provider);
  room.change(1);
  expect(subscriber.taken()).toEqual([[1]]);
  room.pass(1_000, subscriber, provider);
  room.change(2);
  expect([subscriber.taken(), provider.taken()]).toEqual([['ConnectResetRequest'], ['ConnectResetRequest']]);
  expect(await provider.register(80)).toMatchObject({ errorCode: 403 });
  room.pass(11_000, subscriber, provider);
  expect(room.cut).toEqual(['subscriber', 'provider']);
  expect(room.registry.tally({ ...orders, name: 'mine' })).toMatchObject({ available: 1 });
});
