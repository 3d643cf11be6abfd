import type { Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { NacosSettings } from './settings.ts';
import { checkView } from './views.ts';

/**
 * What was said, by operators of services and by clients of instances, each without the other's word over it: for backups, which give
 * back both. A password is never shown again.
 */

/** Null: nobody has said anything of the service, only its instances have made it known. */
export function settingsView(registry: Registry, service: ServiceName) {
  const record = registry.records.ofService(service);
  const settings = record?.kind === 'service' ? record.settings : null;
  // Only `toServiceSettings` puts something there.
  const said = settings?.surfaces.nacos as NacosSettings | undefined;
  return said === undefined ? null : saidOfService(said, checkView);
}

/** As it stands in a backup; `checkOf` writes how a cluster is checked. */
export function saidOfService(
  { ephemeral, protectThreshold, metadata, selector, clusters }: NacosSettings,
  checkOf: (check: NacosSettings['clusters'][string]['check']) => object,
) {
  return {
    ...(ephemeral !== undefined && { ephemeral }),
    protectThreshold,
    metadata,
    selector,
    clusters: Object.fromEntries(
      Object.entries(clusters).map(([name, { check, checkPort, useInstancePort, metadata: own }]) => [
        name,
        { healthChecker: checkOf(check), checkPort, useInstancePort, metadata: own },
      ]),
    ),
  };
}

/** What the client of an instance says, and what is laid over that. */
export function saidView(registry: Registry, service: ServiceName, instance: Instance) {
  const said = registry.lastRegistration(service, instance);
  if (said === undefined) return undefined;
  const { cluster, ephemeral, weight, enabled, metadata } = said;
  const { ip, port, healthy, edit } = instance;
  const place = { ip, port, clusterName: cluster, ephemeral };
  return { ...place, weight, enabled, healthy, metadata, ...(edit !== undefined && { edit }) };
}
