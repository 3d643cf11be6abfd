import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { PayloadSchema } from '../../../src/gen/nacos/payload_pb.ts';
import { REASONS, type Reason, RequestError } from '../../../src/nacos/errors.ts';
import type { Asker } from '../../../src/nacos/grpc/connection.ts';
import { type Said, saidIn } from '../../../src/nacos/grpc/messages.ts';
import { answerer } from '../../../src/nacos/grpc/protocol.ts';
import { requestTable } from '../../../src/nacos/grpc/table.ts';
import type { RegistryEvent } from '../../../src/registry/changes.ts';
import { grpcRoom } from '../../support/grpc-room.ts';
import { orders } from '../../support/instances.ts';

const said = (type: string, body: unknown, headers: Record<string, string> = {}): Said => ({
  type,
  headers,
  body: Buffer.from(JSON.stringify(body)),
});

const INSTANCE = { serviceName: 'orders', type: 'registerInstance', instance: { ip: '10.0.0.1', port: 80 } };
const BY = { connection: '1000_127.0.0.1_1', peer: '127.0.0.1', agent: 'Test:v1' };

it('a call is told who asks: the connection, its words for the registry, and the headers of the payload', () => {
  const room = grpcRoom();
  const connection = room.join();
  const askers: Asker[] = [];
  const from = (_: object, asker: Asker) => {
    askers.push(asker);
    return {};
  };
  const answerTo = answerer(room, new Map([['AnyRequest', { need: 'read' as const, answer: 'AnyResponse', from }]]));
  answerTo(said('AnyRequest', {}, { accessToken: 'secret' }), connection.peer);
  answerTo(
    saidIn(create(PayloadSchema, { metadata: { type: 'AnyRequest' }, body: { value: Buffer.from('{}') } })),
    connection.peer,
  );
  expect(askers).toEqual([
    { connection, by: BY, headers: { accessToken: 'secret' } },
    { connection, by: BY, headers: {} },
  ]);
});

it('an answer that is larger than the client takes is a refusal that says so, in the class that it expects', async () => {
  const room = grpcRoom();
  const connection = room.join();
  const from = () => ({ text: 'x'.repeat(10 << 20) });
  const answerTo = answerer(
    room,
    new Map([['AnyRequest', { need: 'read' as const, answer: 'AnyResponse', from, failure: { count: 0 } }]]),
  );
  const { type, body } = await answerTo(said('AnyRequest', {}), connection.peer);
  expect([type, JSON.parse(body)]).toEqual([
    'AnyResponse',
    {
      count: 0,
      resultCode: 500,
      errorCode: 413,
      message: expect.stringMatching(/^the answer has 104858\d\d bytes, and the client takes 10485760$/),
      success: false,
    },
  ]);
});

describe('what a connection does to the registry', () => {
  function setUp() {
    const room = grpcRoom();
    const events: RegistryEvent[] = [];
    room.registry.onEvent((event) => events.push(event));
    const answerTo = answerer(room, requestTable(room));
    const connection = room.join();
    const ask = (type: string, body: unknown) => answerTo(said(type, body), connection.peer);
    return { ...room, connection, ask, told: () => events.map(({ cause, by }) => [cause, by]) };
  }

  it('is told with its name, its address and what it calls itself, also when it ends', () => {
    const { ask, connections, connection, told } = setUp();
    ask('InstanceRequest', INSTANCE);
    ask('InstanceRequest', INSTANCE);
    ask('InstanceRequest', { ...INSTANCE, type: 'deregisterInstance' });
    ask('BatchInstanceRequest', {
      serviceName: 'orders',
      type: 'batchRegisterInstance',
      instances: [{ ip: '10.0.0.1', port: 81 }],
    });
    connections.end(connection, 'closed');
    expect(told()).toEqual([
      ['registered', BY],
      ['re-registered', BY],
      ['deregistered', BY],
      ['registered', BY],
      ['connection-ended', { ...BY, reason: 'closed' }],
    ]);
  });

  it('is told so of persistent instances, too', () => {
    const { ask, told } = setUp();
    ask('PersistentInstanceRequest', INSTANCE);
    ask('PersistentInstanceRequest', { ...INSTANCE, type: 'deregisterInstance' });
    expect(told()).toEqual([
      ['registered', BY],
      ['deregistered', BY],
    ]);
  });

  it('is as healthy as it says', () => {
    const { ask, registry } = setUp();
    for (const healthy of [false, true, false]) {
      ask('InstanceRequest', { ...INSTANCE, instance: { ...INSTANCE.instance, healthy } });
      expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: healthy ? 1 : 0 });
    }
  });
});

// Object.keys is typed string[]; these are the table's own.
it.each(Object.keys(REASONS) as Reason[])('%s has the code of the table, and its text', async (reason) => {
  const room = grpcRoom();
  const connection = room.join();
  const from = () => {
    throw new RequestError(reason, 'no');
  };
  const answerTo = answerer(
    room,
    new Map([['AnyRequest', { need: 'read' as const, answer: 'AnyResponse', from, failure: { count: 0 } }]]),
  );
  const { type, body } = await answerTo(said('AnyRequest', {}), connection.peer);
  const expected = { count: 0, resultCode: 500, errorCode: REASONS[reason].grpc, message: 'no', success: false };
  expect({ type, body: JSON.parse(body) }).toEqual({ type: 'AnyResponse', body: expected });
});

it.each<[Reason, number]>([
  ['too-many', 503],
  ['config-unknown', 300],
  ['conflict', 500],
  ['missing-param', 400],
  ['invalid', 400],
  ['not-found', 404],
])('to clients %s is %i', (reason, code) => {
  expect(REASONS[reason].grpc).toBe(code);
});

it('a bug is logged once and told without detail', async () => {
  const logged: { readonly msg: string }[] = [];
  const room = grpcRoom({ log: pino({}, { write: (line) => logged.push(JSON.parse(line)) }) });
  const connection = room.join();
  const from = () => {
    throw new TypeError('secret');
  };
  const answerTo = answerer(room, new Map([['AnyRequest', { need: 'read' as const, answer: 'AnyResponse', from }]]));
  const { body } = await answerTo(said('AnyRequest', {}), connection.peer);
  expect(JSON.parse(body)).toEqual({ resultCode: 500, errorCode: 500, message: 'internal error', success: false });
  expect(logged).toMatchObject([{ msg: 'nacos request failed', err: { message: 'secret' } }]);
});
