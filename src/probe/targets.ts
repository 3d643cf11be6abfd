import type { RegistryEvent } from '../registry/changes.ts';
import { askedCheckOf } from '../registry/check-metadata.ts';
import { type Check, DEFAULT_CHECK } from '../registry/checks.ts';
import type { Address, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { ServiceSettings } from '../registry/settings.ts';
import { Peers } from './peers.ts';
import { type ActiveCheck, type Asked, type How, Probed } from './probed.ts';

/** What follows from a change. The registry is not to be written to from here: all of this is said while it tells of the change. */
export interface TargetListener {
  /** From now on it is checked. `soon`: somebody has just asked for that. */
  begun(probed: Probed, soon: boolean): void;
  /** It is not checked any more in this way. */
  ended(probed: Probed): void;
  /** There is a finding of a check about an instance that is not checked. */
  left(service: ServiceName, address: Address): void;
}

/**
 * Which instances are to be checked, and how: follows the registry, and reads the present state of whatever an event names. An event
 * about one instance costs no more where its service has many.
 */
export class Targets {
  readonly #registry: Registry;
  readonly #listener: TargetListener;
  /** By service: those that have a check, whether or not it is on. */
  readonly #groups = new Map<string, Group>();
  readonly #peers = new Peers();
  #isOn: (service: ServiceName) => boolean = () => false;
  #stopListening: () => void = () => {};
  #count = 0;

  constructor(registry: Registry, listener: TargetListener) {
    this.#registry = registry;
    this.#listener = listener;
  }

  /** Reads all there is, and follows. */
  start(isOn: (service: ServiceName) => boolean): void {
    this.#isOn = isOn;
    this.#stopListening = this.#registry.onEvent((event) => this.#hear(event));
    for (const namespace of this.#registry.namespaces())
      for (const service of this.#registry.services(namespace)) this.#readAll(service, 'start');
  }

  /** All end, without a word of what is left. */
  stop(): void {
    this.#stopListening();
    for (const [key, group] of this.#groups) {
      for (const probed of group.probed.values()) this.#end(group, probed);
      this.#groups.delete(key);
    }
  }

  /** What is on may be another now. */
  switched(): void {
    for (const group of this.#groups.values()) {
      const isOn = this.#isOn(group.service);
      if (isOn === group.isOn) continue;
      for (const probed of [...group.probed.values()]) {
        if (isOn) {
          // It has slept for long, and nothing of then counts now.
          const anew = new Probed(group.service, probed, probed, probed.peer);
          group.probed.set(keyOf(probed), anew);
          this.#listener.begun(anew, false);
        } else {
          this.#listener.ended(probed);
          this.#listener.left(group.service, probed);
        }
      }
      group.isOn = isOn;
      this.#count += isOn ? group.probed.size : -group.probed.size;
    }
  }

  /** How many are checked. */
  get count(): number {
    return this.#count;
  }

  /** At how many addresses all are that have a check. */
  get addressCount(): number {
    return this.#peers.count;
  }

  has(service: ServiceName, address: Address): boolean {
    const group = this.#groups.get(serviceKey(service));
    return group?.isOn === true && group.probed.has(keyOf(address));
  }

  of(service: ServiceName): Iterable<Probed> {
    return this.#groups.get(serviceKey(service))?.probed.values() ?? [];
  }

  #hear({ cause, service, instance }: RegistryEvent): void {
    if (service === undefined || SILENT.has(cause)) return;
    if (instance === undefined) this.#readAll(service, 'service');
    else this.#read(service, instance, this.#registry.instance(service, instance), 'instance');
  }

  #readAll(service: ServiceName, about: About): void {
    const instances = this.#registry.instances(service) ?? [];
    for (const instance of instances) this.#read(service, instance, instance, about);
  }

  #read(service: ServiceName, address: Address, instance: Instance | undefined, about: About): void {
    const asked = instance && askedOf(instance, () => this.#registry.settings(service));
    const group = this.#groups.get(serviceKey(service));
    const before = group?.probed.get(keyOf(address));
    if (instance !== undefined && asked !== undefined) {
      if (before !== undefined && before.ephemeral === instance.ephemeral && isSame(before, asked)) {
        before.cluster = instance.cluster;
      } else {
        const soon = about === 'service' || (about === 'instance' && (asked.isOwn || before !== undefined));
        this.#begin(service, instance, asked, soon);
      }
    } else if (group !== undefined && before !== undefined) {
      this.#end(group, before);
      if (group.probed.size === 0) this.#groups.delete(serviceKey(service));
    }
    if (instance?.trouble !== undefined && !this.has(service, address)) this.#listener.left(service, address);
  }

  #begin(service: ServiceName, instance: Instance, asked: Asked, soon: boolean): void {
    const key = serviceKey(service);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { service, isOn: this.#isOn(service), probed: new Map() };
      this.#groups.set(key, group);
    }
    const before = group.probed.get(keyOf(instance));
    if (before !== undefined) this.#end(group, before);
    const probed = new Probed(service, instance, asked, this.#peers.join(instance.ip));
    group.probed.set(keyOf(instance), probed);
    if (!group.isOn) return;
    this.#count++;
    this.#listener.begun(probed, soon);
  }

  #end(group: Group, probed: Probed): void {
    group.probed.delete(keyOf(probed));
    if (group.isOn) {
      this.#count--;
      this.#listener.ended(probed);
    }
    this.#peers.leave(probed.peer);
  }
}

/** What the word was about that makes it read an instance: all there is, its service, itself. */
type About = 'start' | 'service' | 'instance';

interface Group {
  readonly service: ServiceName;
  isOn: boolean;
  readonly probed: Map<string, Probed>;
}

/** Causes that never change how an instance is to be checked. */
const SILENT: ReadonlySet<RegistryEvent['cause']> = new Set(['beat', 'silent', 'probe', 'forgotten']);

/** How the instance is to be checked: as it asks itself, and else, if it is persistent, as its cluster is. Undefined: not at all. */
export function askedOf(instance: Instance, settings: () => ServiceSettings | undefined): Asked | undefined {
  const own = askedCheckOf(instance.metadata);
  if (own !== undefined && !('fault' in own)) {
    const { check, intervalMs, timeoutMs } = own;
    return isActive(check) ? { check, intervalMs, timeoutMs, isOwn: true } : undefined;
  }
  if (instance.ephemeral) return undefined;
  const checks = settings()?.checks ?? {};
  const check = (Object.hasOwn(checks, instance.cluster) ? checks[instance.cluster] : undefined) ?? DEFAULT_CHECK;
  return isActive(check) ? { check, intervalMs: undefined, timeoutMs: undefined, isOwn: false } : undefined;
}

function isActive(check: Check): check is ActiveCheck {
  return check.type !== 'none';
}

function isSame(one: How, other: How): boolean {
  if (one.intervalMs !== other.intervalMs || one.timeoutMs !== other.timeoutMs) return false;
  // Where the order of its keys is another, it only begins anew.
  return one.check === other.check || JSON.stringify(one.check) === JSON.stringify(other.check);
}

/** A port holds no colon. */
function keyOf({ ip, port }: Address): string {
  return `${port}:${ip}`;
}
