import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/nacos/json.ts';
import { DEFAULT_NACOS_SETTINGS, toServiceSettings } from '../../src/nacos/settings.ts';
import type { CheckVerdict } from '../../src/registry/checks.ts';
import { orders } from '../support/instances.ts';
import { type Params, servedForTest as served } from '../support/nacos-served.ts';

/** What active checks mean to Nacos's clients and operators; the verdicts come from the test. */

const at = { ip: '10.0.0.1', port: 80 };
const FAILING: CheckVerdict = { verdict: 'failing', type: 'tcp', reason: 'refused' };
const ok = { status: 200, body: 'ok' };
describe('an instance that asks for a check in a way that cannot be read', () => {
  const WRONG = { 'health.check': 'htp:/up' };
  const TEXT = 'health.check must be tcp, http:/path, https:/path, grpc:service or grpcs:service, got "htp:/up"';
  const metadata = JSON.stringify(WRONG);
  const V1 = '/nacos/v1/ns/instance';
  const V2 = '/nacos/v2/ns/instance';
  const V3 = '/nacos/v3/client/ns/instance';
  const ADMIN = '/nacos/v3/admin/ns/instance';
  const batch = { metadata, consistencyType: 'ephemeral' };

  it.each<[method: string, path: string, params: Params]>([
    ['POST', V1, { metadata }],
    ['POST', V1, { metadata: 'health.check=htp:/up' }],
    ['POST', V1, { metadata, ephemeral: 'false' }],
    ['PUT', V1, { metadata }],
    ['PATCH', V1, { metadata }],
    ['PUT', `${V1}/beat`, { beat: JSON.stringify({ ...at, metadata: WRONG }) }],
    ['PUT', `${V1}/metadata/batch`, batch],
    ['POST', V2, { metadata }],
    ['PUT', V2, { metadata }],
    ['PATCH', V2, { metadata }],
    ['PUT', `${V2}/beat`, { beat: JSON.stringify({ ...at, metadata: WRONG }) }],
    ['PUT', `${V2}/metadata/batch`, batch],
    ['POST', V3, { metadata }],
    ['POST', ADMIN, { metadata }],
    ['PUT', ADMIN, { metadata }],
    ['PUT', `${ADMIN}/partial`, { metadata }],
    ['PUT', `${ADMIN}/metadata/batch`, batch],
    ['PUT', `${ADMIN}/beat`, { beat: JSON.stringify({ ...at, metadata: WRONG }) }],
  ])('is refused by %s %s with %j', async (method, path, params) => {
    const { call, seen } = await served();
    expect(await call('POST', '/instance', { ...at, metadata: '{"k":"v"}' })).toEqual(ok);
    const { status, body } = await call(method, path, { ...at, ...params });
    expect(status).toBe(400);
    if (typeof body === 'string') expect(body).toBe(TEXT);
    else expect(body).toEqual({ code: 21002, message: 'instance metadata error', data: TEXT });
    expect(seen()).toMatchObject({ metadata: { k: 'v' }, ephemeral: true, edit: undefined });
  });

  it.each<[type: string, body: JsonObject]>([
    ['InstanceRequest', { type: 'registerInstance', instance: { ...at, metadata: WRONG } }],
    ['PersistentInstanceRequest', { type: 'registerInstance', instance: { ...at, metadata: WRONG } }],
    [
      'BatchInstanceRequest',
      {
        type: 'batchRegisterInstance',
        instances: [
          { ip: '10.0.0.2', port: 1 },
          { ...at, metadata: WRONG },
        ],
      },
    ],
  ])('is refused by %s', async (type, body) => {
    const { join, registry } = await served();
    expect(() => join().ask(type, body)).toThrow(expect.objectContaining({ reason: 'bad-metadata', message: TEXT }));
    expect(registry.instances(orders)).toBeUndefined();
  });

  it('is refused by what its client and an edit say together', async () => {
    const { call, seen } = await served();
    const port = { ...at, consistencyType: 'ephemeral', metadata: '{"health.check.port":"8081"}' };
    await call('POST', '/instance', at);
    const alone = 'health.check.port means nothing without health.check';
    expect(await call('PUT', '/instance/metadata/batch', port)).toEqual({ status: 400, body: alone });
    expect(await call('PUT', '/nacos/v3/admin/ns/instance', port)).toMatchObject({ status: 400, body: { data: alone } });
    await call('POST', '/instance', { ...at, metadata: '{"health.check":"tcp"}' });
    expect((await call('PUT', '/instance/metadata/batch', port)).status).toBe(200);
    expect(seen()?.metadata).toEqual({ 'health.check': 'tcp', 'health.check.port': '8081' });
    expect(await call('DELETE', '/instance/metadata/batch', { ...port, metadata: 'health.check=' })).toEqual({
      status: 400,
      body: alone,
    });
    // As they lie over what the client says, and this takes the place of all that is seen.
    expect(await call('PUT', '/instance', { ...at, metadata: port.metadata })).toEqual({ status: 400, body: alone });
    expect(await call('PUT', '/nacos/v3/admin/ns/instance', { ...at, metadata: '{"health.check.code":"204"}' })).toMatchObject({
      body: { data: 'health.check.code is for http:/path and https:/path' },
    });
    expect(seen()?.metadata).toEqual({ 'health.check': 'tcp', 'health.check.port': '8081' });
  });
});

