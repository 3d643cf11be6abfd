import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../src/registry/instance.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { emptyNacos } from '../support/nacos-room.ts';
import { answerOf, nacos, register, startServer } from '../support/server.ts';

/** What people ran into with registries, as sequences of requests and what must be true after them. */

type Params = Readonly<Record<string, string | number>>;
/** A request and the answer that it must have (else 200), or milliseconds in which nobody says a word. */
type Step = readonly [method: string, path: string, params?: Params, answer?: object] | number;

const A = { serviceName: 's', ip: '10.9.0.1', port: 80 };
const service = { namespace: 'public', group: 'DEFAULT_GROUP', name: 's' };

/** Nacos over HTTP, with the time that the test moves. For `await using`. */
async function served() {
  const { http, rooms, scheduler, close } = emptyNacos();
  const server = createServer((req, res) => void http(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const main = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    registry: rooms.registry,
    seen: () => rooms.registry.instances(service) ?? [],
    async take(steps: readonly Step[]) {
      for (const step of steps) {
        if (typeof step === 'number') {
          scheduler.advance(step);
          rooms.registry.sweep();
          continue;
        }
        const [method, path, params = {}, answer = { status: 200 }] = step;
        const given = await answerOf(nacos({ listeners: { main, grpc: main, health: main } }, method, path, { ...A, ...params }));
        expect(given, `${method} ${path} ${JSON.stringify(params)}`).toMatchObject(answer);
      }
    },
    async [Symbol.asyncDispose]() {
      close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Who registers and deregisters with one version may be edited with another. */
const VERSIONS = [
  ['v1', '/nacos/v1/ns/instance', '/nacos/v1/ns/instance'],
  ['v2', '/nacos/v2/ns/instance', '/nacos/v2/ns/instance'],
  ['v3', '/nacos/v3/client/ns/instance', '/nacos/v2/ns/instance'],
  ['v3, as operators', '/nacos/v3/admin/ns/instance', '/nacos/v2/ns/instance'],
] as const;

type Row = readonly [title: string, steps: (own: string, edit: string) => readonly Step[], seen: readonly Partial<Instance>[]];

const BEAT = '/nacos/v1/ns/instance/beat';

// Each with the report, or the client, that it comes from.
const ROWS: readonly Row[] = [
  [
    'a release shows its own metadata, and keeps what an operator has added (alibaba/nacos#12713, #8717)',
    (I, E) => [
      ['POST', I, { metadata: '{"version":"1"}' }],
      ['PUT', `${E}/metadata/batch`, { metadata: '{"gray":"true"}', consistencyType: 'ephemeral' }],
      ['POST', I, { metadata: '{"version":"2","revision":"b"}' }],
    ],
    [{ metadata: { version: '2', revision: 'b', gray: 'true' } }],
  ],
  [
    'off and on again leaves an instance as it was registered (alibaba/nacos#362)',
    (I, E) => [
      [
        'POST',
        I,
        { weight: 5, metadata: '{"a":"b","preserved.heart.beat.timeout":"60000","preserved.ip.delete.timeout":"90000"}' },
      ],
      ['PUT', E, { enabled: 'false' }],
      ['PUT', E, { enabled: 'true' }],
    ],
    [
      {
        weight: 5,
        enabled: true,
        edit: undefined,
        silence: { beatIntervalMs: undefined, unhealthyAfterMs: 60_000, removedAfterMs: 90_000 },
      },
    ],
  ],
  [
    'an operator who takes an edit back while the instance is away has taken it back',
    (I, E) => [['POST', I], ['PUT', E, { enabled: 'false' }], 30_000, ['PUT', E, { enabled: 'true' }], ['POST', I]],
    [{ enabled: true, edit: undefined }],
  ],
  [
    'an edit of what is away is no registration',
    (I, E) => [['POST', I], ['PUT', E, { enabled: 'false' }], 30_000, ['PUT', E, { weight: 3, metadata: '{"k":"v"}' }]],
    [],
  ],
  [
    'and is seen when it is back',
    (I, E) => [
      ['POST', I, { metadata: '{"a":"b"}' }],
      ['PUT', E, { enabled: 'false' }],
      30_000,
      ['PUT', E, { weight: 3, metadata: '{"k":"v"}' }],
      ['POST', I, { metadata: '{"a":"b","c":"d"}' }],
    ],
    [{ enabled: false, weight: 3, metadata: { k: 'v', c: 'd' } }],
  ],
  [
    'the next process at an address is not offline for the goodbye of the one before (alibaba/nacos#8853)',
    (I, E) => [
      ['POST', I],
      ['PUT', E, { enabled: 'false' }],
      ['DELETE', I],
      ['POST', I],
    ],
    [{ enabled: true, edit: undefined }],
  ],
  [
    'edits of a persistent instance end with it (alibaba/nacos#10505)',
    (I, E) => [
      ['POST', I, { ephemeral: 'false' }],
      ['PUT', E, { ephemeral: 'false', metadata: '{"version":"old"}' }],
      ['DELETE', I, { ephemeral: 'false' }],
      ['POST', I, { ephemeral: 'false', metadata: '{"test":"new"}' }],
    ],
    [{ metadata: { test: 'new' }, ephemeral: false }],
  ],
  ['whoever registers is alive (alibaba/nacos#821)', (I) => [['POST', I], 15_000, ['POST', I]], [{ healthy: true }]],
  [
    'an edit that names another kind is of the one instance there is (alibaba/nacos#2003)',
    (I, E) => [
      ['POST', I],
      ['PUT', E, { ephemeral: 'false', enabled: 'true', weight: 2 }],
    ],
    [{ ephemeral: true, weight: 2 }],
  ],
  [
    'a goodbye that names no kind means the persistent one too (alibaba/nacos#7726, nacos-group/nacos-sdk-python#105)',
    (I) => [
      ['POST', I, { ephemeral: 'false' }],
      ['DELETE', I],
    ],
    [],
  ],
  [
    'an instance is in the cluster of its last registration only (alibaba/nacos#3919)',
    (I) => [
      ['POST', I, { clusterName: 'A' }],
      ['POST', I, { clusterName: 'B' }],
    ],
    [{ cluster: 'B' }],
  ],
  [
    'a persistent and an ephemeral registration of one address are one instance, of the last kind',
    (I) => [
      ['POST', I, { ephemeral: 'false' }],
      ['POST', I],
    ],
    [{ ephemeral: true }],
  ],
];

describe.each(VERSIONS)('over HTTP %s', (_, own, edit) => {
  it.each(ROWS)('%s', async (_, steps, seen) => {
    await using house = await served();
    await house.take(steps(own, edit));
    expect(house.seen()).toMatchObject(seen);
    expect(house.seen()).toHaveLength(seen.length);
  });
});

const UNKNOWN = { status: 200, body: { clientBeatInterval: 5_000, code: 20_404 } };
const HEARD = { status: 200, body: { clientBeatInterval: 5_000, code: 10_200 } };
const BAD_WEIGHT = { status: 400, body: 'instance format invalid: The weights range from 0.0 to 10000.0' };
const beat = (said: object) => ({ beat: JSON.stringify({ ip: A.ip, port: A.port, ...said }) });

describe.each(['/nacos/v1/ns/instance/beat', '/nacos/v2/ns/instance/beat', '/nacos/v1/ns/api/clientBeat'])(
  'a beat over %s',
  (B) => {
    it.each<readonly [string, readonly Step[], readonly Partial<Instance>[]]>([
      [
        'of an unknown instance, full, without a weight (hyperf/hyperf#5351, alibaba/nacos#190)',
        [['PUT', B, beat({}), HEARD]],
        [{ weight: 1, enabled: true }],
      ],
      [
        'that is full, without a weight, of one that was here',
        [['POST', '/instance', { weight: 7, metadata: 'k=v' }], 30_000, ['PUT', B, beat({}), HEARD]],
        [{ weight: 7, metadata: { k: 'v' } }],
      ],
      ['with a weight of -5', [['PUT', B, beat({ weight: -5 }), BAD_WEIGHT]], []],
      ['with a weight of 1e300', [['PUT', B, beat({ weight: 1e300 }), BAD_WEIGHT]], []],
      ['that is an empty list, of an unknown one (hyperf/hyperf#3903)', [['PUT', B, { beat: '[]' }, UNKNOWN]], []],
      ['that is an empty object, of an unknown one', [['PUT', B, { beat: '{}' }, UNKNOWN]], []],
      [
        'that is an empty list or object heals',
        [
          ['POST', '/instance', { healthy: 'false' }],
          ['PUT', B, { beat: '[]' }, HEARD],
          15_000,
          ['PUT', B, { beat: '{}' }, HEARD],
        ],
        [{ healthy: true }],
      ],
      [
        'that is a list of something',
        [['PUT', B, { beat: '[1]' }, { status: 400, body: 'beat must be a JSON object, got [1]' }]],
        [],
      ],
      [
        'of a persistent instance',
        [
          ['POST', '/instance', { ephemeral: 'false', healthy: 'false' }],
          ['PUT', B, {}, HEARD],
        ],
        [{ healthy: false }],
      ],
    ])('%s', async (_, steps, seen) => {
      await using house = await served();
      await house.take(steps);
      expect(house.seen()).toMatchObject(seen);
      expect(house.seen()).toHaveLength(seen.length);
    });
  },
);

/** Interval, timeout and removal as metadata; undefined is left out. */
function silence(interval?: number, timeout?: number, removal?: number): string {
  return JSON.stringify({
    'preserved.heart.beat.interval': interval,
    'preserved.heart.beat.timeout': timeout,
    'preserved.ip.delete.timeout': removal,
  });
}

const unfit = (interval: number, timeout: number, removal: number) =>
  `preserved.heart.beat.interval (${interval}) must be below preserved.heart.beat.timeout (${timeout}), ` +
  `and that below preserved.ip.delete.timeout (${removal}), in milliseconds`;

describe.each([
  [silence(2_000, 800), unfit(2_000, 800, 30_000)],
  [silence(undefined, 3_000), unfit(5_000, 3_000, 30_000)],
  [silence(20_000), unfit(20_000, 15_000, 30_000)],
  [silence(undefined, undefined, 10_000), unfit(5_000, 15_000, 10_000)],
  [silence(1_000, 3_000, 3_000), unfit(1_000, 3_000, 3_000)],
  [silence(3_000, 3_000, 9_000), unfit(3_000, 3_000, 9_000)],
])('silence that does not fit together, %s, is refused (alibaba/nacos#4513)', (metadata, text) => {
  const plain = { status: 400, body: text };
  const enveloped = { status: 400, body: { code: 21_004, message: 'instance error', data: text } };
  const persistent = { ephemeral: 'false' };

  it.each<readonly [string, readonly Step[], number]>([
    ['POST v1', [['POST', '/instance', { metadata }, plain]], 0],
    ['POST v1, persistent', [['POST', '/instance', { metadata, ...persistent }, plain]], 0],
    ['POST v2', [['POST', '/nacos/v2/ns/instance', { metadata }, enveloped]], 0],
    ['POST v3', [['POST', '/nacos/v3/client/ns/instance', { metadata }, enveloped]], 0],
    ['POST v3, as operators', [['POST', '/nacos/v3/admin/ns/instance', { metadata }, enveloped]], 0],
    [
      'PUT v3, as operators',
      [
        ['POST', '/instance'],
        ['PUT', '/nacos/v3/admin/ns/instance', { metadata }, enveloped],
      ],
      1,
    ],
    ['PUT v1 of an unknown one', [['PUT', '/instance', { metadata }, plain]], 0],
    ['a beat that registers', [['PUT', BEAT, beat({ metadata: JSON.parse(metadata) }), plain]], 0],
    [
      'PUT v1',
      [
        ['POST', '/instance'],
        ['PUT', '/instance', { metadata }, plain],
      ],
      1,
    ],
    [
      'PUT v2',
      [
        ['POST', '/instance'],
        ['PUT', '/nacos/v2/ns/instance', { metadata }, enveloped],
      ],
      1,
    ],
    [
      'PATCH v1',
      [
        ['POST', '/instance'],
        ['PATCH', '/instance', { metadata }, plain],
      ],
      1,
    ],
    [
      'metadata added, v1',
      [
        ['POST', '/instance'],
        ['PUT', '/instance/metadata/batch', { metadata, consistencyType: 'ephemeral' }, plain],
      ],
      1,
    ],
    [
      'metadata added, v2',
      [
        ['POST', '/instance'],
        ['PUT', '/nacos/v2/ns/instance/metadata/batch', { metadata, consistencyType: 'ephemeral' }, enveloped],
      ],
      1,
    ],
  ])('%s', async (_, steps, count) => {
    await using house = await served();
    await house.take(steps);
    expect(house.seen()).toHaveLength(count);
    expect(house.seen().map(({ edit }) => edit)).toEqual(Array(count).fill(undefined));
  });

  it('over gRPC: one, one of a batch, a persistent one', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    const at = { namespace: 'public', serviceName: 's', groupName: 'DEFAULT_GROUP' };
    const bad = { ip: A.ip, port: 80, metadata: JSON.parse(metadata) };
    const refused = { resultCode: 500, errorCode: 400, message: text };
    const asked = async (type: string, body: object) => (await client.ask(type, { ...at, ...body })).body;
    expect(await asked('InstanceRequest', { type: 'registerInstance', instance: bad })).toMatchObject(refused);
    const instances = [{ ip: A.ip, port: 81 }, bad];
    expect(await asked('BatchInstanceRequest', { type: 'batchRegisterInstance', instances })).toMatchObject(refused);
    expect(await asked('PersistentInstanceRequest', { type: 'registerInstance', instance: bad })).toMatchObject(refused);
    expect(await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 's' }))).toMatchObject({ body: { hosts: [] } });
  });
});

