import { isAvailable } from '../registry/available.ts';
import type { Source } from '../registry/changes.ts';
import type { Address, Instance, Metadata } from '../registry/instance.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { badInput, isPlainObject, RefusedError } from '../wire/refused-error.ts';
import { kept } from './durability.ts';
import { RequestError } from './errors.ts';
import type { NacosRooms } from './nacos.ts';
import { checkedNamespace, checkedPlace, checkedService, checkedWeight, HOME, type Named } from './rules.ts';

/**
 * The registry for the program that embeds it: what clients do over the network, by the same rules and with the same refusals, as calls.
 * The program is as good as any client that may write; only how often it calls is its own matter.
 */

/** `orders`, `G1@@orders`, or its parts; left out, the namespace is `public` and the group `DEFAULT_GROUP`. */
export type ServiceReference = string | { readonly namespace?: string; readonly group?: string; readonly name: string };

/** One process of a service, as it registers; what is left out has the default that clients have. */
export interface InstanceInput {
  readonly ip: string;
  readonly port: number;
  /** `DEFAULT`. */
  readonly cluster?: string;
  /** True: it lives by its beats. False: until it is deregistered. */
  readonly ephemeral?: boolean;
  /** 1; with 0 it takes no calls. */
  readonly weight?: number;
  /** True. */
  readonly enabled?: boolean;
  /** True. */
  readonly healthy?: boolean;
  /** `preserved.heart.beat.timeout` and the like mean here what they mean everywhere. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

export interface InstanceView {
  readonly ip: string;
  readonly port: number;
  readonly cluster: string;
  readonly ephemeral: boolean;
  readonly weight: number;
  readonly enabled: boolean;
  readonly healthy: boolean;
  /** Healthy, enabled, and with a weight above 0. */
  readonly available: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds since it was last heard of; 0 as long as a connection holds it. */
  readonly silentMs: number;
}

export interface ServiceView {
  readonly namespace: string;
  readonly group: string;
  readonly name: string;
  readonly instances: number;
  readonly healthy: number;
  readonly available: number;
}

/** What cannot be taken rejects, or throws, with a `RefusedError`. */
export interface EmbeddedRegistry {
  /** Registers the instance, or says it anew; it is alive by that. Resolves when it would survive a restart, if it must. */
  readonly register: (service: ServiceReference, instance: InstanceInput) => Promise<void>;
  /** Its beat. False: no such instance lives by beats here. */
  readonly beat: (service: ServiceReference, address: Address) => boolean;
  /** Its goodbye; none is known: fine as well. */
  readonly deregister: (service: ServiceReference, address: Address) => Promise<void>;
  /** The services that are known now, of one namespace or of all, in the order in which they came. */
  readonly services: (namespace?: string) => readonly ServiceView[];
  /** Undefined: the service is not known. */
  readonly instances: (service: ServiceReference) => readonly InstanceView[] | undefined;
}

export function embeddedRegistry({ registry, naming, durability }: NacosRooms): EmbeddedRegistry {
  return {
    register: async (reference, instance) => {
      await asked(() => kept(durability, () => naming.register(serviceOf(reference), namedOf(instance), ITSELF)));
    },
    beat: (reference, address) =>
      inTime(() => naming.beat(serviceOf(reference), placeOf(address), undefined, ITSELF) !== undefined),
    deregister: async (reference, address) => {
      await asked(() => kept(durability, () => naming.deregister(serviceOf(reference), placeOf(address), ITSELF)));
    },
    services: (namespace) => {
      const namespaces = namespace === undefined ? registry.namespaces() : [inTime(() => namespaceOf(namespace))];
      const views: ServiceView[] = [];
      for (const each of namespaces)
        for (const service of registry.services(each)) {
          const { total = 0, healthy = 0, available = 0 } = registry.tally(service) ?? {};
          const { group, name } = service;
          views.push({ namespace: each, group, name, instances: total, healthy, available });
        }
      return views;
    },
    instances: (reference) => registry.instances(inTime(() => serviceOf(reference)))?.map(viewOf),
  };
}

/** How it stands in events. */
const ITSELF: Source = { agent: 'embedded' };

function serviceOf(reference: ServiceReference): ServiceName {
  if (typeof reference === 'string') return checkedService(reference, HOME.namespace, HOME.group);
  if (!isPlainObject(reference)) throw badInput('a service must be a text, or an object with its name', reference);
  const { namespace = HOME.namespace, group = HOME.group, name } = reference;
  for (const [key, value] of Object.entries({ namespace, group, name })) mustBe('string', key, value);
  return checkedService(groupedName({ group, name }), namespaceOf(namespace), HOME.group);
}

function namespaceOf(namespace: string): string {
  mustBe('string', 'namespace', namespace);
  return checkedNamespace(namespace);
}

function placeOf(address: Address, cluster?: string) {
  if (!isPlainObject(address)) throw badInput('an instance must be an object with its ip and port', address);
  const { ip, port } = address;
  mustBe('string', 'ip', ip);
  mustBe('number', 'port', port);
  if (cluster !== undefined) mustBe('string', 'cluster', cluster);
  const place = checkedPlace(ip, String(port), cluster);
  if (place.ip === '') throw new RequestError('invalid', 'ip must be an address, got ""');
  return place;
}

function namedOf(instance: InstanceInput): Named {
  if (!isPlainObject(instance)) throw badInput('an instance must be an object with its ip and port', instance);
  const { cluster, ephemeral, weight, enabled, healthy, metadata, ...address } = instance;
  for (const [key, value] of Object.entries({ ephemeral, enabled, healthy }))
    if (value !== undefined) mustBe('boolean', key, value);
  if (weight !== undefined) mustBe('number', 'weight', weight);
  return {
    ...placeOf(address, cluster),
    ephemeral,
    weight: weight === undefined ? undefined : checkedWeight(String(weight)),
    enabled,
    healthy,
    metadata: metadata === undefined ? undefined : metadataOf(metadata),
  };
}

function metadataOf(metadata: NonNullable<InstanceInput['metadata']>): Metadata {
  if (!isPlainObject(metadata)) throw badInput('metadata must be an object of texts, numbers and booleans', metadata);
  for (const [key, value] of Object.entries(metadata))
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw badInput(`metadata ${JSON.stringify(key.slice(0, 100))} must be a text, a number or a boolean`, value);
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)]));
}

/** What the types say, for a program that is not checked by them. */
function mustBe(type: 'string' | 'number' | 'boolean', what: string, given: unknown): void {
  const words = { string: 'a text', number: 'a number', boolean: 'true or false' };
  if (typeof given !== type) throw badInput(`${what} must be ${words[type]}`, given);
}

function viewOf(instance: Instance): InstanceView {
  const { ip, port, cluster, ephemeral, weight, enabled, healthy, metadata, silentMs } = instance;
  const available = isAvailable(instance);
  return { ip, port, cluster, ephemeral, weight, enabled, healthy, available, metadata: { ...metadata }, silentMs };
}

async function asked<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw refused(error);
  }
}

function inTime<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refused(error);
  }
}

function refused(error: unknown): unknown {
  return error instanceof RequestError ? new RefusedError(error.reason, error.message, error) : error;
}
