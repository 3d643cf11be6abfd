import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/nacos/errors.ts';
import {
  clustersOf,
  countOf,
  flagOf,
  instanceOf,
  instancesOf,
  listOf,
  ONE_TEXT,
  readBody,
  serviceOf,
  setupOf,
  textOf,
  typeOf,
} from '../../../src/nacos/grpc/bodies.ts';
import type { JsonObject } from '../../../src/nacos/json.ts';
import { atOnce } from '../../support/turns.ts';

const LIMITS = { maxBatch: 3, maxMetadataLength: 10 };
const PLAIN = {
  ip: '10.0.0.1',
  port: 80,
  cluster: 'DEFAULT',
  ephemeral: true,
  weight: 1,
  healthy: true,
  enabled: true,
  metadata: {},
};

it.each<[text: string, body: JsonObject | undefined]>([
  ['{"a":1}', { a: 1 }],
  ['{}', {}],
  ['', undefined],
  ['{', undefined],
  ['null', undefined],
  ['[]', undefined],
  ['"x"', undefined],
])('%s is read as %j', (text, body) => {
  expect(readBody(Buffer.from(text))).toEqual(body);
});

it.each<[value: unknown, text: string]>([
  [undefined, ''],
  [null, ''],
  ['x', 'x'],
  [' x ', ' x '],
  [80, '80'],
  [true, 'true'],
])('the text of %j is %j', (value, text) => {
  expect(textOf({ name: value }, 'name')).toBe(text);
});

it.each<[value: unknown, flag: boolean]>([
  [undefined, false],
  [null, false],
  [true, true],
  ['TRUE', true],
  ['yes', true],
  ['', false],
  ['1', false],
  [1, false],
])('the flag of %j is %s', (value, flag) => {
  expect(flagOf({ name: value }, 'name')).toBe(flag);
});

it.each<[value: unknown, count: number]>([
  [undefined, 0],
  [null, 0],
  [2_147_483_647, 2_147_483_647],
  ['10', 10],
  [-1, 0],
  [1.5, 0],
  ['x', 0],
])('the count of %j is %s', (value, count) => {
  expect(countOf({ name: value }, 'name')).toBe(count);
});

