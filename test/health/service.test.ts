import { create, toBinary } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Health, HealthListResponseSchema } from '../../src/gen/grpc/health/v1/health_pb.ts';
import type { Server } from '../../src/index.ts';
import { OPTIONS } from '../../src/options.ts';
import {
  HEALTH_CLIENTS,
  type HealthClient,
  TLS_CERT,
  TLS_HEALTH_CLIENTS,
  TLS_KEY,
  WATCHING_CLIENTS,
} from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { deregister, register, setEnabled, startServer } from '../support/server.ts';

failOnLeaks();

/** What health means is the same for every protocol: each case runs over each of them. */
const WATCHERS = [
  ...Object.entries(WATCHING_CLIENTS).map(([name, connect]) => ({
    name,
    connect: ({ listeners }: Server) => connect(listeners.health),
  })),
  ...Object.entries(TLS_HEALTH_CLIENTS).map(([name, connect]) => ({
    name,
    connect: ({ listeners }: Server) => connect(listeners.tls ?? ''),
  })),
];
const CLIENTS: readonly { readonly name: string; readonly connect: (server: Server) => HealthClient }[] = [
  ...WATCHERS,
  { name: 'JSON POST, HTTP/1.1', connect: ({ listeners }) => HEALTH_CLIENTS['JSON POST, HTTP/1.1'](listeners.health) },
];

const start = () => startServer({ tls: { port: 0, cert: TLS_CERT, key: TLS_KEY } });

describe.each(CLIENTS)('over $name', ({ connect }) => {
  let server: Server;
  let client: HealthClient;

  beforeAll(async () => {
    server = await start();
    client = connect(server);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await server.close(100);
  });

  it('the bridge itself is SERVING', async () => {
    expect(await client.check('')).toBe('SERVING');
  });

  it('a service with an available instance is SERVING, by its bare and its grouped name', async () => {
    await register(server, 'orders');
    expect(await client.check('orders')).toBe('SERVING');
    expect(await client.check('DEFAULT_GROUP@@orders')).toBe('SERVING');
  });

  it('a service of another group has its own status', async () => {
    await register(server, 'G1@@refunds');
    expect(await client.check('G1@@refunds')).toBe('SERVING');
    await expect(client.check('refunds')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('a service of another namespace is not known', async () => {
    await register(server, 'elsewhere', { namespaceId: 'dev' });
    await expect(client.check('elsewhere')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('a service whose instances are all unavailable is NOT_SERVING', async () => {
    await register(server, 'disabled', { enabled: 'false' });
    await register(server, 'weightless', { weight: 0 });
    await register(server, 'sick', { healthy: 'false' });
    await register(server, 'empty');
    await deregister(server, 'empty');
    for (const service of ['disabled', 'weightless', 'sick', 'empty']) expect(await client.check(service)).toBe('NOT_SERVING');
  });

  it('a service nobody has heard of is NOT_FOUND, with a constant text', async () => {
    await expect(client.check('nobody')).rejects.toMatchObject({ code: 'not_found', message: 'not_found: unknown service' });
  });

  it.each(['@@orders', 'x'.repeat(1025)])('the name %j is INVALID_ARGUMENT', async (name) => {
    await expect(client.check(name)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('a message too large to be a health request is refused', async () => {
    await expect(client.check('x'.repeat(100_000))).rejects.toMatchObject({ code: 'resource_exhausted' });
    expect(await client.check('')).toBe('SERVING');
  });
});

describe.each(WATCHERS)('Watch over $name', ({ connect }) => {
  it('starts with SERVICE_UNKNOWN, stays open, and tells each change once until the bridge drains', async () => {
    await using server = await start();
    using client = connect(server);
    const seen: string[] = [];
    let failure: unknown;
    try {
      for await (const status of client.watch('orders', new AbortController().signal)) {
        seen.push(status);
        // Each message is answered with the next change, so that none can be merged with another.
        if (seen.length === 1) await register(server, 'orders');
        if (seen.length === 2) {
          await register(server, 'orders', { port: 81 });
          await deregister(server, 'orders', { port: 81 });
          await setEnabled(server, 'orders', false);
        }
        if (seen.length === 3) await setEnabled(server, 'orders', true);
        if (seen.length === 4) void server.close(1_000);
      }
    } catch (error) {
      failure = error;
    }
    expect(seen).toEqual(['SERVICE_UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVING']);
    expect(failure).toMatchObject({ code: 'unavailable' });
  });

  it('of the bridge tells that it stops before it ends', async () => {
    await using server = await start();
    using client = connect(server);
    const seen: string[] = [];
    const watched = async () => {
      for await (const status of client.watch('', new AbortController().signal)) {
        seen.push(status);
        if (seen.length === 1) void server.close(1_000);
      }
    };
    await expect(watched()).rejects.toMatchObject({ code: 'unavailable' });
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
  });

  it('of a bad name is INVALID_ARGUMENT', async () => {
    await using server = await start();
    using client = connect(server);
    const watched = async () => {
      for await (const _ of client.watch('@@', new AbortController().signal));
    };
    await expect(watched()).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('List', () => {
  it('names every service of the default namespace, and the bridge', async () => {
    await using server = await startServer();
    const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.listeners.health}` }));
    await register(server, 'orders');
    await register(server, 'G1@@refunds', { enabled: 'false' });
    await register(server, 'elsewhere', { namespaceId: 'dev' });
    const { statuses } = await client.list({});
    expect(Object.fromEntries(Object.entries(statuses).map(([name, { status }]) => [name, status]))).toEqual({
      '': 1,
      orders: 1,
      'G1@@refunds': 2,
    });
  });

  it('has a thousand services as well', async () => {
    await using server = await start();
    for (let i = 0; i < 1_000; i++) await register(server, `service-${i}`);
    const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.listeners.health}` }));
    expect(Object.keys((await client.list({})).statuses)).toHaveLength(1_001);
  });

  it("of as many as there may be fits a client's 4 MiB, with names of 400 bytes", () => {
    const entries = Array.from({ length: OPTIONS.maxListed.default as number }, (_, i): [string, object] => [
      String(i).padStart(400, 'n'),
      { status: 1 },
    ]);
    const message = create(HealthListResponseSchema, { statuses: Object.fromEntries(entries) });
    expect(toBinary(HealthListResponseSchema, message).length).toBeLessThan(4 << 20);
  });

  it('is refused with RESOURCE_EXHAUSTED beyond the entries that an option allows, and names it', async () => {
    await using server = await startServer({ maxListed: 100 });
    const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.listeners.health}` }));
    for (let i = 0; i < 99; i++) await register(server, `s${i}`);
    expect(Object.keys((await client.list({})).statuses)).toHaveLength(100);
    await register(server, 'one-too-many');
    await expect(client.list({})).rejects.toMatchObject({
      code: 8,
      rawMessage: 'more than 100 services to list: check each by its name, or raise --max-listed',
    });
  });
});
