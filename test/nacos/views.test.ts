import { describe, expect, it } from 'vitest';
import { Roll } from '../../src/nacos/roll.ts';
import { DEFAULT_CLUSTER, DEFAULT_NACOS_SETTINGS, type NacosSettings } from '../../src/nacos/settings.ts';
import {
  beatAnswer,
  catalogRow,
  catalogServiceView,
  checkView,
  clusterNames,
  hostView,
  inClusters,
  instanceView,
  instanceViewV2,
  namespaceView,
  serviceView,
  serviceViewV2,
  statusView,
  unknownBeatAnswer,
  updatedView,
} from '../../src/nacos/views.ts';
import { DEFAULT_SILENCE, type Instance } from '../../src/registry/instance.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

function instance(overrides: Partial<Instance> = {}): Instance {
  return {
    ...registration(),
    silence: DEFAULT_SILENCE,
    silentMs: 0,
    edit: undefined,
    drain: undefined,
    trouble: undefined,
    remembered: false,
    ...overrides,
  };
}

/** They are in the service `orders`. */
function rollOf(instances: readonly Instance[]): Roll {
  const registry = new Registry(() => 0);
  registry.create(orders);
  for (const one of instances) registry.register(orders, one);
  const roll = Roll.of(registry, orders);
  if (roll === undefined) throw new Error('there is a service');
  return roll;
}

const some = [
  instance({ port: 1 }),
  instance({ port: 2, healthy: false, cluster: 'C2' }),
  instance({ port: 3, enabled: false }),
  instance({ port: 4, cluster: 'C2', weight: 0 }),
];

describe('an instance', () => {
  it('has every field in a list, with the silence it is allowed', () => {
    const silence = { beatIntervalMs: 1_000, unhealthyAfterMs: 3_000, removedAfterMs: 6_000 };
    expect(hostView(orders, instance({ silence, metadata: { k: 'v' } }))).toEqual({
      instanceId: '10.0.0.1#8080#DEFAULT#DEFAULT_GROUP@@orders',
      ip: '10.0.0.1',
      port: 8080,
      weight: 1,
      healthy: true,
      enabled: true,
      ephemeral: true,
      clusterName: 'DEFAULT',
      serviceName: 'DEFAULT_GROUP@@orders',
      metadata: { k: 'v' },
      instanceHeartBeatInterval: 1_000,
      instanceHeartBeatTimeOut: 3_000,
      ipDeleteTimeout: 6_000,
      instanceIdGenerator: 'simple',
      valid: true,
      marked: false,
    });
    expect(hostView(orders, instance())).toMatchObject({ instanceHeartBeatInterval: 5_000 });
  });

  it('alone has its service under another key in v2', () => {
    const { service, ...rest } = instanceView(orders, instance());
    expect(instanceViewV2(orders, instance())).toEqual({ serviceName: service, ...rest });
  });

  it('that is one of many is named in short', () => {
    expect(some.slice(0, 2).map(statusView)).toEqual(['10.0.0.1:1_true', '10.0.0.1:2_false']);
    expect(updatedView([instance(), instance({ port: 2, ephemeral: false, cluster: 'C2' })])).toEqual({
      updated: ['10.0.0.1:8080:unknown:DEFAULT:ephemeral', '10.0.0.1:2:unknown:C2:persistent'],
    });
  });
});

describe('a beat', () => {
  it('is answered by a code, and without one by 20404', () => {
    const known = beatAnswer(5_000, true);
    expect(JSON.parse(known.json)).toEqual({ clientBeatInterval: 5_000, code: 10_200, lightBeatEnabled: true });
    const unknown = unknownBeatAnswer(5_000);
    expect(JSON.parse(unknown.json)).toEqual({ clientBeatInterval: 5_000, code: 20_404 });
    expect([known.bytes, unknown.bytes]).toEqual([known, unknown].map(({ json }) => Buffer.byteLength(json)));
  });
});