it.each([
  silence(1_000, 3_000, 9_000),
  silence(4_999, 5_000, 5_001),
  silence(undefined, 6_000),
  silence(14_999),
  silence(0, 6_000),
])('silence that fits together, %s, is taken', async (metadata) => {
  await using house = await served();
  await house.take([['POST', '/instance', { metadata }]]);
  expect(house.seen()).toHaveLength(1);
});

it('an edit that takes the interval away, and leaves a timeout below the default of it, is refused', async () => {
  await using house = await served();
  const metadata = '{"preserved.heart.beat.interval":"1000"}';
  await house.take([
    ['POST', '/instance', { metadata: silence(1_000, 3_000, 9_000) }],
    [
      'DELETE',
      '/instance/metadata/batch',
      { metadata, consistencyType: 'ephemeral' },
      { status: 400, body: unfit(5_000, 3_000, 9_000) },
    ],
  ]);
  expect(house.seen()).toMatchObject([{ edit: undefined, silence: { beatIntervalMs: 1_000 } }]);
});

describe('an instance that a connection of 2.x holds (alibaba/nacos#11183)', () => {
  it.each([
    ['/nacos/v1/ns/instance', (text: RegExp) => expect.stringMatching(text)],
    ['/nacos/v2/ns/instance', (text: RegExp) => ({ code: 20_005, data: expect.stringMatching(text) })],
    ['/nacos/v3/admin/ns/instance', (text: RegExp) => ({ code: 20_005, data: expect.stringMatching(text) })],
    ['/nacos/v3/client/ns/instance', (text: RegExp) => ({ code: 20_005, data: expect.stringMatching(text) })],
  ])('is not deregistered by DELETE %s: 409, which connection, and what to do', async (path, words) => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    await client.register('s', 80);
    const address = { serviceName: 's', ip: '10.0.0.1', port: 80 };
    const clients = await answerOf(nacos(server, 'GET', '/nacos/v2/ns/client/list', {}));
    const [id] = (clients.body as { data: string[] }).data;
    expect(await answerOf(nacos(server, 'DELETE', path, address))).toMatchObject({
      status: 409,
      body: words(
        new RegExp(
          `^10.0.0.1:80 is held by the connection ${id} and stays as long as that: an edit with enabled=false takes it out`,
        ),
      ),
    });
    expect(await answerOf(nacos(server, 'PUT', '/instance', { ...address, enabled: 'false' }))).toMatchObject({ status: 200 });
    expect(await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 's' }))).toMatchObject({ body: { hosts: [] } });
  });

  it('is not deregistered as a persistent one over gRPC either', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    await client.register('s', 80);
    const instance = { ip: '10.0.0.1', port: 80 };
    const body = { namespace: 'public', serviceName: 's', groupName: 'DEFAULT_GROUP', type: 'deregisterInstance', instance };
    expect((await client.ask('PersistentInstanceRequest', body)).body).toMatchObject({ resultCode: 500, errorCode: 500 });
  });
});

