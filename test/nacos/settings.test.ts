import { describe, expect, it } from 'vitest';
import {
  askedHealthOf,
  type ClusterSettings,
  clusterOf,
  DEFAULT_CLUSTER,
  DEFAULT_NACOS_SETTINGS,
  nacosSettingsOf,
  toServiceSettings,
} from '../../src/nacos/settings.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders } from '../support/instances.ts';

const DEFAULT_HEALTH = { minAvailable: undefined, fallAfterMs: undefined, riseAfterMs: undefined, riseBeats: undefined };

const cluster: ClusterSettings = { metadata: {}, check: { type: 'none' }, checkPort: 81, useInstancePort: true };

describe('settings', () => {
  it('come back from the registry as they were given', () => {
    const registry = new Registry(() => 0);
    const settings = { ...DEFAULT_NACOS_SETTINGS, protectThreshold: 0.5, clusters: { C1: cluster } };
    expect(nacosSettingsOf(registry, orders)).toEqual(DEFAULT_NACOS_SETTINGS);
    registry.create(orders, toServiceSettings(settings));
    expect(nacosSettingsOf(registry, orders)).toEqual(settings);
    expect(JSON.parse(JSON.stringify(registry.settings(orders)))).toMatchObject({ surfaces: { nacos: settings } });
  });

  it.each([
    ['health.min-available', '2', { minAvailable: { count: 2 } }],
    ['health.min-available', ' 50% ', { minAvailable: { percent: 50 } }],
    ['health.fall-after', '5s', { fallAfterMs: 5_000 }],
    ['health.fall-after', '0', { fallAfterMs: 0 }],
    ['health.rise-after', '24h', { riseAfterMs: 86_400_000 }],
    ['health.rise-beats', '1', { riseBeats: 1 }],
    ['health.rise-beats', '1000', { riseBeats: 1_000 }],
  ])('say by %s=%s what the domain acts on', (key, text, said) => {
    const metadata = { [key]: text };
    expect(askedHealthOf(metadata).fault).toBeUndefined();
    expect(toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, metadata })).toMatchObject(said);
  });

  it.each([
    ['health.min-available', 'none', 'a count from 1, or 1%..100%'],
    ['health.min-available', '', 'a count from 1, or 1%..100%'],
    ['health.min-available', '101%', 'a count from 1, or 1%..100%'],
    ['health.fall-after', '-1', '500ms, 5s, 2m or 1h, up to 24h'],
    ['health.rise-after', '25h', '500ms, 5s, 2m or 1h, up to 24h'],
    ['health.rise-beats', '0', '1..1000'],
    ['health.rise-beats', '1001', '1..1000'],
    ['health.rise-beats', '1.5', '1..1000'],
  ])('say nothing by %s=%s, which is a fault', (key, text, expected) => {
    const metadata = { [key]: text };
    expect(askedHealthOf(metadata).fault).toBe(`${key} must be ${expected}, got "${text}"`);
    expect(toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, metadata })).toMatchObject(DEFAULT_HEALTH);
  });

  it('that have other metadata say nothing of health', () => {
    const metadata = Object.fromEntries([
      ['__proto__', '2'],
      ['health', 'x'],
      ['health.rise', 'x'],
    ]);
    expect(askedHealthOf(metadata)).toEqual({ asked: DEFAULT_HEALTH, fault: undefined });
  });

  it('of clusters say how and where to check', () => {
    const { checks } = toServiceSettings({
      ...DEFAULT_NACOS_SETTINGS,
      clusters: { own: cluster, other: { ...cluster, useInstancePort: false, check: { type: 'tcp' } } },
    });
    expect(checks).toEqual({ own: { type: 'none', port: undefined }, other: { type: 'tcp', port: 81 } });
  });

  it.each<[ClusterSettings['check'], object]>([
    [
      { type: 'http', path: '', headers: '', expectedResponseCode: 200, tls: false, verify: true },
      { path: '/', port: 81 },
    ],
    [
      { type: 'grpc', service: '', tls: false, verify: true },
      { type: 'grpc', port: 81 },
    ],
    // As in Nacos.
    [
      { type: 'mysql', user: 'u', password: 'p', command: 'c' },
      { type: 'mysql', port: undefined },
    ],
  ])('of a cluster that is checked elsewhere by %j say where', (check, made) => {
    const { checks } = toServiceSettings({
      ...DEFAULT_NACOS_SETTINGS,
      clusters: { C1: { ...cluster, check, useInstancePort: false } },
    });
    expect(checks.C1).toMatchObject(made);
  });

  it('of a cluster called like a property of every object are its own', () => {
    const clusters = Object.fromEntries([['__proto__', cluster]]);
    const settings = { ...DEFAULT_NACOS_SETTINGS, clusters };
    expect(clusterOf(settings, '__proto__')).toBe(cluster);
    expect(clusterOf(settings, 'constructor')).toBe(DEFAULT_CLUSTER);
    expect(Object.entries(toServiceSettings(settings).checks)).toEqual([['__proto__', { type: 'none', port: undefined }]]);
  });
});
