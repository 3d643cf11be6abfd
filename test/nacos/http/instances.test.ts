import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { exchange } from '../../support/raw.ts';
import { answerOf, nacos, register, startServer } from '../../support/server.ts';

const JAVA = { headers: { 'user-agent': 'Nacos-Java-Client:v1.4.2' } };

let server: Server;
let serial = 0;
/** A service name that no other test uses. */
const fresh = () => `service-${++serial}`;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(100));

const at = { ip: '10.0.0.1', port: 80 };

const ok = { status: 200, body: 'ok' };

async function listed(serviceName: string, params: Record<string, string> = {}, init?: RequestInit) {
  const { body } = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName, ...params }, init));
  // The list is what clients parse; its shape is asserted where it matters.
  return body as { name: string; dom: string; clusters: string; hosts: Record<string, unknown>[] } & Record<string, unknown>;
}

describe('registering', () => {
  it('answers ok as plain text, from the query or from a form', async () => {
    const serviceName = fresh();
    const response = await nacos(server, 'POST', '/instance', { serviceName, ...at });
    expect(response.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
    expect(await response.text()).toBe('ok');
    const body = new URLSearchParams({ serviceName, ip: '10.0.0.2', port: '81' });
    expect(await answerOf(nacos(server, 'POST', '/instance', {}, { body }))).toEqual(ok);
    expect((await listed(serviceName)).hosts.map(({ ip }) => ip)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it.each([
    [{ ip: '10.0.0.1', port: 80 }, "Param 'serviceName' is required."],
    [{ serviceName: 'a', port: 80 }, "Param 'ip' is required."],
    [{ serviceName: 'a', ip: '10.0.0.1', port: 70000 }, "Param 'port' is illegal, the value should be between 0 and 65535."],
    [
      { serviceName: 'a', ip: '10.0.0.1', port: 80, weight: 10001 },
      'instance format invalid: The weights range from 0.0 to 10000.0',
    ],
  ])('%j is refused with 400 and a plain text', async (params, body) => {
    expect(await answerOf(nacos(server, 'POST', '/instance', params))).toEqual({ status: 400, body });
  });

  it('takes the same ip and port in another cluster for the same instance, whose last registration decides', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    await register(server, serviceName, { clusterName: 'C2' });
    expect((await listed(serviceName)).hosts).toMatchObject([{ clusterName: 'C2', ephemeral: true }]);
    expect((await listed(serviceName, { clusters: 'C2' })).hosts).toHaveLength(1);
    expect((await listed(serviceName, { clusters: 'DEFAULT' })).hosts).toEqual([]);
    await register(server, serviceName, { ephemeral: 'false' });
    expect((await listed(serviceName)).hosts).toMatchObject([{ clusterName: 'DEFAULT', ephemeral: false }]);
  });

  it('once more heals an ephemeral instance, unless it says that it is not healthy', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { healthy: 'false' });
    await register(server, serviceName);
    expect((await listed(serviceName)).hosts).toMatchObject([{ healthy: true }]);
    await register(server, serviceName, { healthy: 'false' });
    expect((await listed(serviceName)).hosts).toMatchObject([{ healthy: false }]);
  });

  it('refuses more metadata than the limit', async () => {
    const serviceName = fresh();
    const metadata = `a=${'x'.repeat(16_384)}`;
    const body = new URLSearchParams({ serviceName, ip: '10.0.0.1', port: '80', metadata });
    expect(await answerOf(nacos(server, 'POST', '/instance', {}, { body }))).toEqual({
      status: 400,
      body: "Param 'Metadata' is illegal, the param length should not exceed 16384. (--max-metadata-length)",
    });
  });
});

describe('deregistering', () => {
  it('answers ok, known or not, and removes nothing at another address', async () => {
    const serviceName = fresh();
    expect(await answerOf(nacos(server, 'DELETE', '/instance', { serviceName, ...at }))).toEqual(ok);
    await register(server, serviceName);
    expect(await answerOf(nacos(server, 'DELETE', '/instance', { serviceName, ...at, port: 81 }))).toEqual(ok);
    expect((await listed(serviceName)).hosts).toHaveLength(1);
    expect(await answerOf(nacos(server, 'DELETE', '/instance', { serviceName, ...at }))).toEqual(ok);
    expect((await listed(serviceName)).hosts).toEqual([]);
  });

  it.each([{ clusterName: 'C2' }, { ephemeral: 'false' }])(
    'means the instance at that address, though it names another cluster or kind: %j',
    async (other) => {
      const serviceName = fresh();
      await register(server, serviceName);
      expect(await answerOf(nacos(server, 'DELETE', '/instance', { serviceName, ...at, ...other }))).toEqual(ok);
      expect((await listed(serviceName)).hosts).toEqual([]);
    },
  );
});

describe('PUT /instance', () => {
  it('edits only what it names', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { weight: 5, metadata: '{"a":"1"}' });
    expect(await answerOf(nacos(server, 'PUT', '/instance', { serviceName, ...at, enabled: 'false' }))).toEqual(ok);
    expect(await answerOf(nacos(server, 'GET', '/instance', { serviceName, ...at }))).toMatchObject({
      body: { weight: 5, metadata: { a: '1' } },
    });
    expect((await listed(serviceName)).hosts).toEqual([]);
  });

  it('replaces the whole map of metadata that is seen, and lets the client add to it later', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { metadata: '{"a":"1","b":"2"}' });
    await nacos(server, 'PUT', '/instance', { serviceName, ...at, metadata: '{"b":"3","c":"4"}' });
    expect((await listed(serviceName)).hosts).toMatchObject([{ metadata: { b: '3', c: '4' } }]);
    await register(server, serviceName, { metadata: '{"a":"1","b":"2","release":"7"}' });
    const [host] = (await listed(serviceName)).hosts;
    expect(host?.metadata).toEqual({ b: '3', c: '4', release: '7' });
  });

  it('that gives back what the client says ends the edit', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { weight: 5 });
    await nacos(server, 'PUT', '/instance', { serviceName, ...at, weight: 2 });
    await nacos(server, 'PUT', '/instance', { serviceName, ...at, weight: 5 });
    await register(server, serviceName, { weight: 6 });
    expect((await listed(serviceName)).hosts).toMatchObject([{ weight: 6 }]);
  });

  it('makes an unknown instance, unless it comes from a Java client', async () => {
    const serviceName = fresh();
    expect(await answerOf(nacos(server, 'PUT', '/instance', { serviceName, ...at }, JAVA))).toEqual({
      status: 400,
      body: 'instance not exist: 10.0.0.1:80',
    });
    expect(await answerOf(nacos(server, 'PUT', '/instance', { serviceName, ...at }))).toEqual(ok);
    expect((await listed(serviceName)).hosts).toHaveLength(1);
  });

  it('finds a persistent instance, and one in another cluster, without being told so', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { ephemeral: 'false', clusterName: 'C2' });
    expect(await answerOf(nacos(server, 'PUT', '/instance', { serviceName, ...at, weight: 3 }))).toEqual(ok);
    expect((await listed(serviceName)).hosts).toMatchObject([{ ephemeral: false, clusterName: 'C2', weight: 3 }]);
  });
});

