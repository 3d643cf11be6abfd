import type { Condition } from './changes.ts';
import type { CheckTrouble } from './checks.ts';
import type { Timed } from './drains.ts';
import type { Address } from './instance.ts';
import type { Instances } from './instances.ts';
import { saidOf } from './lease.ts';
import type { Parts } from './parts.ts';
import type { DrainRecord, DurableRecord, EditRecord } from './records.ts';
import type { ServiceName } from './service-name.ts';
import type { Service } from './services.ts';
import { NOBODY } from './voices.ts';

/** The way out of the registry and back in: what is known as records, and records that become known again. */
export class Durable {
  readonly #parts: Parts;
  readonly #instances: Instances;

  constructor(parts: Parts, instances: Instances) {
    this.#parts = parts;
    this.#instances = instances;
  }

  /** All that is known. */
  *all(): IterableIterator<DurableRecord> {
    const { services, rows, departed } = this.#parts;
    for (const service of services.all()) {
      yield this.#serviceRecord(service);
      for (const id of rows.of(service)) yield this.#instanceRecord(id);
    }
    for (const { service, registration } of departed.all())
      if (services.find(service.name) === service) yield { kind: 'departed', service: service.name, registration };
    yield* this.edits();
    yield* this.drains();
  }

  /** The record of a service itself, if it is known. */
  ofService(name: ServiceName): DurableRecord | undefined {
    const service = this.#parts.services.find(name);
    return service && this.#serviceRecord(service);
  }

  /** Whatever there is of one address in a service: the instance or what is remembered of it, and its edit. */
  at(name: ServiceName, address: Address): DurableRecord[] {
    const { services, rows, overlay, drains, departed, now } = this.#parts;
    const service = services.find(name);
    const id = service && rows.find(service, address);
    const { ip, port } = address;
    if (id !== undefined) {
      const [edit, timed] = [overlay.of(id), drains.timed(id)];
      return [
        this.#instanceRecord(id),
        ...(edit ? [{ kind: 'edit', service: name, ip, port, edit, awayMs: null } as const] : []),
        ...(timed ? [drainRecord(name, address, timed, now())] : []),
      ];
    }
    const registration = service && departed.of(service, address);
    const [waiting, drained] = [overlay.absent(name, address, now()), drains.absent(name, address)];
    return [
      ...(registration ? [{ kind: 'departed', service: name, registration } as const] : []),
      ...(waiting ? [{ kind: 'edit', service: name, ip, port, edit: waiting.edit, awayMs: now() - waiting.since } as const] : []),
      ...(drained ? [drainRecord(name, address, drained, now())] : []),
    ];
  }

  /** How many instances were given back, and have not been heard of since. */
  get unheardCount(): number {
    return this.#parts.rows.rememberedCount;
  }

  /** How many instances are to be heard of by their beats. */
  get beatingCount(): number {
    return this.#parts.rows.dueCount;
  }

  /** For how many milliseconds the removal of those that fall silent is still slowed, as very many did. */
  get slowedForMs(): number {
    const { lease, now } = this.#parts;
    return Math.max(0, lease.slowedUntil - now());
  }

  /** How many instances have lost their connection, and are kept for now. */
  get keptCount(): number {
    return this.#parts.lease.keptCount;
  }

  /** The instances of which a check has found something, as they are now. */
  troubled(): { service: ServiceName; address: Address; ephemeral: boolean; trouble: CheckTrouble }[] {
    const { rows, troubles } = this.#parts;
    return [...troubles].map(([id, trouble]) => {
      const { service, ip, port, ephemeral } = rows.row(id);
      return { service: service.name, address: { ip, port }, ephemeral, trouble };
    });
  }

  /** Every edit that is in force or waits for its instance. */
  *edits(): IterableIterator<EditRecord> {
    const { rows, overlay, now } = this.#parts;
    for (const [id, edit] of overlay.present()) {
      const { service, ip, port } = rows.row(id);
      yield { kind: 'edit', service: service.name, ip, port, edit, awayMs: null };
    }
    for (const { service, ip, port, edit, since } of overlay.waiting(now()))
      yield { kind: 'edit', service, ip, port, edit, awayMs: now() - since };
  }

  /** Every drain that is in force or waits for its instance. */
  *drains(): IterableIterator<DrainRecord> {
    const { rows, drains, now } = this.#parts;
    for (const [id, timed] of drains.present()) {
      const row = rows.row(id);
      yield drainRecord(row.service.name, row, timed, now());
    }
    for (const absent of drains.waiting()) yield drainRecord(absent.service, absent, absent, now());
  }

