import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { AT_A_TIME } from '../../../src/nacos/turns.ts';
import { listen } from '../../../src/wire/listener.ts';
import { systemScheduler } from '../../../src/wire/scheduler.ts';
import { orders, registration } from '../../support/instances.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { LIMITS } from '../../support/limits.ts';
import { emptyNacos } from '../../support/nacos-room.ts';
import { dial } from '../../support/raw.ts';

failOnLeaks();

const COUNT = 5 * AT_A_TIME;

/** A port behind which a service of very many is listed. For `await using`. */
async function crowded() {
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(line) });
  const { http, rooms, close } = emptyNacos({ scheduler: systemScheduler, log });
  for (let port = 0; port < COUNT; port++)
    rooms.registry.register(orders, registration({ port, metadata: { zone: '中' }, healthy: port % 3 > 0 }));
  const open = await listen('127.0.0.1', 0, { request: http }, { limits: LIMITS, scheduler: systemScheduler });
  return {
    address: open.address,
    logged,
    rooms,
    async [Symbol.asyncDispose]() {
      close();
      await open.close(AbortSignal.abort());
    },
  };
}

interface Heard {
  readonly status: number;
  readonly length: number;
  readonly body: Buffer;
}

async function overHttp1(address: string, method: string, path: string): Promise<Heard> {
  const response = await fetch(`http://${address}${path}`, { method, headers: { connection: 'close' } });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, length: Number(response.headers.get('content-length')), body };
}

async function overHttp2(address: string, method: string, path: string): Promise<Heard> {
  const session = connectHttp2(`http://${address}`);
  const stream = session.request({ ':method': method, ':path': path });
  const [headers] = await once(stream, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  session.close();
  return { status: headers[':status'], length: Number(headers['content-length']), body: Buffer.concat(chunks) };
}

const ALL = 'serviceName=orders&pageNo=1&pageSize=2147483647';

it.each<[string, (body: ReturnType<typeof JSON.parse>) => { length: number }]>([
  ['GET /nacos/v1/ns/instance/list?serviceName=orders', ({ hosts }) => hosts],
  ['GET /nacos/v2/ns/instance/list?serviceName=orders', ({ data }) => data.hosts],
  ['GET /nacos/v3/client/ns/instance/list?serviceName=orders', ({ data }) => data],
  ['GET /nacos/v3/admin/ns/instance/list?serviceName=orders', ({ data }) => data],
  ['GET /nacos/v1/ns/instance/statuses?key=DEFAULT_GROUP@@orders', ({ ips }) => ips],
  [`GET /nacos/v1/ns/catalog/instances?${ALL}`, ({ list }) => list],
  [`GET /nacos/v2/ns/catalog/instances?${ALL}`, ({ data }) => data.instances],
  [`GET /nacos/v1/ns/catalog/services?${ALL}&withInstances=true`, ([service]) => service.clusterMap.DEFAULT.hosts],
  ['GET /nacos/v3/admin/ns/service/list?withInstances=true', ({ data }) => data.pageItems[0].clusterMap.DEFAULT.hosts],
])('%s is as long as it says, over HTTP/1.1 and HTTP/2', async (call, listed) => {
  await using room = await crowded();
  const path = call.slice('GET '.length);
  const heard = [await overHttp1(room.address, 'GET', path), await overHttp2(room.address, 'GET', path)];
  for (const { status, length, body } of heard) {
    expect(status).toBe(200);
    expect(length).toBe(body.length);
    expect(listed(JSON.parse(body.toString())).length).toBe(COUNT);
  }
  for (const ask of [overHttp1, overHttp2])
    expect(await ask(room.address, 'HEAD', path)).toEqual({ status: 200, length: heard[0]?.length, body: Buffer.alloc(0) });
  expect(room.logged).toEqual([]);
});

it('whoever leaves in the middle of a list is missed by nobody', async () => {
  await using room = await crowded();
  const path = '/nacos/v1/ns/instance/list?serviceName=orders';
  const socket = await dial(room.address);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  socket.resetAndDestroy();
  const session = connectHttp2(`http://${room.address}`);
  const stream = session.request({ ':path': path });
  stream.on('error', () => {});
  await once(stream, 'response');
  stream.destroy();
  session.destroy();
  expect((await overHttp1(room.address, 'GET', path)).status).toBe(200);
  expect(room.logged).toEqual([]);
});

it('of a list of very many there are pages', async () => {
  await using room = await crowded();
  const page = await overHttp1(room.address, 'GET', '/nacos/v1/ns/catalog/instances?serviceName=orders&pageNo=3&pageSize=1000');
  const { list, count } = JSON.parse(page.body.toString());
  expect([list.length, list[0].port, count]).toEqual([500, 2_000, COUNT]);
  const { body } = await overHttp1(room.address, 'GET', '/nacos/v2/ns/service?serviceName=orders');
  expect(JSON.parse(body.toString())).toMatchObject({ data: { ephemeral: true, clusterMap: { DEFAULT: {} } } });
});

it('very many services are listed, found and sorted in parts', async () => {
  await using room = await crowded();
  const names = Array.from({ length: COUNT }, (_, i) => `s${(i * 7) % COUNT}`);
  for (const [i, name] of names.entries())
    room.rooms.registry.register({ ...orders, name }, registration({ ip: `10.1.0.${i % 2}` }));
  const get = async (path: string) => JSON.parse((await overHttp1(room.address, 'GET', path)).body.toString());
  const sorted = ['orders', ...names].sort();
  const { doms, count } = await get('/nacos/v1/ns/service/list?pageNo=3&pageSize=1000');
  expect([doms, count]).toEqual([sorted.slice(2_000), COUNT + 1]);
  expect((await get('/nacos/v1/ns/service/names?expr=s')).services.public).toEqual(sorted);
  const found = await get('/nacos/v1/ns/catalog/services?pageNo=1&pageSize=10&instance=10.1.0.1:8080');
  const half = names.filter((_, i) => i % 2 === 1).sort();
  expect(found.count).toBe(half.length);
  expect(found.serviceList.map(({ name }: { name: string }) => name)).toEqual(half.slice(0, 10));
});