it.each<[body: JsonObject, service: object]>([
  [{ serviceName: 'orders' }, { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' }],
  [
    { serviceName: ' orders ', namespace: ' ', groupName: '' },
    { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' },
  ],
  [
    { serviceName: 'orders', namespace: null, groupName: null },
    { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' },
  ],
  [
    { serviceName: 'orders', namespace: 'dev', groupName: 'G1' },
    { namespace: 'dev', group: 'G1', name: 'orders' },
  ],
  [
    { serviceName: 'G2@@orders', groupName: 'G1' },
    { namespace: 'public', group: 'G2', name: 'orders' },
  ],
])('%j names a service', (body, service) => {
  expect(serviceOf(body)).toEqual(service);
});

it.each<[text: unknown, clusters: readonly string[], verbatim: string]>([
  [undefined, [], ''],
  ['C1', ['C1'], 'C1'],
  ['C1, C2,', ['C1', 'C2'], 'C1, C2,'],
])('clusters %j are read, and kept as they were written', (text, clusters, clustersVerbatim) => {
  expect(clustersOf({ clusters: text }, 'clusters')).toEqual({ clusters, clustersVerbatim });
});

it.each<[instance: JsonObject, read: object]>([
  [{ ip: '10.0.0.1', port: 80 }, PLAIN],
  [{ ip: ' 10.0.0.1 ', port: '80', clusterName: ' ' }, PLAIN],
  // As Go's and Python's clients write what they do not say.
  [{ ip: '10.0.0.1', port: 80, clusterName: null, weight: null, healthy: null, enabled: null, metadata: null }, PLAIN],
  [{ ip: '10.0.0.1' }, { ...PLAIN, port: 0 }],
  // The kind of request says whether it is ephemeral.
  [{ ip: '10.0.0.1', port: 80, ephemeral: false }, PLAIN],
  [
    { ip: '10.0.0.1', port: 80, weight: 0, healthy: false, enabled: 'false' },
    { ...PLAIN, weight: 0, healthy: false, enabled: false },
  ],
  [
    { ip: '10.0.0.1', port: 80, clusterName: 'C1', metadata: { a: 1, b: null } },
    { ...PLAIN, cluster: 'C1', metadata: { a: '1', b: '' } },
  ],
  [{ ip: '10.0.0.1', port: 80, unheardOf: {} }, PLAIN],
])('the instance %j is read', (instance, read) => {
  expect(instanceOf({ instance }, true, LIMITS)).toEqual(read);
  expect(instanceOf({ instance }, false, LIMITS)).toEqual({ ...read, ephemeral: false });
});

describe('a batch', () => {
  it.each<[instances: unknown, count: number]>([
    [undefined, 0],
    [null, 0],
    [[], 0],
    [[{ ip: 'a' }], 1],
    [[{ ip: 'a' }, { ip: 'b' }, { ip: 'c' }], 3],
  ])('of %j has %i instances', (instances, count) => {
    expect(atOnce(instancesOf({ instances }, LIMITS))).toHaveLength(count);
  });
});

it.each<[what: string, read: () => unknown, reason: string, message: string]>([
  ['an object for a text', () => textOf({ name: {} }, 'name'), 'invalid', 'name must be a scalar'],
  ['a text without end', () => textOf({ name: 'x'.repeat(1_025) }, 'name'), 'invalid', 'name must have at most 1024'],
  ['no service', () => serviceOf({}), 'missing-param', 'serviceName'],
  ['a service of blanks', () => serviceOf({ serviceName: '  ' }), 'missing-param', 'serviceName'],
  ['a bad namespace', () => serviceOf({ serviceName: 'x', namespace: '../..' }), 'invalid', 'namespaceId'],
  ['no instance', () => instanceOf({}, true, LIMITS), 'missing-param', 'instance'],
  ['a list for an instance', () => instanceOf({ instance: [] }, true, LIMITS), 'missing-param', 'instance'],
  ['no ip', () => instanceOf({ instance: { port: 1 } }, true, LIMITS), 'missing-param', 'ip'],
  ['a port out of range', () => instanceOf({ instance: { ip: 'a', port: 65_536 } }, true, LIMITS), 'invalid', 'port'],
  ['a negative weight', () => instanceOf({ instance: { ip: 'a', weight: -1 } }, true, LIMITS), 'bad-weight', 'weights'],
  ['nested metadata', () => instanceOf({ instance: { ip: 'a', metadata: { a: {} } } }, true, LIMITS), 'bad-metadata', 'flat'],
  [
    'metadata without end',
    () => instanceOf({ instance: { ip: 'a', metadata: { a: 'x'.repeat(10) } } }, true, LIMITS),
    'bad-metadata',
    'exceed 10',
  ],
  ['instances that are no list', () => atOnce(instancesOf({ instances: {} }, LIMITS)), 'invalid', 'a list of objects'],
  ['instances that are none', () => atOnce(instancesOf({ instances: [1] }, LIMITS)), 'invalid', 'a list of objects'],
  [
    'a batch without end',
    () => atOnce(instancesOf({ instances: [{}, {}, {}, {}] }, LIMITS)),
    'too-many',
    'more than 3 instances, got 4',
  ],
  ['another type', () => typeOf({ type: 'c' }, 'a', 'b'), 'invalid', 'type must be one of a, b, got c'],
])('%s is refused', (_, read, reason, message) => {
  let refused: unknown;
  try {
    read();
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(RequestError);
  expect(refused).toMatchObject({ reason, message: expect.stringContaining(message) });
});

it.each<[body: JsonObject, setup: object]>([
  [{}, { clientVersion: '', labels: {}, negotiates: false }],
  [
    { clientVersion: 'v1', labels: { a: 'b' } },
    { clientVersion: 'v1', labels: { a: 'b' }, negotiates: false },
  ],
  [{ abilityTable: {} }, { clientVersion: '', labels: {}, negotiates: true }],
  [
    { abilityTable: null, abilities: {} },
    { clientVersion: '', labels: {}, negotiates: false },
  ],
  [
    { clientVersion: 1, labels: [] },
    { clientVersion: '', labels: {}, negotiates: false },
  ],
  [
    { labels: { a: {}, long: 'x'.repeat(1_025), ['y'.repeat(1_025)]: 'y' } },
    { clientVersion: '', labels: { a: '', long: '' }, negotiates: false },
  ],
])('the setup %j is read', (body, setup) => {
  expect(setupOf(body)).toEqual(setup);
});

it('of more than a hundred labels the rest is left out', () => {
  const labels = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`l${i}`, 'x']));
  expect(Object.keys(setupOf({ labels }).labels)).toHaveLength(100);
});

it('what a body may have is little, but for kinds that need more', () => {
  const texts = Buffer.from(JSON.stringify({ a: 'x'.repeat(300_000) }));
  expect(() => readBody(texts)).toThrow('the body must not exceed 262144 bytes, got 300008');
  expect(readBody(texts, ONE_TEXT)).toBeDefined();
  const values = Buffer.from(JSON.stringify({ a: Array(10_001).fill(0) }));
  expect(() => readBody(values)).toThrow('JSON must not have more than 10000 values');
  expect(readBody(values, listOf(10_000))).toBeDefined();
});