describe('PATCH /instance', () => {
  it('changes what it names and leaves the rest', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { weight: 5, metadata: '{"a":"1"}' });
    expect(await answerOf(nacos(server, 'PATCH', '/instance', { serviceName, ...at, metadata: '{"b":"2"}' }))).toEqual(ok);
    expect((await listed(serviceName)).hosts).toMatchObject([{ weight: 5, enabled: true, metadata: { b: '2' } }]);
    expect(await answerOf(nacos(server, 'PATCH', '/instance', { serviceName, ...at, healthy: 'false' }))).toEqual(ok);
    expect((await listed(serviceName)).hosts).toMatchObject([{ weight: 5, healthy: false, metadata: { b: '2' } }]);
  });

  it('outlives registering again', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    await nacos(server, 'PATCH', '/instance', { serviceName, ...at, enabled: 'false' });
    await register(server, serviceName);
    expect((await listed(serviceName)).hosts).toEqual([]);
    await nacos(server, 'PATCH', '/instance', { serviceName, ...at, enabled: 'true' });
    expect((await listed(serviceName)).hosts).toHaveLength(1);
  });
});

describe('GET /instance', () => {
  it('shows one instance, disabled or not', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { enabled: 'false', metadata: 'k=v' });
    expect(await answerOf(nacos(server, 'GET', '/instance', { serviceName, ...at }))).toEqual({
      status: 200,
      body: {
        service: `DEFAULT_GROUP@@${serviceName}`,
        ip: '10.0.0.1',
        port: 80,
        clusterName: 'DEFAULT',
        weight: 1,
        healthy: true,
        instanceId: `10.0.0.1#80#DEFAULT#DEFAULT_GROUP@@${serviceName}`,
        metadata: { k: 'v' },
      },
    });
  });

  it.each(['GET', 'PATCH'])('and %s of what is not there is 404, saying what is missing', async (method) => {
    const serviceName = fresh();
    const none = { status: 404, body: `no ips found for cluster DEFAULT in service DEFAULT_GROUP@@${serviceName}` };
    expect(await answerOf(nacos(server, method, '/instance', { serviceName, ...at }))).toEqual(none);
    await register(server, serviceName, { port: 81 });
    expect(await answerOf(nacos(server, method, '/instance', { serviceName, ...at }))).toEqual({
      status: 404,
      body: 'no matched ip found!',
    });
  });
});

