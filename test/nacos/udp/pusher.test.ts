import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { Lists } from '../../../src/nacos/lists.ts';
import { Switches } from '../../../src/nacos/switches.ts';
import type { Poller } from '../../../src/nacos/udp/pollers.ts';
import { Pusher } from '../../../src/nacos/udp/pusher.ts';
import { Walks } from '../../../src/nacos/walks.ts';
import { Registry } from '../../../src/registry/registry.ts';
import type { Permit } from '../../../src/rights/admission.ts';
import { startWithBearers } from '../../support/bearers.ts';
import { orders, registration } from '../../support/instances.ts';
import { LIMITS } from '../../support/limits.ts';
import { ManualScheduler } from '../../support/scheduler.ts';
import { answerOf, deregister, nacos, register, startServer } from '../../support/server.ts';

const JAVA = 'Nacos-Java-Client:v1.4.2';
const GO = 'Nacos-Go-Client:v1.1.6';

interface Push {
  readonly type: string;
  readonly lastRefTime: number;
  readonly data: { readonly name: string; readonly clusters: string; readonly hosts: readonly { readonly port: number }[] };
  readonly bytes: number;
  readonly zipped: boolean;
  readonly from: { readonly address: string; readonly port: number };
}

/** A client's ear: a UDP socket on loopback. For `await using`. */
class Ear implements AsyncDisposable {
  readonly socket: Socket = createSocket('udp4');
  readonly heard: Push[] = [];
  /** How it writes the reference of an acknowledgement; nothing when it acknowledges nothing. */
  readonly #ack: ((ref: number) => string) | undefined;