describe('health', () => {
  it('is set by call only where nothing checks the instance', async () => {
    const { call, seen } = await served();
    const none = { clusterName: 'DEFAULT', checkPort: 80, useInstancePort4Check: 'true', healthChecker: '{"type":"NONE"}' };
    const still = { status: 400, body: 'health check is still working, service: DEFAULT_GROUP@@orders, cluster: DEFAULT' };
    const ill = { ...at, healthy: 'false' };
    await call('POST', '/instance', { ...at, metadata: '{"health.check":"tcp"}', ephemeral: 'false' });
    expect(await call('PUT', '/health', ill)).toEqual(still);
    expect(await call('PUT', '/cluster', none)).toEqual(ok);
    expect(await call('PUT', '/health', ill)).toEqual(still);
    expect(await call('PUT', '/nacos/v3/admin/ns/health/instance', ill)).toMatchObject({
      status: 400,
      body: { data: still.body },
    });
    expect(seen()?.healthy).toBe(true);
    await call('POST', '/instance', { ...at, ephemeral: 'false' });
    expect(await call('PUT', '/health', ill)).toEqual(ok);
    expect(seen()?.healthy).toBe(false);
  });
});

describe('a verdict', () => {
  const OPTED_IN = { metadata: '{"health.check":"tcp"}' };

  /** A client of 1.x that hears pushes. */
  async function ear() {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    });
    return {
      port: socket.address().port,
      /** The health of each instance in the next push, which is acknowledged. */
      async pushed(): Promise<readonly boolean[]> {
        const [message, from] = await once(socket, 'message');
        const { lastRefTime, data } = JSON.parse(message.toString());
        socket.send(`{"type":"push-ack","lastRefTime":"${lastRefTime}","data":""}`, from.port, from.address);
        return JSON.parse(data).hosts.map(({ healthy }: { healthy: boolean }) => healthy);
      },
    };
  }

  it.each<[title: string, how: Params]>([
    ['a persistent instance of 1.x', { ephemeral: 'false' }],
    ['an ephemeral instance that asked for it', OPTED_IN],
  ])('on %s turns what lists and pushes of both kinds say', async (_, how) => {
    const { call, registry, join, scheduler } = await served();
    const udp = await ear();
    await call('POST', '/instance', { ...at, ...how });
    const java = { headers: { 'user-agent': 'Nacos-Java-Client:v1.4.2' } };
    await call('GET', '/instance/list', { udpPort: udp.port }, java);
    const grpc = join();
    grpc.ask('SubscribeServiceRequest', { subscribe: true, clusters: '' });
    grpc.pushed();
    for (const [verdict, healthy] of [
      [FAILING, false],
      ['passing', true],
    ] as const) {
      const told = udp.pushed();
      registry.checked(orders, at, verdict);
      expect(grpc.pushed()).toEqual([healthy]);
      scheduler.advance(0);
      expect(await told).toEqual([healthy]);
      expect(await call('GET', '/instance/list')).toMatchObject({ body: { hosts: [{ healthy, valid: healthy }] } });
      expect(await call('GET', '/instance/list', { healthyOnly: 'true' })).toMatchObject({
        body: { hosts: healthy ? [{}] : [] },
      });
      expect(await call('GET', '/nacos/v3/admin/ns/instance/list')).toMatchObject({ body: { data: [{ healthy }] } });
    }
  });

  it.each<[type: string, body: JsonObject, ephemeral: boolean]>([
    ['PersistentInstanceRequest', { instance: { ...at, ephemeral: false } }, false],
    ['InstanceRequest', { instance: { ...at, metadata: { 'health.check': 'tcp' } } }, true],
  ])('on an instance registered by %s turns what lists and pushes say', async (type, body, ephemeral) => {
    const { registry, join, seen } = await served();
    const [provider, consumer] = [join(), join()];
    consumer.ask('SubscribeServiceRequest', { subscribe: true, clusters: '' });
    consumer.pushed();
    provider.ask(type, { type: 'registerInstance', ...body });
    expect(consumer.pushed()).toEqual([true]);
    expect(seen()?.ephemeral).toBe(ephemeral);
    registry.checked(orders, at, FAILING);
    expect(consumer.pushed()).toEqual([false]);
    expect(String(consumer.ask('ServiceQueryRequest', {}))).toContain('"healthy":false');
    // Whoever registers again says nothing of what the check has found.
    provider.ask(type, { type: 'registerInstance', ...body });
    expect(seen()?.healthy).toBe(false);
    registry.checked(orders, at, 'passing');
    expect(seen()?.healthy).toBe(true);
  });

  it('that it fails is not healed by beats, which keep it here all the same', async () => {
    const { call, registry, pass, seen } = await served();
    await call('POST', '/instance', { ...at, ...OPTED_IN });
    registry.checked(orders, at, FAILING);
    for (let i = 0; i < 10; i++) {
      pass(5_000);
      expect(await call('PUT', '/instance/beat', at)).toMatchObject({ status: 200, body: { code: 10_200 } });
      expect(await call('GET', '/instance/list')).toMatchObject({ body: { hosts: [{ healthy: false }] } });
    }
    registry.checked(orders, at, 'passing');
    expect(seen()?.healthy).toBe(true);
    pass(15_000);
    expect(seen()?.healthy).toBe(false);
    registry.checked(orders, at, 'passing');
    expect(seen()?.healthy).toBe(false);
  });
});