describe('GET /instance/list', () => {
  it('is what clients of 1.x and of 2.x expect in one', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { groupName: 'G1', clusterName: 'C1', weight: 2.5, metadata: '{"k":"v"}' });
    const list = await listed(serviceName, { groupName: 'G1', clusters: 'C1,', env: 'e' }, JAVA);
    expect(list).toEqual({
      name: `G1@@${serviceName}`,
      dom: `G1@@${serviceName}`,
      groupName: 'G1',
      clusters: 'C1,',
      cacheMillis: 3000,
      hosts: [
        {
          instanceId: `10.0.0.1#80#C1#G1@@${serviceName}`,
          ip: '10.0.0.1',
          port: 80,
          weight: 2.5,
          healthy: true,
          enabled: true,
          ephemeral: true,
          clusterName: 'C1',
          serviceName: `G1@@${serviceName}`,
          metadata: { k: 'v' },
          instanceHeartBeatInterval: 5000,
          instanceHeartBeatTimeOut: 15000,
          ipDeleteTimeout: 30000,
          instanceIdGenerator: 'simple',
          valid: true,
          marked: false,
        },
      ],
      lastRefTime: expect.any(Number),
      checksum: '',
      allIPs: false,
      reachProtectionThreshold: false,
      valid: true,
      useSpecifiedURL: false,
      env: 'e',
      metadata: {},
    });
    expect(list.lastRefTime).toSatisfy(Number.isInteger);
  });

  it('gives bare names to whoever is no Java client', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    expect(await listed(serviceName)).toMatchObject({
      name: `DEFAULT_GROUP@@${serviceName}`,
      dom: serviceName,
      hosts: [{ serviceName }],
    });
  });

  it('of an unknown service is an empty list, never an error, and makes nothing known', async () => {
    const serviceName = fresh();
    expect(await listed(serviceName, { clusters: 'C1' })).toMatchObject({
      name: `DEFAULT_GROUP@@${serviceName}`,
      clusters: 'C1',
      cacheMillis: 3000,
      hosts: [],
    });
    const health = await fetch(`http://${server.listeners.health}/grpc.health.v1.Health/Check`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ service: serviceName }),
    });
    expect(health.status).toBe(404);
  });

  it('hides the disabled always and the unhealthy on demand, and names the unhealthy first', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { port: 1 });
    await register(server, serviceName, { port: 2, healthy: 'false' });
    await register(server, serviceName, { port: 3, enabled: 'false' });
    expect((await listed(serviceName)).hosts.map(({ port, healthy }) => [port, healthy])).toEqual([
      [2, false],
      [1, true],
    ]);
    expect((await listed(serviceName, { healthyOnly: 'true' })).hosts.map(({ port }) => port)).toEqual([1]);
  });

  it('says of a service whose instances are all unhealthy that they are', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { healthy: 'false' });
    expect((await listed(serviceName)).hosts).toMatchObject([{ healthy: false, valid: false }]);
    expect((await listed(serviceName, { healthyOnly: 'true' })).hosts).toEqual([]);
  });

  it('as a check is {} when there is something', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    expect(await listed(serviceName, { isCheck: 'true' })).toEqual({});
  });

  it('keeps namespaces apart', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { namespaceId: 'dev' });
    expect((await listed(serviceName)).hosts).toEqual([]);
    expect((await listed(serviceName, { namespaceId: 'dev' })).hosts).toHaveLength(1);
  });
});

