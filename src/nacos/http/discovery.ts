import type { Instance } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import { covered } from '../gate.ts';
import { Long, Many } from '../many.ts';
import { HOME } from '../rules.ts';
import { optional, type Params } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/**
 * Targets for Prometheus's HTTP service discovery: every instance, disabled and unhealthy ones too, as Nacos has it, since Prometheus is to
 * notice by itself that one is down. Labels that begin with `__meta_nacos_` are beatbridge's own.
 */
export function discoveryCalls({ registry }: HttpRooms) {
  return {
    /** Of the services that the caller may read. */
    all: ({ params }: Asked) => new Long(new Many(targets(registry, params, {}))),
    inNamespace: ({ params }: Asked) => new Long(new Many(targets(registry, params, { namespace: optional(params, 'key') }))),
    ofService: ({ params }: Asked) =>
      new Long(new Many(targets(registry, params, { namespace: optional(params, 'within'), name: optional(params, 'key') }))),
  };
}

/** Left out: whatever there is. */
interface Wanted {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

function* targets(
  registry: HttpRooms['registry'],
  { permit }: Params,
  { namespace, name }: Wanted,
): IterableIterator<object | undefined> {
  const namespaces = namespace === undefined ? [...registry.namespaces()] : [namespace === '' ? HOME.namespace : namespace];
  for (const each of namespaces)
    for (const service of registry.services(each)) {
      // To be counted as work, where very many are passed by.
      yield undefined;
      if (name !== undefined && service.name !== name) continue;
      if (!covered(permit, 'naming', service)) continue;
      for (const instance of registry.walk(service) ?? []) yield targetOf(service, instance);
    }
}

function targetOf({ namespace, group, name }: ServiceName, instance: Instance): object {
  const { ip, port, cluster, metadata, healthy, enabled, ephemeral, weight } = instance;
  // With a null prototype any name is just a label.
  const labels: Record<string, string> = Object.create(null);
  labels.__meta_clusterName = cluster;
  labels.__meta_nacos_namespace = namespace;
  labels.__meta_nacos_group = group;
  labels.__meta_nacos_service = name;
  labels.__meta_nacos_healthy = String(healthy);
  labels.__meta_nacos_enabled = String(enabled);
  labels.__meta_nacos_ephemeral = String(ephemeral);
  labels.__meta_nacos_weight = String(weight);
  for (const [key, value] of Object.entries(metadata)) {
    const label = key.replace(/[.-]/g, '_');
    // One that is no name of a label makes Prometheus refuse all targets; of two that become one, and of what is said already, the first counts.
    if (LABEL.test(label) && labels[label] === undefined) labels[label] = value;
  }
  return { targets: [ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`], labels };
}

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
