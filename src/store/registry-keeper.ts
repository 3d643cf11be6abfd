import { createHash } from 'node:crypto';
import type { RegistryEvent } from '../registry/changes.ts';
import type { Address } from '../registry/instance.ts';
import type { DrainRecord, DurableRecord } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Read, Store } from './store.ts';

/**
 * Keeps in the store what the registry knows: a value for each service, and one for each address in it. It follows the registry's
 * events and is never asked anything on the path of a beat. What an operator said, and what is persistent, must survive.
 */
export function keepRegistry(store: Pick<Store, 'touch'>, registry: Registry): () => void {
  return registry.onEvent((event) => {
    const { service, instance, cause } = event;
    if (service === undefined || cause === 'restored') return;
    const serviceRead = () => registry.records.ofService(service);
    if (instance === undefined) {
      store.touch(keyOfService(service), serviceRead, cause !== 'forgotten');
      return;
    }
    const { ip, port } = instance;
    const address = { ip, port };
    store.touch(keyOfAddress(service, address), () => presentAt(registry, service, address), mustSurvive(event));
    // It may have been the first or the last one of its service.
    if (cause !== 'beat' && cause !== 'silent' && cause !== 'probe') store.touch(keyOfService(service), serviceRead, false);
  });
}

/**
 * Gives the registry back what the store has, some of it at a time: there may be a million instances. Answers how many came back.
 * Rejects with `StoreError`.
 */
export async function restoreRegistry(store: Store, registry: Registry, how: RestoreHow): Promise<number> {
  const options = { afresh: true, heldMs: how.heldMs };
  /** What comes in an order of its own, and after all instances. */
  const late: DurableRecord[] = [];
  /**
   * By key, what is written anew: what counts its age, so that a clock which jumps once ages nothing more than once; and what is left
   * out, so that it does not come back with the next start.
   */
  const anew = new Map<string, Read>();
  /** Of the service that the last piece has ended with: it is given back whole, as what is told of a part would not be true of it. */
  const begun: DurableRecord[] = [];
  let last = '';
  for await (const some of store.pieces(PREFIX)) {
    const now: DurableRecord[] = [];
    // The keeper's own, and each is whole.
    for (const { key, value, at } of some) {
      const service = key.split(' ', 2)[1] ?? '';
      if (service !== last) now.push(...begun.splice(0));
      last = service;
      for (const record of (Array.isArray(value) ? value : [value]) as DurableRecord[]) {
        const isLeftOut = how.isStale && !survives(record);
        if (isLeftOut || ageOf(record) !== null || record.kind === 'drain') anew.set(key, readerOf(registry, value));
        if (isLeftOut) continue;
        const aged = agedBy(record, Math.max(0, how.seenAt - at));
        const timely = aged.kind === 'drain' ? leftOf(aged, how.wallClock()) : aged;
        if (isLate(record)) late.push(timely);
        else begun.push(timely);
      }
    }
    registry.restore(now, options);
  }
  registry.restore(begun, options);
  registry.restore(late, options);
  for (const [key, read] of anew) store.touch(key, read, false);
  return registry.instanceCount;
}

/** Takes from the store what the registry does not know any more and has said no word about: what it has forgotten with time. */
export async function tidy(store: Store, registry: Registry): Promise<void> {
  for await (const some of store.pieces(PREFIX))
    for (const { key, value } of some) {
      const read = readerOf(registry, value);
      if (read() === undefined) store.touch(key, read, false);
    }
}

export interface RestoreHow {
  /** When somebody looked after the store last, by the same clock as what is in it. How long nobody did ages nothing. */
  readonly seenAt: number;
  /** Whatever only lived is left out. */
  readonly isStale: boolean;
  /** For how long what a connection held waits for its client. */
  readonly heldMs: number;
  /** The time of day: milliseconds since 1970. */
  readonly wallClock: () => number;
}

const PREFIX = 'registry ';

function keyOfService(service: ServiceName): string {
  return `${PREFIX}${digestOf(service)}`;
}

export function keyOfAddress(service: ServiceName, { ip, port }: Address): string {
  return `${PREFIX}${digestOf(service)} ${port} ${ip}`;
}

/** Of the names that live: the registry hands out one object for each service. */
const digests = new WeakMap<ServiceName, string>();

/** Names may be longer than a key had better be. */
function digestOf(service: ServiceName): string {
  let digest = digests.get(service);
  if (digest === undefined) {
    digest = createHash('sha1').update(serviceKey(service)).digest('base64url');
    digests.set(service, digest);
  }
  return digest;
}

/** What there is now of that which was written. */
function readerOf(registry: Registry, written: unknown): () => unknown {
  const [record] = Array.isArray(written) ? written : [written];
  // The keeper's own.
  const { service, ...rest } = record as DurableRecord;
  if (rest.kind === 'service') return () => registry.records.ofService(service);
  const { ip, port } = 'registration' in rest ? rest.registration : rest;
  return () => presentAt(registry, service, { ip, port });
}

export function presentAt(registry: Registry, service: ServiceName, address: Address): readonly DurableRecord[] | undefined {
  const records = registry.records.at(service, address);
  return records.length === 0 ? undefined : records;
}

/** What its client or its connection says is said again; what an operator says, and whoever is persistent, speaks once. */
function mustSurvive({ cause, instance, by, drain, wasPersistent }: RegistryEvent): boolean {
  // A check finds out again; what an operator says of a persistent instance nobody does.
  if (cause === 'probe') return by !== undefined && instance?.ephemeral === false;
  // What the clock, or a goodbye, ends is ended so after a restart too.
  if (drain !== undefined) return drain.why === undefined || drain.why === 'asked';
  return cause === 'edited' || wasPersistent === true || instance?.ephemeral !== true;
}

/** For how long the registry has been counting something, by which it forgets; null: it does not. */
function ageOf(record: DurableRecord): number | null {
  if (record.kind === 'service') return record.emptyMs;
  return record.kind === 'edit' || record.kind === 'drain' ? record.awayMs : null;
}

function agedBy(record: DurableRecord, ageMs: number): DurableRecord {
  if (record.kind === 'service' && record.emptyMs !== null) return { ...record, emptyMs: record.emptyMs + ageMs };
  if ((record.kind === 'edit' || record.kind === 'drain') && record.awayMs !== null)
    return { ...record, awayMs: record.awayMs + ageMs };
  return record;
}

/** A drain ends at the time of day that it names: sooner than it was to last where the clock was put back meanwhile. */
function leftOf(record: DrainRecord, now: number): DrainRecord {
  return { ...record, leftMs: Math.min(record.leftMs, record.drain.until - now) };
}

/** A service that only its instances have made known, or what waits for an instance: the longest empty, or away, comes first. */
function isLate(record: DurableRecord): boolean {
  if (record.kind === 'service') return record.settings === null;
  return record.kind === 'departed' || ((record.kind === 'edit' || record.kind === 'drain') && record.awayMs !== null);
}

function survives(record: DurableRecord): boolean {
  if (record.kind === 'instance') return !record.registration.ephemeral;
  return record.kind === 'edit' || record.kind === 'drain' || (record.kind === 'service' && record.settings !== null);
}
