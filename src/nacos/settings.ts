import { parseMinAvailable } from '../registry/available.ts';
import type { Check, CheckKind } from '../registry/checks.ts';
import { DURATION_FORM, parseDuration } from '../registry/duration.ts';
import type { Metadata } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import { DEFAULT_SETTINGS, type ServiceSettings } from '../registry/settings.ts';
import { shown } from './errors.ts';
import type { Selector } from './rules.ts';

/**
 * What an operator says of a service in Nacos's words, and how the registry keeps it: what the domain acts on in its own words, the
 * rest as this surface's plain JSON.
 */
export interface NacosSettings {
  readonly metadata: Metadata;
  /** 0..1: consumers are to see all instances as healthy when no larger share of them is. 0: never. Health itself knows nothing of it. */
  readonly protectThreshold: number;
  /** For whoever reads it back; instances are not chosen by it here. */
  readonly selector: Selector;
  /** The kind of service that was created, for whoever reads it back while it has no instance. Undefined: nobody has created it. */
  readonly ephemeral?: boolean | undefined;
  /** By name. To be read by `clusterOf`: a cluster may be called `__proto__`. */
  readonly clusters: Readonly<Record<string, ClusterSettings>>;
}

/** What an operator says of one cluster. */
export interface ClusterSettings {
  readonly metadata: Metadata;
  /** How persistent instances are checked, as it was said. */
  readonly check: CheckKind;
  /** Where to check when it is not the port of the instance. */
  readonly checkPort: number;
  readonly useInstancePort: boolean;
}

/** Of a service of which nobody has said anything. */
export const DEFAULT_NACOS_SETTINGS: NacosSettings = {
  metadata: {},
  protectThreshold: 0,
  selector: { type: 'none' },
  clusters: {},
};

/** Of a cluster of which nobody has said anything. */
export const DEFAULT_CLUSTER: ClusterSettings = { metadata: {}, check: { type: 'tcp' }, checkPort: 80, useInstancePort: true };

/** The settings in force, also of a service that is not known. */
export function nacosSettingsOf(registry: Registry, service: ServiceName): NacosSettings {
  // Only `toServiceSettings` puts something there.
  return (registry.settings(service)?.surfaces.nacos as NacosSettings | undefined) ?? DEFAULT_NACOS_SETTINGS;
}

/** As the registry keeps them. What metadata say wrongly they do not say: whoever takes settings from outside refuses that. */
export function toServiceSettings(settings: NacosSettings): ServiceSettings {
  const checks = Object.entries(settings.clusters).map(([name, cluster]): [string, Check] => [name, checkOf(cluster)]);
  const { asked } = askedHealthOf(settings.metadata);
  return { ...DEFAULT_SETTINGS, ...asked, checks: Object.fromEntries(checks), surfaces: { nacos: settings } };
}

function checkOf({ check, checkPort, useInstancePort }: ClusterSettings): Check {
  const port = useInstancePort || !usesCheckPort(check) ? undefined : checkPort;
  // Nacos's way to say the root.
  return check.type === 'http' && check.path === '' ? { ...check, path: '/', port } : { ...check, port };
}

/** Whether it is made at the check port where the cluster has one. As in Nacos, MySQL is asked at the port of the instance. */
export function usesCheckPort({ type }: CheckKind): boolean {
  return type !== 'mysql' && type !== 'none';
}

/** What the metadata of a service say of its health, and what of that they say wrongly: the first of it, with what would be right. */
export function askedHealthOf(metadata: Metadata): { readonly asked: AskedHealth; readonly fault: string | undefined } {
  const faults: string[] = [];
  const read = <T>(key: string, parse: (text: string) => T | undefined, expected: string): T | undefined => {
    const text = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined) faults.push(`${key} must be ${expected}, got "${shown(text)}"`);
    return value;
  };
  const asked = {
    minAvailable: read('health.min-available', parseMinAvailable, 'a count from 1, or 1%..100%'),
    fallAfterMs: read('health.fall-after', parseDuration, `${DURATION_FORM}, up to 24h`),
    riseAfterMs: read('health.rise-after', parseDuration, `${DURATION_FORM}, up to 24h`),
    riseBeats: read('health.rise-beats', parseBeats, '1..1000'),
  };
  return { asked, fault: faults[0] };
}

type AskedHealth = Pick<ServiceSettings, 'minAvailable' | 'fallAfterMs' | 'riseAfterMs' | 'riseBeats'>;

function parseBeats(text: string): number | undefined {
  const beats = Number(text);
  return /^\d{1,4}$/.test(text) && beats >= 1 && beats <= 1_000 ? beats : undefined;
}

/** The settings of a cluster. */
export function clusterOf({ clusters }: NacosSettings, name: string): ClusterSettings {
  return (Object.hasOwn(clusters, name) ? clusters[name] : undefined) ?? DEFAULT_CLUSTER;
}
