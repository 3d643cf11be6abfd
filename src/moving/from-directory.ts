import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Config } from '../nacos/configs.ts';
import type { Namespace } from '../nacos/namespaces.ts';
import { saidOfService } from '../nacos/record-views.ts';
import type { NacosSettings } from '../nacos/settings.ts';
import { changedEntries } from '../nacos/switches.ts';
import { checkView } from '../nacos/views.ts';
import type { CheckKind } from '../registry/checks.ts';
import type { DurableRecord } from '../registry/records.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import { InUseError, StoreError } from '../store/directory.ts';
import { Store } from '../store/store.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { editIn } from './answers.ts';
import { saidIn } from './beatbridge.ts';
import { byAddress, byId, serviceLines, type Wanted } from './exporting.ts';
import { compare, type EditLine, type InstanceSaid, type Line, type ServiceSaid, sorted } from './lines.ts';

/**
 * What a stopped beatbridge has kept, as lines: the same as it would tell while it runs, and the passwords of checks beside, which it
 * tells nobody. Nothing is written.
 */

export { InUseError };

/** Rejects with `StoreError`. */
export async function* linesOfDirectory(dir: string, wanted: Wanted, how: ReadHow): AsyncGenerator<Line> {
  // Looking must not make a store.
  if (!existsSync(join(dir, 'records', 'CURRENT'))) throw new StoreError(`${dir} has no records of a beatbridge`);
  const store = await Store.open(dir, { scheduler: systemScheduler, wallClock: how.wallClock, log: pino({ enabled: false }) });
  try {
    yield* linesIn(store, wanted, how.keepEditsMs);
  } finally {
    await store.close();
  }
}

export interface ReadHow {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** For how long the beatbridge keeps an edit whose instance is away: one that has waited for longer is none any more. */
  readonly keepEditsMs: number;
}

async function* linesIn(store: Store, wanted: Wanted, keepEditsMs: number): AsyncGenerator<Line> {
  const { namespace: only } = wanted;
  const isWanted = ({ namespace }: { readonly namespace: string }) => only === undefined || namespace === only;
  for (const line of (await namespacesIn(store)).sort(byId)) if (only === undefined || line.id === only) yield line;
  const edits: EditLine[] = [];
  const seenAt = await seenIn(store);
  for (const [, { service, prefix }] of (await servicesIn(store)).filter(([, found]) => isWanted(found.service))) {
    const found = foundIn(await recordsUnder(store, prefix, seenAt), keepEditsMs);
    for (const line of serviceLines(service, found, wanted)) yield line;
    const { namespace, group, name } = service;
    const shown = new Set(found.instances.filter((one) => wanted.ephemeral || !one.ephemeral).map(placeOf));
    for (const edit of found.edits)
      if (!shown.has(placeOf(edit))) edits.push({ kind: 'edit', namespace, group, service: name, ...edit });
  }
  yield* edits.sort(byAddress);
  const texts = (await keysUnder(store, 'config ')).sort(compare);
  for (const key of texts) {
    for await (const { value } of store.entries(key)) {
      const { id, content, type } = value as Config;
      if (`config ${id.namespace} ${id.group} ${id.dataId}` !== key || !isWanted(id)) continue;
      yield { kind: 'text', ...id, type, content };
    }
  }
  if (only !== undefined) return;
  for await (const { value } of store.entries('switches '))
    for (const changed of [...changedEntries(value as object as Readonly<Record<string, unknown>>)].sort(byEntry))
      yield { kind: 'switch', ...changed };
}

function byEntry(a: { entry: string; value: string }, b: { entry: string; value: string }): number {
  return compare(a.entry + a.value, b.entry + b.value);
}

async function namespacesIn(store: Store) {
  const found = [];
  for await (const { value } of store.entries('namespace ')) {
    const { id, name, description } = value as Namespace;
    found.push({ kind: 'namespace', id, name, description } as const);
  }
  return found;
}

const REGISTRY = 'registry ';

interface Kept {
  readonly service: ServiceName;
  /** Of the keys of everything in it. */
  readonly prefix: string;
}

/** By key. Names alone, as the store keeps them in no order; a service may have lost its own record in a crash. */
async function servicesIn(store: Store): Promise<readonly (readonly [key: string, kept: Kept])[]> {
  const found = new Map<string, Kept>();
  for await (const { key, value } of store.entries(REGISTRY)) {
    const [record] = recordsOf(value);
    const digest = key.slice(REGISTRY.length).split(' ', 1)[0] ?? '';
    if (record !== undefined) found.set(serviceKey(record.service), { service: record.service, prefix: REGISTRY + digest });
  }
  return [...found].sort(([a], [b]) => compare(a, b));
}

/** When somebody looked after the store last: how long nobody did lets nothing age. */
async function seenIn(store: Store): Promise<number> {
  for await (const { key, at } of store.entries('seen')) if (key === 'seen') return at;
  return 0;
}

/** As old as they were at that time. */
async function recordsUnder(store: Store, prefix: string, seenAt: number): Promise<readonly DurableRecord[]> {
  const records: DurableRecord[] = [];
  for await (const { value, at } of store.entries(prefix))
    for (const record of recordsOf(value)) {
      const isWaiting = record.kind === 'edit' && record.awayMs !== null;
      records.push(isWaiting ? { ...record, awayMs: record.awayMs + Math.max(0, seenAt - at) } : record);
    }
  return records;
}

async function keysUnder(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.entries(prefix)) keys.push(key);
  return keys;
}

/** Only `registry-keeper.ts` writes them. */
function recordsOf(value: unknown): readonly DurableRecord[] {
  return (Array.isArray(value) ? value : [value]) as readonly DurableRecord[];
}

type KeptEdit = Pick<EditLine, 'ip' | 'port' | 'edit'>;

function foundIn(records: readonly DurableRecord[], keepEditsMs: number) {
  const edits = records.flatMap((record): KeptEdit[] =>
    record.kind === 'edit' && (record.awayMs ?? -1) < keepEditsMs
      ? [{ ip: record.ip, port: record.port, edit: editIn({ ...record.edit }) }]
      : [],
  );
  const byPlace = new Map(edits.map((one) => [placeOf(one), one.edit]));
  const instances = records.flatMap((record): InstanceSaid[] => {
    if (record.kind !== 'instance') return [];
    const { ip, port, cluster, ephemeral, weight, enabled, healthy, metadata } = record.registration;
    const edit = byPlace.get(placeOf(record.registration));
    const said = { ip, port, cluster, ephemeral, weight, enabled, healthy, metadata: sorted(metadata) };
    return [{ ...said, ...(edit !== undefined && { edit }) }];
  });
  return { said: saidAmong(records), instances, edits };
}

function saidAmong(records: readonly DurableRecord[]): ServiceSaid | undefined {
  const [settings] = records.flatMap((record) =>
    record.kind === 'service' && record.settings !== null ? [record.settings] : [],
  );
  // Only `toServiceSettings` puts something there.
  const said = settings?.surfaces.nacos as NacosSettings | undefined;
  return said && saidIn({ ...saidOfService(said, withPassword) });
}

function withPassword(check: CheckKind): object {
  return check.type === 'mysql' ? { ...checkView(check), pwd: check.password } : checkView(check);
}

function placeOf({ ip, port }: Pick<InstanceSaid, 'ip' | 'port'>): string {
  return `${port} ${ip}`;
}
