import { createHash } from 'node:crypto';
import type { RegistryEvent } from '../registry/changes.ts';
import type { Address } from '../registry/instance.ts';
import type { DurableRecord } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Store } from './store.ts';

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
 * Gives the registry back what the store has. Whatever only lived is left out when nobody has looked for longer than `rememberForMs`:
 * what was true then says nothing of now. Answers how many instances came back. Rejects with `StoreError`.
 */
export async function restoreRegistry(store: Store, registry: Registry, how: RestoreHow): Promise<number> {
  const isStale = how.unseenMs > how.rememberForMs;
  const records: DurableRecord[] = [];
  for await (const { value, ageMs } of store.entries(PREFIX))
    for (const record of Array.isArray(value) ? value : [value]) {
      const aged = agedBy(record as DurableRecord, ageMs);
      if (!isStale || survives(aged)) records.push(aged);
    }
  registry.restore(records, { afresh: true, heldMs: how.heldMs });
  return registry.instanceCount;
}

/** Takes from the store what the registry does not know any more and has said no word about: what it has forgotten with time. */
export async function tidy(store: Store, registry: Registry): Promise<void> {
  for await (const { key, value } of store.entries(PREFIX)) {
    const [record] = Array.isArray(value) ? value : [value];
    const { service, ...rest } = record as DurableRecord;
    const read = (): unknown => {
      if (rest.kind === 'service') return registry.records.ofService(service);
      return presentAt(registry, service, 'registration' in rest ? rest.registration : rest);
    };
    if (read() === undefined) store.touch(key, read, false);
  }
}

export interface RestoreHow {
  /** For how long nobody has kept anything in this store. */
  readonly unseenMs: number;
  readonly rememberForMs: number;
  /** For how long what a connection held waits for its client. */
  readonly heldMs: number;
}

const PREFIX = 'registry ';

function keyOfService(service: ServiceName): string {
  return `${PREFIX}${digestOf(service)}`;
}

function keyOfAddress(service: ServiceName, { ip, port }: Address): string {
  return `${PREFIX}${digestOf(service)} ${port} ${ip}`;
}

/** Names may be longer than a key had better be. */
function digestOf(service: ServiceName): string {
  return createHash('sha1').update(serviceKey(service)).digest('base64url');
}

function presentAt(registry: Registry, service: ServiceName, address: Address): readonly DurableRecord[] | undefined {
  const records = registry.records.at(service, address);
  return records.length === 0 ? undefined : records;
}

/** What its client or its connection says is said again; what an operator says, and whoever is persistent, speaks once. */
function mustSurvive({ cause, instance }: RegistryEvent): boolean {
  if (cause === 'probe') return false;
  return cause === 'edited' || instance?.ephemeral !== true;
}

function agedBy(record: DurableRecord, ageMs: number): DurableRecord {
  switch (record.kind) {
    case 'service':
      return record.emptyMs === null ? record : { ...record, emptyMs: record.emptyMs + ageMs };
    case 'instance':
      return { ...record, silentMs: record.silentMs + ageMs };
    case 'edit':
      return record.awayMs === null ? record : { ...record, awayMs: record.awayMs + ageMs };
    case 'departed':
      return record;
  }
}

function survives(record: DurableRecord): boolean {
  if (record.kind === 'instance') return !record.registration.ephemeral;
  return record.kind === 'edit' || (record.kind === 'service' && record.settings !== null);
}
