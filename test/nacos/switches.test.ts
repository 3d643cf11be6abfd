import { describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { answerOf, nacos, register, startServer, unhealthyAfter } from '../support/server.ts';

const ok = { status: 200, body: 'ok' };
const beatAt = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };

function turn(server: Server, entry: string, value: string | number) {
  return answerOf(nacos(server, 'PUT', '/operator/switches', { entry, value }));
}

describe('a switch', () => {
  it('changes how often clients are told to beat, but not for who has said so itself', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'orders', { port: 81, metadata: '{"preserved.heart.beat.interval":"1000"}' });
    expect(await turn(server, 'clientBeatInterval', 7000)).toEqual(ok);
    const beat = (port: number) => answerOf(nacos(server, 'PUT', '/instance/beat', { ...beatAt, port }));
    expect(await beat(80)).toMatchObject({ body: { clientBeatInterval: 7000, code: 10200 } });
    expect(await beat(81)).toMatchObject({ body: { clientBeatInterval: 1000, code: 10200 } });
    expect(await beat(82)).toMatchObject({ body: { clientBeatInterval: 7000, code: 20404 } });
  });

  it('turns light beats off', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await turn(server, 'lightBeatEnabled', 'false');
    expect(await answerOf(nacos(server, 'PUT', '/instance/beat', beatAt))).toMatchObject({ body: { lightBeatEnabled: false } });
  });

  it('takes the effect from silence, and gives it back', async () => {
    await using server = await startServer();
    using client = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
    await turn(server, 'check', 'false');
    await register(server, 'orders', { metadata: unhealthyAfter(2) });
    const seen: string[] = [];
    for await (const status of client.watch('orders', new AbortController().signal)) {
      seen.push(status);
      if (status === 'SERVING') await turn(server, 'check', 'true');
      else break;
    }
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
  });

  it('makes instances persistent that do not say what they are', async () => {
    await using server = await startServer();
    await turn(server, 'defaultInstanceEphemeral', 'false');
    await register(server, 'orders');
    expect(await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'orders' }))).toMatchObject({
      body: { hosts: [{ ephemeral: false }] },
    });
  });

  it('says how long clients go by what they have', async () => {
    await using server = await startServer();
    const list = (init: RequestInit, params = {}) =>
      answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'orders', ...params }, init));
    const java = { headers: { 'user-agent': 'Nacos-Java-Client:v1.4.2' } };
    await turn(server, 'defaultCacheMillis', 4000);
    await turn(server, 'pushCacheMillis', 20000);
    expect(await list({})).toMatchObject({ body: { cacheMillis: 4000 } });
    expect(await list(java, { udpPort: 50000 })).toMatchObject({ body: { cacheMillis: 20000 } });
    await turn(server, 'pushEnabled', 'false');
    expect(await list(java, { udpPort: 50000 })).toMatchObject({ body: { cacheMillis: 4000 } });
  });

  it('closes a part of the paths with a bare status, though never itself', async () => {
    await using server = await startServer();
    await turn(server, 'limitedUrlMap', '/nacos/v1/ns/instance:418,/nacos/v1/ns/operator:503');
    expect(await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'orders' }))).toEqual({ status: 418, body: '' });
    expect(await answerOf(nacos(server, 'GET', '/operator/metrics', {}))).toEqual({ status: 503, body: '' });
    expect(await turn(server, 'limitedUrlMap', 'null')).toEqual(ok);
    expect(await answerOf(nacos(server, 'GET', '/operator/metrics', {}))).toMatchObject({ status: 200 });
  });

  it.each([
    ['DOWN', 503, 503],
    ['READ_ONLY', 200, 503],
    ['WRITE_ONLY', 503, 200],
    ['UP', 200, 200],
    ['null', 200, 200],
  ])('makes the server answer as one that is %s', async (state, reading, writing) => {
    await using server = await startServer();
    await turn(server, 'overriddenServerStatus', state);
    const read = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'orders' }));
    const write = await answerOf(nacos(server, 'POST', '/instance', beatAt));
    expect([read.status, write.status]).toEqual([reading, writing]);
    if (reading === 503) expect(read.body).toBe(`server is ${state}now, please try again later!`);
  });

  it('of a name that nobody knows changes nothing, silently', async () => {
    await using server = await startServer();
    const before = await answerOf(nacos(server, 'GET', '/operator/switches', {}));
    expect(before).toMatchObject({
      status: 200,
      body: { clientBeatInterval: 5000, healthCheckEnabled: true, name: '00-00---000-NACOS_SWITCH_DOMAIN-000---00-00' },
    });
    for (const entry of ['nothing', 'toString', '__proto__']) expect(await turn(server, entry, 1)).toEqual(ok);
    expect(await answerOf(nacos(server, 'GET', '/ops/switches', {}))).toEqual(before);
  });

  it.each([
    ['clientBeatInterval', '99', 'the value must be a whole number of at least 100, got 99'],
    ['clientBeatInterval', '5s', 'the value must be a whole number of at least 100, got 5s'],
    ['pushCacheMillis', '9999', 'the value must be a whole number of at least 10000, got 9999'],
    ['distroThreshold', '-1', 'the value must be a number above 0, got -1'],
    ['overriddenServerStatus', 'AWAY', 'the value must be one of UP, DOWN, STARTING, PAUSED, WRITE_ONLY, READ_ONLY, got AWAY'],
    ['limitedUrlMap', 'x', 'limitedUrlMap must be PREFIX:STATUS,..., got x'],
    ['pushVersion', 'rust:1.0.0', 'pushVersion must be LANGUAGE:X.Y.Z, got rust:1.0.0'],
  ])('%s=%s is refused', async (entry, value, body) => {
    await using server = await startServer();
    expect(await turn(server, entry, value)).toEqual({ status: 400, body });
    expect(await answerOf(nacos(server, 'PUT', '/operator/switches', { entry }))).toEqual({
      status: 400,
      body: "Param 'value' is required.",
    });
  });
});
