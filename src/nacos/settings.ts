import { parseMinAvailable } from '../registry/available.ts';
import type { Check, CheckKind } from '../registry/checks.ts';
import type { Metadata } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import { DEFAULT_SETTINGS, type ServiceSettings } from '../registry/settings.ts';
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
  /** How persistent instances are checked. */
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

/** As the registry keeps them. */
export function toServiceSettings(settings: NacosSettings): ServiceSettings {
  const { metadata, clusters } = settings;
  const minAvailable = Object.hasOwn(metadata, MIN_AVAILABLE) ? parseMinAvailable(metadata[MIN_AVAILABLE] ?? '') : undefined;
  const checks = Object.entries(clusters).map(([name, cluster]): [string, Check] => [
    name,
    { ...cluster.check, port: cluster.useInstancePort ? undefined : cluster.checkPort },
  ]);
  return { ...DEFAULT_SETTINGS, minAvailable, checks: Object.fromEntries(checks), surfaces: { nacos: settings } };
}

/** The settings of a cluster. */
export function clusterOf({ clusters }: NacosSettings, name: string): ClusterSettings {
  return (Object.hasOwn(clusters, name) ? clusters[name] : undefined) ?? DEFAULT_CLUSTER;
}

/** How many instances make the service SERVING: `2`, or `50%`. */
const MIN_AVAILABLE = 'health.min-available';