  /**
   * Gives back what was known, and names the services. Whatever is known here already has been heard since, and stays as it is.
   * `afresh`: nobody could be heard meanwhile, so that silence begins anew.
   */
  restore(records: Iterable<DurableRecord>, { afresh, heldMs }: RestoreOptions): ReadonlySet<ServiceName> {
    const { services, rows, voices, departed, now } = this.#parts;
    const all = [...records];
    const known = new Set<Service>();
    const restored = new Map<number, Condition | undefined>();
    for (const record of all) {
      if (record.kind !== 'service' || services.find(record.service) !== undefined) continue;
      const service = services.findOrAdd(record.service);
      known.add(service);
      service.isUnheard = true;
      if (record.settings !== null) services.configure(service, record.settings);
    }
    for (const { service: name, registration, silentMs, heard, held, trouble } of ofKind(all, 'instance')) {
      const service = services.findOrAdd(name);
      if (rows.find(service, registration) !== undefined) continue;
      known.add(service);
      const heldUntil = held ? now() + heldMs : undefined;
      const id = this.#instances.restore(service, registration, afresh ? now() : now() - silentMs, heldUntil);
      rows.setVoice(id, voices.heard(NOBODY, registration.ip, heard));
      if (trouble !== null) this.#instances.putTrouble(id, trouble);
      restored.set(id, undefined);
    }
    for (const { service: name, registration } of ofKind(all, 'departed')) {
      const service = services.find(name);
      if (service !== undefined && rows.find(service, registration) === undefined) departed.add(service, registration);
    }
    // The longest empty, and the longest away, come first, whatever order a store keeps them in.
    for (const { service: name, emptyMs } of ofKind(all, 'service').sort((a, b) => (b.emptyMs ?? 0) - (a.emptyMs ?? 0))) {
      const service = services.find(name);
      if (service !== undefined && known.has(service) && service.total === 0) services.emptied(service, now() - (emptyMs ?? 0));
    }
    for (const edit of ofKind(all, 'edit').sort((a, b) => (b.awayMs ?? 0) - (a.awayMs ?? 0))) {
      const id = this.#restoreEdit(edit);
      if (id === undefined) continue;
      known.add(rows.row(id).service);
      if (!restored.has(id)) restored.set(id, this.#instances.condition(id));
    }
    const drained = ofKind(all, 'drain').sort((a, b) => (b.awayMs ?? 0) - (a.awayMs ?? 0));
    for (const drain of drained) {
      const id = this.#restoreDrain(drain);
      if (id === undefined) continue;
      known.add(rows.row(id).service);
      if (!restored.has(id)) restored.set(id, this.#instances.condition(id));
    }
    // Told once all is as it was, edits included.
    for (const [id, from] of restored) this.#instances.happened('restored', id, from);
    return new Set([...known].map(({ name }) => name));
  }

  #serviceRecord(service: Service): DurableRecord {
    const settings = service.settings ?? null;
    const emptyMs = settings === null && service.total === 0 ? this.#parts.now() - service.emptySince : null;
    return { kind: 'service', service: service.name, settings, emptyMs };
  }

  #instanceRecord(id: number): DurableRecord {
    const { rows, lease, voices, troubles, now } = this.#parts;
    const row = rows.row(id);
    const registration = saidOf(row, rows.isAlive(id));
    const held = lease.isHeldOnly(id);
    const trouble = troubles.get(id) ?? null;
    const said = {
      kind: 'instance',
      service: row.service.name,
      registration,
      silentMs: lease.silentMs(id, now()),
      held,
      trouble,
    } as const;
    const heard = voices.of(rows.voice(id), row.ip);
    return heard.peer === undefined ? said : { ...said, heard };
  }

  /** As the next. One that is over waits to be told of. */
  #restoreDrain({ service: name, ip, port, drain, leftMs, awayMs }: DrainRecord): number | undefined {
    const { services, rows, drains, now } = this.#parts;
    if (leftMs <= 0) {
      drains.putOver({ service: name, ip, port, drain });
      return undefined;
    }
    const service = services.find(name);
    const id = service && rows.find(service, { ip, port });
    const endsAt = now() + leftMs;
    if (id === undefined) drains.putAbsent({ service: name, ip, port, drain, endsAt, since: now() - (awayMs ?? 0) });
    if (id === undefined || drains.of(id) !== undefined) return undefined;
    drains.put(id, drain, endsAt);
    this.#instances.putEditInForce(id);
    return id;
  }

  /** Answers the instance that it lies over now, if it has come to lie over one. */
  #restoreEdit({ service: name, ip, port, edit, awayMs }: EditRecord): number | undefined {
    const { services, rows, overlay, now } = this.#parts;
    const service = services.find(name);
    const id = service && rows.find(service, { ip, port });
    if (id === undefined) {
      overlay.restore({ service: name, ip, port, edit, since: now() - (awayMs ?? 0) });
      return undefined;
    }
    if (overlay.of(id) !== undefined) return undefined;
    overlay.put(id, edit);
    this.#instances.putEditInForce(id);
    return id;
  }
}

/** What is timed goes on for so long. */
function drainRecord(
  service: ServiceName,
  { ip, port }: Address,
  timed: Timed & { readonly since?: number },
  now: number,
): DrainRecord {
  const { drain, endsAt, since } = timed;
  const awayMs = since === undefined ? null : now - since;
  return { kind: 'drain', service, ip, port, drain, leftMs: Math.max(0, endsAt - now), awayMs };
}

/** How what was known comes back. */
export interface RestoreOptions {
  /** Silence is counted from now on, not from when an instance was heard of last. */
  readonly afresh: boolean;
  /** For how long an instance that lived by a connection waits for its client. */
  readonly heldMs: number;
}

function ofKind<K extends DurableRecord['kind']>(
  records: readonly DurableRecord[],
  kind: K,
): Extract<DurableRecord, { kind: K }>[] {
  return records.filter((record): record is Extract<DurableRecord, { kind: K }> => record.kind === kind);
}
