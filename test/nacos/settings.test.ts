import { describe, expect, it } from 'vitest';
import {
  type ClusterSettings,
  clusterOf,
  DEFAULT_CLUSTER,
  DEFAULT_NACOS_SETTINGS,
  nacosSettingsOf,
  toServiceSettings,
} from '../../src/nacos/settings.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders } from '../support/instances.ts';

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
    ['2', { count: 2 }],
    ['50%', { percent: 50 }],
    ['none', undefined],
    ['', undefined],
  ])('health.min-available=%s is what the domain acts on', (text, minAvailable) => {
    const metadata = { 'health.min-available': text };
    expect(toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, metadata })).toMatchObject({ minAvailable });
    expect(toServiceSettings(DEFAULT_NACOS_SETTINGS).minAvailable).toBeUndefined();
  });

  it('of clusters say how and where to check', () => {
    const { checks } = toServiceSettings({
      ...DEFAULT_NACOS_SETTINGS,
      clusters: { own: cluster, other: { ...cluster, useInstancePort: false, check: { type: 'tcp' } } },
    });
    expect(checks).toEqual({ own: { type: 'none', port: undefined }, other: { type: 'tcp', port: 81 } });
  });

  it('of a cluster called like a property of every object are its own', () => {
    const clusters = Object.fromEntries([['__proto__', cluster]]);
    const settings = { ...DEFAULT_NACOS_SETTINGS, clusters };
    expect(clusterOf(settings, '__proto__')).toBe(cluster);
    expect(clusterOf(settings, 'constructor')).toBe(DEFAULT_CLUSTER);
    expect(Object.entries(toServiceSettings(settings).checks)).toEqual([['__proto__', { type: 'none', port: undefined }]]);
  });
});
