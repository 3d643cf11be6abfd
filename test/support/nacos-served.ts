import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { requestTable } from '../../src/nacos/grpc/table.ts';
import type { JsonObject } from '../../src/nacos/json.ts';
import type { NacosOptions } from '../../src/nacos/nacos.ts';
import { orders } from './instances.ts';
import { emptyNacos } from './nacos-room.ts';
import { answerOf, nacos } from './server.ts';

export type Params = Readonly<Record<string, string | number>>;

/** Nacos over HTTP, and over gRPC without a socket, with the time that the test moves, and `orders` in it. For `await using`. */
export async function servedNacos(options: Partial<NacosOptions> = {}) {
  const { http, rooms, scheduler, close, checking } = emptyNacos(options);
  const server = createServer((req, res) => void http(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The server listens on a port, not on a pipe.
  const main = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const table = requestTable(rooms);
  const { registry, connections } = rooms;
  return {
    registry,
    rooms,
    checking,
    call: (method: string, path: string, params: Params = {}, init: RequestInit = {}) =>
      answerOf(
        nacos({ listeners: { main, grpc: main, health: main } }, method, path, { serviceName: 'orders', ...params }, init),
      ),
    join() {
      const peer = { connection: {}, ip: '127.0.0.1', port: 1, cut: () => {} };
      const connection = connections.setUp(peer, { clientVersion: 'Test:v1', labels: {}, negotiates: false }, () => {});
      if (connection === undefined) throw new Error('refused');
      const ask = (type: string, body: JsonObject) =>
        table.get(type)?.from({ serviceName: 'orders', ...body }, { connection, by: connection.by, headers: {} });
      /** The health of each instance in the next push, which is acknowledged. */
      const pushed = () => {
        scheduler.advance(0);
        const message = connection.outbox.take();
        if (message === undefined) return undefined;
        const { requestId, serviceInfo } = JSON.parse(message.body);
        connection.answered(requestId, true);
        return serviceInfo.hosts.map(({ healthy }: { healthy: boolean }) => healthy);
      };
      return { ask, pushed };
    },
    pass(ms: number) {
      scheduler.advance(ms);
      registry.sweep();
    },
    scheduler,
    /** The instance on 10.0.0.1:80. */
    seen: () => registry.instance(orders, { ip: '10.0.0.1', port: 80 }),
    async [Symbol.asyncDispose]() {
      close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The same until the test that calls it has ended. */
export async function servedForTest(options?: Partial<NacosOptions>) {
  const room = await servedNacos(options);
  onTestFinished(() => room[Symbol.asyncDispose]());
  return room;
}
