import type { Edit, Metadata } from '../registry/instance.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';

/**
 * What is moved from one registry to another, as lines of JSON: a head, one line for each thing, and an end, without which a file was
 * cut off. The words are ours, what stands in them is Nacos's.
 */
export type Line = NamespaceLine | ServiceLine | InstanceLine | EditLine | TextLine | SwitchLine;

export interface NamespaceLine {
  readonly kind: 'namespace';
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

/** What an operator has said of a service. */
export interface ServiceLine extends ServiceName, ServiceSaid {
  readonly kind: 'service';
}

export interface ServiceSaid {
  /** Left out: nobody has said whether its instances live by beats or stay. */
  readonly ephemeral?: boolean | undefined;
  readonly protectThreshold: number;
  readonly metadata: Metadata;
  readonly selector: Selector;
  readonly clusters: Readonly<Record<string, ClusterSaid>>;
}

export interface Selector {
  readonly type: string;
  readonly expression?: string | undefined;
}

export interface ClusterSaid {
  /** As Nacos writes it; a password is null where whoever was asked does not give it away. */
  readonly healthChecker: Readonly<Record<string, unknown>>;
  readonly checkPort: number;
  readonly useInstancePort: boolean;
  readonly metadata: Metadata;
}

/** What its client has said of an instance, and an operator's edit over it. */
export interface InstanceLine extends InstanceSaid {
  readonly kind: 'instance';
  readonly namespace: string;
  readonly group: string;
  readonly service: string;
}

export interface InstanceSaid {
  readonly ip: string;
  readonly port: number;
  readonly cluster: string;
  readonly ephemeral: boolean;
  readonly weight: number;
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly metadata: Metadata;
  readonly edit?: Edit | undefined;
}

/** An operator's edit of an instance that has no line of its own: it lives by beats, or is away. */
export interface EditLine {
  readonly kind: 'edit';
  readonly namespace: string;
  readonly group: string;
  readonly service: string;
  readonly ip: string;
  readonly port: number;
  readonly edit: Edit;
}

/** A text of the configuration service. */
export interface TextLine extends TextName {
  readonly kind: 'text';
  readonly namespace: string;
  readonly type: string;
  readonly content: string;
  /** What its readers need to decipher it, where it is enciphered. */
  readonly encryptedDataKey?: string | undefined;
}

export interface TextName {
  readonly group: string;
  readonly dataId: string;
}

/** A switch that is not as at the start, in the words in which it is set. */
export interface SwitchLine {
  readonly kind: 'switch';
  readonly entry: string;
  readonly value: string;
}

/** The first line. */
export interface Head {
  readonly beatbridge: 'export';
  readonly schema: number;
  readonly at: string;
  readonly from: string;
}

/** Of the lines; a file of a later one is refused. */
export const SCHEMA = 1;
export const END = '{"kind":"end"}';

/** The service of an instance or an edit. */
export function serviceOf({ namespace, group, service }: InstanceLine | EditLine): ServiceName {
  return { namespace, group, name: service };
}

/** Metadata in the order of their keys: so that the same state makes the same lines. */
export function sorted<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  // Entries, and not assignments: a key may be called __proto__.
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => compare(a, b)));
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What the line is about, for people; no longer than a line. */
export function titleOf(line: Line): string {
  const title = nameOf(line);
  return title.length > 200 ? `${title.slice(0, 200)}…` : title;
}

function nameOf(line: Line): string {
  switch (line.kind) {
    case 'namespace':
      return `namespace ${line.id}`;
    case 'service':
      return `service ${serviceKey(line)}`;
    case 'instance':
    case 'edit':
      return `${line.kind} ${line.ip}:${line.port} of ${serviceKey(serviceOf(line))}`;
    case 'text':
      return `text ${line.namespace} ${line.group} ${line.dataId}`;
    case 'switch':
      return `switch ${line.entry}`;
  }
}

/** What is said where nobody has said anything: such a service need not be created, it comes with its instances. */
export function saysNothing({ protectThreshold, metadata, selector, clusters }: ServiceSaid): boolean {
  const isBare = protectThreshold === 0 && Object.keys(metadata).length === 0 && selector.type === 'none';
  return isBare && Object.keys(clusters).length === 0;
}

/** No cluster can be taken away: this is one of which nobody has said anything. */
export const DEFAULT_CLUSTER: ClusterSaid = {
  healthChecker: { type: 'TCP' },
  checkPort: 80,
  useInstancePort: true,
  metadata: {},
};

/** Whether nobody has said anything of the cluster. */
export function isDefaultCluster({ healthChecker, checkPort, useInstancePort, metadata }: ClusterSaid): boolean {
  return healthChecker.type === 'TCP' && checkPort === 80 && useInstancePort && Object.keys(metadata).length === 0;
}