describe('a beat', () => {
  const beat = (params: Record<string, string | number>) => answerOf(nacos(server, 'PUT', '/instance/beat', params));

  it('of a known instance is answered 10200 with the interval of that instance', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    await register(server, serviceName, { port: 81, metadata: '{"preserved.heart.beat.interval":"1000"}' });
    expect(await beat({ serviceName, ...at })).toEqual({
      status: 200,
      body: { clientBeatInterval: 5000, code: 10200, lightBeatEnabled: true },
    });
    expect(await beat({ serviceName, ip: '10.0.0.1', port: 81 })).toMatchObject({ body: { clientBeatInterval: 1000 } });
  });

  it('that is light and of an unknown instance is answered 20404, for the client to register', async () => {
    const serviceName = fresh();
    const unknown = { status: 200, body: { clientBeatInterval: 5000, code: 20404 } };
    expect(await beat({ serviceName, ...at })).toEqual(unknown);
    expect(await beat({ serviceName })).toEqual(unknown);
  });

  it('means the instance at that address, though it names another cluster', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { clusterName: 'C2', healthy: 'false' });
    expect(await beat({ serviceName, ...at })).toMatchObject({ body: { code: 10200 } });
    expect((await listed(serviceName)).hosts).toMatchObject([{ clusterName: 'C2', healthy: true }]);
  });

  it('that is full registers an unknown instance with what it says', async () => {
    const serviceName = fresh();
    const json = JSON.stringify({
      ip: '10.0.0.1',
      port: 80,
      weight: 3,
      cluster: 'C1',
      metadata: { k: 'v' },
      serviceName: 'another',
    });
    expect(await beat({ serviceName, beat: json })).toMatchObject({ body: { code: 10200, clientBeatInterval: 5000 } });
    expect((await listed(serviceName)).hosts).toMatchObject([
      { weight: 3, clusterName: 'C1', metadata: { k: 'v' }, healthy: true },
    ]);
  });

  it('that is full and names no weight registers an unknown instance with the weight of a registration, 1', async () => {
    const serviceName = fresh();
    await beat({ serviceName, beat: '{"ip":"10.0.0.1","port":80}' });
    expect((await listed(serviceName)).hosts).toMatchObject([{ weight: 1, enabled: true, metadata: {}, healthy: true }]);
  });

  it.each([-5, 1e300, 10_001])('with the weight %d is refused as a registration is', async (weight) => {
    const serviceName = fresh();
    const json = JSON.stringify({ ip: '10.0.0.1', port: 80, weight });
    const refused = { status: 400, body: 'instance format invalid: The weights range from 0.0 to 10000.0' };
    expect(await beat({ serviceName, beat: json })).toEqual(refused);
    expect((await listed(serviceName)).hosts).toEqual([]);
  });

  it('heals, and changes nothing else of a known instance', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { healthy: 'false', weight: 7 });
    const json = JSON.stringify({ ip: '10.0.0.1', port: 80, weight: 3, metadata: { k: 'v' } });
    await beat({ serviceName, beat: json });
    expect((await listed(serviceName)).hosts).toMatchObject([{ healthy: true, weight: 7, metadata: {} }]);
  });

  it('of a persistent instance is answered and has no effect', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { ephemeral: 'false', healthy: 'false' });
    expect(await beat({ serviceName, ...at })).toMatchObject({ body: { code: 10200 } });
    expect((await listed(serviceName)).hosts).toMatchObject([{ healthy: false }]);
  });

  it('that cannot be read is refused and changes nothing', async () => {
    const serviceName = fresh();
    expect(await beat({ serviceName, beat: '{"ip":"10.0.0.1"' })).toEqual({
      status: 400,
      body: 'beat must be a JSON object, got {"ip":"10.0.0.1"',
    });
    expect((await listed(serviceName)).hosts).toEqual([]);
  });

  it('of the Java client 1.3.2 as it was recorded: light first, 20404, registration, 10200, with a gzip header over plain text', async () => {
    const headers = [
      'Host: localhost',
      'Content-Type: application/x-www-form-urlencoded;charset=UTF-8',
      'Content-Encoding: gzip',
      'Accept-Encoding: gzip,deflate,sdch',
      'User-Agent: Nacos-Java-Client:v1.3.2',
      'Client-Version: 1.3.2',
      'RequestId: 3f2d1c5e-0000-0000-0000-000000000000',
      'Request-Module: Naming',
      'Connection: close',
    ];
    const send = async (requestLine: string, body = '') =>
      (
        await exchange(server.listeners.main, [
          `${requestLine} HTTP/1.1\r\n${headers.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        ])
      ).replace(/^[\s\S]*?\r\n\r\n/, '');
    const beat =
      'PUT /nacos/v1/ns/instance/beat?app=unknown&serviceName=DEFAULT_GROUP%40%40sample-service&namespaceId=public&port=9000&clusterName=DEFAULT&ip=192.168.47.1';
    expect(await send(beat)).toBe('{"clientBeatInterval":5000,"code":20404}');
    expect(
      await send(
        'POST /nacos/v1/ns/instance?app=unknown&metadata=%7B%7D&ip=192.168.47.1&weight=1.0&ephemeral=true&serviceName=DEFAULT_GROUP%40%40sample-service&groupName=DEFAULT_GROUP&namespaceId=public&port=9000&enable=true&healthy=true&clusterName=DEFAULT',
      ),
    ).toBe('ok');
    expect(await send(beat)).toBe('{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}');
    expect(
      await send(
        beat,
        'beat=%7B%22port%22%3A9000%2C%22ip%22%3A%22192.168.47.1%22%2C%22weight%22%3A1.0%2C%22serviceName%22%3A%22DEFAULT_GROUP%40%40sample-service%22%2C%22cluster%22%3A%22DEFAULT%22%2C%22metadata%22%3A%7B%7D%2C%22scheduled%22%3Afalse%2C%22period%22%3A5000%2C%22stopped%22%3Afalse%7D&',
      ),
    ).toBe('{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}');
  });
});