it('an edit in force is seen in /health and in the catalog, and gone from there with its end (alibaba/nacos#8853)', async () => {
  await using server = await startServer();
  await register(server, 's');
  await register(server, 's', { port: 81 });
  const health = async () => {
    const body = await (await fetch(`http://${server.listeners.health}/health/s`)).json();
    return body as { readonly services: readonly object[] };
  };
  const catalog = async () =>
    (await answerOf(nacos(server, 'GET', '/catalog/instances', { serviceName: 's', pageNo: 1, pageSize: 10 }))).body as object;
  const edit = (enabled: string) => nacos(server, 'PUT', '/instance', { serviceName: 's', ip: '10.0.0.1', port: 80, enabled });
  expect((await health()).services[0]).not.toHaveProperty('edits');
  await edit('false');
  expect(await health()).toMatchObject({
    reason: 's: 1 of 2 instances available, 1 needed, 1 edited by an operator',
    services: [{ edits: [{ ip: '10.0.0.1', port: 80, edit: { enabled: false } }] }],
  });
  expect(await catalog()).toMatchObject({ list: [{ port: 80, edit: { enabled: false } }, { port: 81 }] });
  await edit('true');
  expect((await health()).services[0]).not.toHaveProperty('edits');
  expect(JSON.stringify(await catalog())).not.toContain('"edit"');
});
