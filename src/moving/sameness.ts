import type { Edit } from '../registry/instance.ts';
import { type ClusterSaid, type InstanceSaid, isDefaultCluster, type ServiceSaid, sorted } from './lines.ts';

/** Whether what is there already is what a line says, whatever the order of keys. A password that is not told is no difference. */

/** Its kind is not looked at: nobody can change that of a service that is there. */
export function isSameService(a: ServiceSaid, b: ServiceSaid): boolean {
  const own = ({ protectThreshold, metadata, selector, clusters }: ServiceSaid) => [
    protectThreshold,
    sorted(metadata),
    selector.type,
    selector.expression ?? '',
    Object.entries(sorted(clusters))
      .filter(([, cluster]) => !isDefaultCluster(cluster))
      .map(([name, cluster]) => [name, comparable(cluster)]),
  ];
  return JSON.stringify(own(a)) === JSON.stringify(own(b));
}

export function isSameCluster(a: ClusterSaid, b: ClusterSaid): boolean {
  return JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));
}

function comparable({ healthChecker, checkPort, useInstancePort, metadata }: ClusterSaid): unknown {
  const { pwd: _, ...checker } = healthChecker;
  return [sorted(checker), checkPort, useInstancePort, sorted(metadata)];
}

/** Whether it is healthy now is left out: its check or its beats say that. */
export function isSameInstance(a: InstanceSaid, b: InstanceSaid): boolean {
  const own = ({ cluster, ephemeral, weight, enabled, metadata }: InstanceSaid) => [
    cluster,
    ephemeral,
    weight,
    enabled,
    sorted(metadata),
  ];
  return JSON.stringify(own(a)) === JSON.stringify(own(b));
}

export function isSameEdit(a: Edit | undefined, b: Edit | undefined): boolean {
  const own = (edit: Edit | undefined) => edit && [edit.enabled, edit.weight, sorted(edit.metadata ?? {})];
  return JSON.stringify(own(a)) === JSON.stringify(own(b));
}

/** Whether the check needs a password that the file does not have. */
export function lacksPassword({ type, pwd }: ClusterSaid['healthChecker']): boolean {
  return type === 'MYSQL' && typeof pwd !== 'string';
}

export function tellsPassword({ pwd }: ClusterSaid['healthChecker']): boolean {
  return typeof pwd === 'string' && pwd !== '';
}
