import type { Condition } from './changes.ts';
import type { Instances, Parts } from './instances.ts';
import { saidOf } from './lease.ts';
import type { DurableRecord, EditRecord } from './records.ts';
import type { ServiceName } from './service-name.ts';
import type { Service } from './services.ts';

/** The way out of the registry and back in: what is known as records, and records that become known again. */
export class Durable {
  readonly #parts: Parts;
  readonly #instances: Instances;

  constructor(parts: Parts, instances: Instances) {
    this.#parts = parts;
    this.#instances = instances;
  }

  /** All that is known. */
  *records(): IterableIterator<DurableRecord> {
    const { services, rows, lease, troubles, departed, now } = this.#parts;
    for (const service of services.all()) {
      const settings = service.settings ?? null;
      const emptyMs = settings === null && service.total === 0 ? now() - service.emptySince : null;
      yield { kind: 'service', service: service.name, settings, emptyMs };
      for (const id of rows.of(service)) {
        const registration = saidOf(rows.row(id), rows.isAlive(id));
        const trouble = troubles.get(id) ?? null;
        yield { kind: 'instance', service: service.name, registration, silentMs: lease.silentMs(id, now()), trouble };
      }
    }
    for (const { service, registration } of departed.all())
      if (services.find(service.name) === service) yield { kind: 'departed', service: service.name, registration };
    yield* this.edits();
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

  /** Gives back what was known, and names the services. Whatever is known here already has been heard since, and stays as it is. */
  restore(records: Iterable<DurableRecord>): ReadonlySet<ServiceName> {
    const { services, rows, departed, now } = this.#parts;
    const all = [...records];
    const known = new Set<Service>();
    const restored = new Map<number, Condition | undefined>();
    for (const record of all) {
      if (record.kind !== 'service' || services.find(record.service) !== undefined) continue;
      const service = services.findOrAdd(record.service);
      known.add(service);
      if (record.settings !== null) services.configure(service, record.settings);
    }
    for (const { service: name, registration, silentMs, trouble } of ofKind(all, 'instance')) {
      const service = services.findOrAdd(name);
      if (rows.find(service, registration) !== undefined) continue;
      known.add(service);
      const id = this.#instances.restore(service, registration, now() - silentMs);
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
    // Told once all is as it was, edits included.
    for (const [id, from] of restored) this.#instances.happened('restored', id, from);
    return new Set([...known].map(({ name }) => name));
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

function ofKind<K extends DurableRecord['kind']>(
  records: readonly DurableRecord[],
  kind: K,
): Extract<DurableRecord, { kind: K }>[] {
  return records.filter((record): record is Extract<DurableRecord, { kind: K }> => record.kind === kind);
}