  private constructor(ack: ((ref: number) => string) | undefined) {
    this.#ack = ack;
    this.socket.on('message', (message, from) => {
      const zipped = message[0] === 0x1f && message[1] === 0x8b;
      const push = JSON.parse((zipped ? gunzipSync(message) : message).toString());
      this.heard.push({ ...push, data: JSON.parse(push.data), bytes: message.length, zipped, from });
      if (this.#ack) this.socket.send(this.#ack(push.lastRefTime), from.port, from.address);
      this.socket.emit('heard');
    });
  }

  static async open(ack?: (ref: number) => string, address = '127.0.0.1'): Promise<Ear> {
    const ear = new Ear(ack);
    ear.socket.bind(0, address);
    await once(ear.socket, 'listening');
    return ear;
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** The first push, past or to come, that satisfies the predicate. */
  async until(predicate: (push: Push) => boolean): Promise<Push> {
    for (;;) {
      const found = this.heard.find(predicate);
      if (found) return found;
      await once(this.socket, 'heard');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}

const asText = (ref: number) => `{"type": "push-ack", "lastRefTime":"${ref}", "data":""}`;
const asNumber = (ref: number) => `{"type":"push-ack","lastRefTime":${ref},"data":""}`;

function subscribe(server: Server, udpPort: number, agent: string, params: Record<string, string | number> = {}) {
  const headers = { 'user-agent': agent };
  return answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'orders', udpPort, ...params }, { headers }));
}

const ports = (push: Push) => push.data.hosts.map(({ port }) => port);

describe('a subscriber', () => {
  it('is told of a change in one datagram, with the list as it would read it', async () => {
    await using server = await startServer();
    await using ear = await Ear.open(asText);
    expect(await subscribe(server, ear.port, JAVA, { clusters: 'DEFAULT,' })).toMatchObject({
      body: { cacheMillis: 10000, hosts: [] },
    });
    await register(server, 'orders');
    const push = await ear.until((heard) => ports(heard).includes(80));
    expect(push).toMatchObject({
      type: 'dom',
      data: { name: 'DEFAULT_GROUP@@orders', clusters: 'DEFAULT,', cacheMillis: 10000 },
    });
    expect(Number.isSafeInteger(push.lastRefTime)).toBe(true);
  });

  it('is told by the very datagram that others are who ask in the same way', async () => {
    await using server = await startServer();
    await using first = await Ear.open(asText);
    await using second = await Ear.open(asText);
    await using other = await Ear.open(asText);
    for (const [ear, params] of [
      [first, {}],
      [second, {}],
      [other, { clusters: 'DEFAULT' }],
    ] as const)
      await subscribe(server, ear.port, JAVA, params);
    await register(server, 'orders');
    const told = await Promise.all([first, second, other].map((ear) => ear.until((push) => ports(push).includes(80))));
    const [one, same, another] = told.map(({ lastRefTime, data }) => ({ lastRefTime, clusters: data.clusters }));
    expect(same).toEqual(one);
    expect(another?.lastRefTime).not.toBe(one?.lastRefTime);
    // The next change has a datagram of its own.
    await register(server, 'orders', { port: 81 });
    const next = await first.until((push) => ports(push).includes(81));
    expect(next.lastRefTime).toBeGreaterThan(one?.lastRefTime ?? 0);
  });

  it('of another cluster or service hears nothing of this one', async () => {
    await using server = await startServer();
    await using ear = await Ear.open(asText);
    await subscribe(server, ear.port, JAVA, { clusters: 'C2' });
    await subscribe(server, ear.port, JAVA, { serviceName: 'payments' });
    await register(server, 'orders');
    await register(server, 'payments', { port: 90 });
    await ear.until((push) => push.data.name === 'DEFAULT_GROUP@@payments');
    // The service has changed, though not for this list: it is told so, with nothing in it.
    expect(ear.heard.filter((push) => push.data.name === 'DEFAULT_GROUP@@orders').flatMap(ports)).toEqual([]);
  });

  it('hears of changes that follow each other closely in one push', async () => {
    await using server = await startServer({ pushDelayMs: 1_000 });
    await using ear = await Ear.open(asText);
    await subscribe(server, ear.port, JAVA);
    for (const port of [1, 2, 3, 4]) await register(server, 'orders', { port });
    await ear.until((push) => ports(push).includes(4));
    expect(ear.heard).toHaveLength(1);
  });

  it('of a large service gets it zipped, and a Go client nothing that it could not read whole', async () => {
    await using server = await startServer();
    await using java = await Ear.open(asText);
    await using go = await Ear.open(asText);
    await subscribe(server, java.port, JAVA);
    await subscribe(server, go.port, GO);
    for (let port = 1; port <= 10; port++) await register(server, 'orders', { port });
    expect(await go.until((push) => ports(push).length === 10)).toMatchObject({ zipped: true });
    // Metadata that does not compress: well over 4 KiB in all.
    for (let port = 11; port <= 40; port++) {
      const key = Array.from({ length: 20 }, (_, i) => Math.sin(port * 31 + i).toString(36)).join('');
      await register(server, 'orders', { port, metadata: JSON.stringify({ key }) });
    }
    expect(await java.until((push) => ports(push).length === 40)).toMatchObject({ zipped: true });
    for (const { bytes } of go.heard) expect(bytes).toBeLessThanOrEqual(4024);
    expect(Math.max(...java.heard.map(({ bytes }) => bytes))).toBeGreaterThan(4024);
    // So it polls, and soon.
    expect(await subscribe(server, go.port, GO)).toMatchObject({ body: { cacheMillis: 3000 } });
    expect(await subscribe(server, java.port, JAVA)).toMatchObject({ body: { cacheMillis: 10000 } });
  });

  it.each([
    ['as Java and Go write it', asText],
    ['as npm writes it', asNumber],
  ])('acknowledges, %s', async (_, ack) => {
    await using server = await startServer();
    await using ear = await Ear.open(ack);
    await subscribe(server, ear.port, JAVA);
    await register(server, 'orders');
    await ear.until((push) => ports(push).includes(80));
    // Acknowledgements come by another way than this request: ask until it has been seen.
    const state = async () => (await answerOf(nacos(server, 'GET', '/operator/push/state', {}))).body;
    await expect.poll(state).toEqual({ total: 1, succeed: 1, failed: 0, waiting: 0, ratio: 1, reset: false });
  });

  it('is pushed to no more once the least version for its language is above its own', async () => {
    await using server = await startServer();
    await using java = await Ear.open(asText);
    await using go = await Ear.open(asText);
    await subscribe(server, java.port, JAVA);
    await subscribe(server, go.port, GO);
    await register(server, 'orders', { port: 1 });
    for (const ear of [java, go]) await ear.until((push) => ports(push).includes(1));
    const value = { entry: 'pushVersion', value: 'java:9.9.9' };
    expect(await answerOf(nacos(server, 'PUT', '/operator/switches', value))).toEqual({ status: 200, body: 'ok' });
    await register(server, 'orders', { port: 2 });
    await go.until((push) => ports(push).includes(2));
    expect(java.heard.flatMap(ports)).not.toContain(2);
    // So it polls, and soon; nor is it pushed to by another way.
    expect(await subscribe(server, java.port, JAVA)).toMatchObject({ body: { cacheMillis: 3000 } });
    await answerOf(nacos(server, 'PUT', '/operator/switches', { entry: 'pushVersion', value: 'java:1.0.0' }));
    await subscribe(server, java.port, JAVA);
    await register(server, 'orders', { port: 3 });
    await java.until((push) => ports(push).includes(3));
  });

  it('stays counted whoever asks: a GET changes nothing', async () => {
    await using server = await startServer();
    await using ear = await Ear.open(asText);
    await subscribe(server, ear.port, JAVA);
    await register(server, 'orders');
    const state = async (params = {}) => (await answerOf(nacos(server, 'GET', '/operator/push/state', params))).body;
    await expect.poll(() => state()).toMatchObject({ succeed: 1 });
    const counted = { total: 1, succeed: 1, failed: 0, waiting: 0, ratio: 1, reset: false };
    expect([await state({ reset: 'true' }), await state()]).toEqual([counted, counted]);
  });

  it('is pushed to at the address that it asked from, whatever it says', async () => {
    await using server = await startServer();
    await using ear = await Ear.open(asText);
    await subscribe(server, ear.port, JAVA, { clientIP: '127.0.0.2' });
    await register(server, 'orders');
    expect(await ear.until((push) => ports(push).includes(80))).toMatchObject({ from: { address: '127.0.0.1' } });
  });

  it('is told nothing once the right is gone by which it has polled, and goes on with the poll that has another', async () => {
    await using server = await startWithBearers({ ann: 'reader', bob: 'reader', dev: 'reader@dev' });
    await using ear = await Ear.open(asText);
    await using other = await Ear.open(asText);
    const poll = async (who: string, port: number) => {
      const headers = { ...server.bearer(who), 'user-agent': JAVA };
      return (await nacos(server, 'GET', '/instance/list', { serviceName: 'orders', udpPort: port }, { headers })).status;
    };
    const registered = (port: number) =>
      nacos(
        server,
        'POST',
        '/instance',
        { serviceName: 'orders', ip: '10.0.0.1', port, ephemeral: 'false' },
        { headers: server.bearer('root') },
      );
    expect([await poll('ann', ear.port), await poll('bob', other.port)]).toEqual([200, 200]);
    // Nobody subscribes to what is not his.
    expect(await poll('dev', 54321)).toBe(403);
    const { body } = await answerOf(
      nacos(server, 'GET', '/service/subscribers', { serviceName: 'orders' }, { headers: server.bearer('root') }),
    );
    expect(body).toMatchObject({ count: 2 });
    await registered(1);
    for (const one of [ear, other]) await one.until((push) => ports(push).includes(1));

    server.write({ ann: 'disabled', bob: 'reader', dev: 'reader@dev' });
    await expect.poll(() => poll('ann', ear.port), { timeout: 10_000 }).toBe(403);
    await registered(2);
    await other.until((push) => ports(push).includes(2));
    server.write({ ann: 'reader', bob: 'reader', dev: 'reader@dev' });
    await expect.poll(() => poll('ann', ear.port), { timeout: 10_000 }).toBe(200);
    await registered(3);
    await ear.until((push) => ports(push).includes(3));
    expect(ear.heard.map(ports)).not.toContainEqual([1, 2]);
  });

  it('is none of the callers that a browser makes, whatever the page has it call itself', async () => {
    await using server = await startServer();
    const asked = async (port: string, headers: Readonly<Record<string, string>>) =>
      nacos(
        server,
        'GET',
        '/instance/list',
        { serviceName: 'orders', udpPort: port },
        { headers: { 'User-Agent': JAVA, ...headers } },
      );
    await asked('54321', { 'Accept-Language': 'en' });
    await asked('54322', {});
    const { body } = await answerOf(nacos(server, 'GET', '/service/subscribers', { serviceName: 'orders' }));
    expect(body).toMatchObject({ count: 1, subscribers: [{ port: 54322 }] });
  });

  it('is pushed to at the address it names where an option allows that', async () => {
    await using server = await startServer({ pushToClientIp: true });
    await using ear = await Ear.open(asText, '127.0.0.2');
    await subscribe(server, ear.port, JAVA, { clientIP: '127.0.0.2' });
    await register(server, 'orders');
    expect(ports(await ear.until(() => true))).toEqual([80]);
  });

  it('is shown with its address, agent, application and clusters', async () => {
    await using server = await startServer();
    await subscribe(server, 54321, GO, { app: 'shop', clusters: 'C1', groupName: 'G1' });
    expect(await answerOf(nacos(server, 'GET', '/service/subscribers', { serviceName: 'ord', groupName: 'G1' }))).toEqual({
      status: 200,
      body: {
        subscribers: [
          {
            addrStr: '127.0.0.1:54321',
            agent: GO,
            app: 'shop',
            ip: '127.0.0.1',
            port: 54321,
            namespaceId: 'public',
            serviceName: 'G1@@orders',
            cluster: 'C1',
          },
        ],
        count: 1,
      },
    });
    expect(await answerOf(nacos(server, 'GET', '/service/subscribers', { serviceName: 'nobody' }))).toMatchObject({
      body: { count: 0 },
    });
  });

  it('that no datagram could reach is told to poll', async () => {
    await using server = await startServer();
    for (const udpPort of [0, -1, 70000, 'x']) {
      expect(await subscribe(server, udpPort as number, JAVA)).toMatchObject({ status: 200, body: { cacheMillis: 3000 } });
    }
    for (const agent of ['curl/7.88.1', 'Nacos-SDK-Java', 'unit-nginx', 'Nacos-C-Client:v1.0.11']) {
      expect(await subscribe(server, 50000, agent)).toMatchObject({ body: { cacheMillis: 3000 } });
    }
  });

  it('hears of the end of a service, too', async () => {
    await using server = await startServer();
    await using ear = await Ear.open(asText);
    await register(server, 'orders');
    await subscribe(server, ear.port, JAVA);
    await deregister(server, 'orders');
    expect(ports(await ear.until(() => true))).toEqual([]);
  });
});

function setUpPusher() {
  const scheduler = new ManualScheduler(1_000_000);
  const { now } = scheduler;
  const registry = new Registry(now);
  const timing = { scheduler, now, wallClock: now, delayMs: 0 };
  const log = pino({ enabled: false });
  const switches = new Switches();
  const lists = new Lists({ registry, walks: new Walks({ scheduler, now: scheduler.now, limits: LIMITS }) });
  const pusher = new Pusher({ ...timing, registry, lists, switches, limits: LIMITS, log });
  const poller = (port: number, clusters = ''): Poller => ({
    ip: '127.0.0.1',
    port,
    agent: JAVA,
    app: 'test',
    grouped: true,
    clusters: clusters === '' ? [] : [clusters],
    clustersVerbatim: clusters,
  });
  return {
    scheduler,
    registry,
    switches,
    pusher,
    poller,
    /** Pushes what has changed. */
    flush: () => scheduler.advance(0),
  };
}

it('a datagram that was not acknowledged is not sent again to who may not hear of it any more, and keeps no room', () => {
  const { scheduler, registry, pusher, poller, flush } = setUpPusher();
  let may = true;
  const permit: Permit = {
    isRefusal: false,
    user: 'ann',
    isAdmin: false,
    isByCertificate: false,
    until: Number.POSITIVE_INFINITY,
    refusalFor: () => undefined,
    covers: () => true,
    stillCovers: () => may,
    standing: () => 'holds',
    refusalForUser: () => undefined,
  };
  const [ann, bob] = [{ ...poller(1), permit }, poller(2)];
  for (const one of [ann, bob]) pusher.subscribe(orders, one, false);
  registry.register(orders, registration());
  flush();
  expect(pusher.counts).toMatchObject({ sent: 2, waiting: 2 });
  may = false;
  scheduler.advance(11_000);
  expect(pusher.counts).toMatchObject({ sent: 3, failed: 0, waiting: 1 });
  for (const one of [ann, bob]) pusher.subscribe(orders, one, false);
  registry.register(orders, registration({ port: 2 }));
  flush();
  expect(pusher.counts).toMatchObject({ sent: 4, waiting: 2 });
  may = true;
  registry.register(orders, registration({ port: 3 }));
  flush();
  expect(pusher.counts).toMatchObject({ sent: 6, waiting: 4 });
  pusher.close();
});

it.each([
  [GO, 1],
  [JAVA, 0],
])('an acknowledgement of %s keeps so many subscribers that do not ask: %i', async (agent, kept) => {
  const { scheduler, registry, pusher, poller, flush } = setUpPusher();
  await using ear = await Ear.open(asText);
  pusher.subscribe(orders, { ...poller(ear.port), agent }, false);
  scheduler.advance(10_000);
  registry.register(orders, registration());
  flush();
  await expect.poll(() => pusher.counts.acked).toBe(1);
  scheduler.advance(10_000);
  expect(pusher.subscribers(orders)).toHaveLength(kept);
  pusher.close();
});

describe('a target that acknowledges nothing', () => {
  it('is sent no more than a few pushes, each again once, and then one for each renewal', async () => {
    const { scheduler, registry, pusher, poller, flush } = setUpPusher();
    await using ear = await Ear.open();
    expect(pusher.subscribe(orders, poller(ear.port), false)).toBe(10_000);
    for (let port = 1; port <= 40; port++) {
      registry.register(orders, registration({ port }));
      flush();
    }
    expect(pusher.counts).toMatchObject({ sent: 16, waiting: 16 });
    scheduler.advance(10_000);
    expect(pusher.counts).toMatchObject({ sent: 32, failed: 0 });
    pusher.subscribe(orders, poller(ear.port), false);
    scheduler.advance(10_000);
    expect(pusher.counts).toMatchObject({ sent: 32, failed: 16, waiting: 0 });
    registry.register(orders, registration({ port: 100 }));
    flush();
    expect(pusher.counts).toMatchObject({ sent: 32 });
    // It polls now, and each poll is worth one more try.
    expect(pusher.subscribe(orders, poller(ear.port), false)).toBe(3_000);
    for (const port of [101, 102]) {
      registry.register(orders, registration({ port }));
      flush();
    }
    expect(pusher.counts).toMatchObject({ sent: 33 });
    pusher.close();
  });

  it('and acknowledges at last is told what it has missed, as it is then', async () => {
    const { registry, pusher, poller, flush } = setUpPusher();
    await using ear = await Ear.open();
    pusher.subscribe(orders, poller(ear.port), false);
    for (let port = 1; port <= 20; port++) {
      registry.register(orders, registration({ port }));
      flush();
    }
    const first = await ear.until(() => true);
    ear.socket.send(asText(first.lastRefTime), first.from.port, first.from.address);
    expect(ports(await ear.until((push) => ports(push).length === 20))).toHaveLength(20);
    pusher.close();
  });

  it('and acknowledges at last is told nothing while pushes are switched off', async () => {
    const { registry, switches, pusher, poller, flush } = setUpPusher();
    await using ear = await Ear.open();
    pusher.subscribe(orders, poller(ear.port), false);
    for (let port = 1; port <= 20; port++) {
      registry.register(orders, registration({ port }));
      flush();
    }
    const first = await ear.until(() => true);
    switches.set('pushEnabled', 'false');
    ear.socket.send(asText(first.lastRefTime), first.from.port, first.from.address);
    await expect.poll(() => pusher.counts.acked).toBe(1);
    expect(pusher.counts).toMatchObject({ sent: 16 });
    pusher.close();
  });

  it('and does not renew is forgotten', () => {
    const { scheduler, pusher, poller } = setUpPusher();
    pusher.subscribe(orders, poller(50_000), false);
    pusher.subscribe(orders, poller(50_000, 'C1'), false);
    expect(pusher.subscribers(orders)).toHaveLength(2);
    scheduler.advance(10_000);
    pusher.subscribe(orders, poller(50_000), false);
    scheduler.advance(5_001);
    expect(pusher.subscribers(orders)).toHaveLength(1);
    scheduler.advance(15_001);
    expect([...pusher.all()]).toEqual([]);
    pusher.close();
  });

  it('and has nothing in its list is waited for longer: a Java client then pauses for up to a minute', () => {
    const { scheduler, registry, pusher, poller, flush } = setUpPusher();
    registry.register(orders, registration());
    pusher.subscribe({ ...orders, name: 'empty' }, poller(50_000), true);
    pusher.subscribe(orders, poller(50_001), false);
    registry.deregister(orders, registration());
    flush();
    scheduler.advance(75_000);
    expect([...pusher.all()]).toHaveLength(2);
    scheduler.advance(1);
    expect([...pusher.all()]).toEqual([]);
    pusher.close();
  });

  it('cannot subscribe without end', () => {
    const { pusher, poller } = setUpPusher();
    const answers = Array.from({ length: 1_001 }, (_, i) =>
      pusher.subscribe({ ...orders, name: `s${i}` }, poller(50_000), false),
    );
    expect(answers.slice(0, 1_000).every((ms) => ms === 10_000)).toBe(true);
    expect(answers[1_000]).toBe(3_000);
    pusher.close();
  });
});

it('what is closed, or has nobody to push to any more, leaves no timer', () => {
  const { scheduler, registry, pusher, poller } = setUpPusher();
  pusher.subscribe(orders, poller(50_000), false);
  expect(scheduler.open).toBe(1);
  scheduler.advance(16_000);
  expect(scheduler.open).toBe(0);
  pusher.subscribe(orders, poller(50_000), false);
  registry.register(orders, registration());
  expect(scheduler.open).toBe(2);
  pusher.close();
  expect(scheduler.open).toBe(0);
});