describe('an instance that silence has taken', () => {
  const SHORT = {
    'preserved.heart.beat.interval': '100',
    'preserved.heart.beat.timeout': '200',
    'preserved.ip.delete.timeout': '300',
  };
  const said = { ...at, metadata: SHORT };

  async function taken(riseBeats: string | undefined) {
    const room = await served();
    const metadata = riseBeats === undefined ? '' : JSON.stringify({ 'health.rise-beats': riseBeats });
    await room.call('POST', '/service', { metadata });
    await room.call('POST', '/instance', { ...at, metadata: JSON.stringify(SHORT) });
    room.pass(300);
    expect(room.seen()).toBeUndefined();
    return { ...room, beat: (beat: object = said) => room.call('PUT', '/instance/beat', { beat: JSON.stringify(beat) }) };
  }

  it('counts again after as many beats in a row as its service asks for', async () => {
    const { beat, pass, seen } = await taken('3');
    const healths: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      expect(await beat()).toMatchObject({ status: 200, body: { code: 10_200 } });
      healths.push(seen()?.healthy);
      pass(100);
    }
    expect(healths).toEqual([false, false, true]);
  });

  it('counts at once where nothing is asked for, and where it is asked for but it says goodbye in between', async () => {
    const { beat, seen } = await taken(undefined);
    await beat();
    expect(seen()?.healthy).toBe(true);
    const other = await taken('3');
    await other.call('DELETE', '/instance', at);
    await other.beat();
    expect(other.seen()?.healthy).toBe(true);
  });

  it('begins anew when it is silent again', async () => {
    const { beat, pass, seen } = await taken('2');
    await beat();
    pass(250);
    await beat();
    expect(seen()?.healthy).toBe(false);
    pass(100);
    await beat();
    expect(seen()?.healthy).toBe(true);
  });

  it('is none of these while a connection holds it: that it beats too does not take it out', async () => {
    const { rooms, call, join, seen } = await served();
    rooms.registry.create(orders, toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, metadata: { 'health.rise-beats': '3' } }));
    join().ask('InstanceRequest', { type: 'registerInstance', instance: at });
    expect(await call('PUT', '/instance/beat', { beat: JSON.stringify(at) })).toMatchObject({ body: { code: 10_200 } });
    expect(seen()?.healthy).toBe(true);
  });
});