describe('a service', () => {
  const C9 = { ...DEFAULT_CLUSTER, check: { type: 'none' as const }, metadata: { a: 'b' } };
  const settings: NacosSettings = { ...DEFAULT_NACOS_SETTINGS, metadata: { team: 'shop' }, clusters: { C9 } };

  it('names every cluster that has an instance or settings, sorted', () => {
    expect(clusterNames(rollOf(some), settings)).toEqual(['C2', 'C9', 'DEFAULT']);
    expect(serviceView(orders, rollOf(some), settings).clusters).toEqual([
      { name: 'C2', healthChecker: { type: 'TCP' }, metadata: {} },
      { name: 'C9', healthChecker: { type: 'NONE' }, metadata: { a: 'b' } },
      { name: 'DEFAULT', healthChecker: { type: 'TCP' }, metadata: {} },
    ]);
  });

  it('in v2 has its clusters by name, and is ephemeral unless an instance is persistent', () => {
    expect(serviceViewV2(orders, rollOf(some), settings)).toMatchObject({
      namespace: 'public',
      serviceName: 'orders',
      clusterMap: { C9: { clusterName: 'C9', healthChecker: { type: 'NONE' }, metadata: { a: 'b' }, hosts: null } },
      ephemeral: true,
    });
    expect(serviceViewV2(orders, rollOf([instance({ ephemeral: false })]), settings).ephemeral).toBe(false);
  });

  it.each<[string, readonly Instance[], number, string]>([
    ['none', [], 1, 'false'],
    ['one that is healthy', [instance()], 0, 'false'],
    ['one that is not, though there is no threshold', [instance({ healthy: false })], 0, 'true'],
    ['half', some.slice(0, 2), 0.5, 'true'],
  ])('in the catalog triggers protection with %s', (_, instances, protectThreshold, triggerFlag) => {
    expect(catalogRow(orders, rollOf(instances), { ...settings, protectThreshold })).toMatchObject({ triggerFlag });
  });

  it('in the catalog says of each cluster whether it is empty', () => {
    const { clusters } = catalogServiceView(orders, rollOf(some), settings);
    expect(clusters.map(({ name, empty, defaultCheckPort }) => [name, empty, defaultCheckPort])).toEqual([
      ['C2', false, 80],
      ['C9', true, 80],
      ['DEFAULT', false, 80],
    ]);
  });
});

describe('the rest', () => {
  it.each([
    [{ type: 'tcp' } as const, { type: 'TCP' }],
    [{ type: 'none' } as const, { type: 'NONE' }],
    [{ type: 'mysql', user: 'u', password: 'secret', command: 'c' } as const, { type: 'MYSQL', user: 'u', pwd: null, cmd: 'c' }],
    [
      { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true } as const,
      { type: 'HTTP', path: '/', headers: '', expectedResponseCode: 200 },
    ],
    [
      { type: 'http', path: '', headers: '', expectedResponseCode: 204, tls: true, verify: false } as const,
      { type: 'HTTP', path: '', headers: '', expectedResponseCode: 204, tls: true, verify: false },
    ],
    [{ type: 'grpc', service: '', tls: false, verify: true } as const, { type: 'GRPC', service: '' }],
    [{ type: 'grpc', service: 's', tls: true, verify: true } as const, { type: 'GRPC', service: 's', tls: true }],
  ])('the checker %j shows no password', (check, view) => {
    expect(checkView(check)).toEqual(view);
  });

  it('no cluster means all of them', () => {
    expect(inClusters(some, [])).toBe(some);
    expect(inClusters(some, ['C2'])).toHaveLength(2);
  });

  it('a namespace has its names under the names of the console', () => {
    expect(namespaceView({ id: 'dev', name: 'Dev', description: 'd', type: 2 })).toEqual({
      namespace: 'dev',
      namespaceShowName: 'Dev',
      namespaceDesc: 'd',
      quota: 200,
      configCount: 0,
      type: 2,
    });
  });
});
