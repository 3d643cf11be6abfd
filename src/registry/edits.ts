import type { Source } from './changes.ts';
import { differencesBetween } from './differences.ts';
import type { Address, Edit } from './instance.ts';
import type { Instances, Shown } from './instances.ts';
import { saidOf } from './lease.ts';
import { isEmpty } from './overlay.ts';
import type { Parts } from './parts.ts';
import type { ServiceName } from './service-name.ts';

/** What operators do to an instance, whether it is here or has gone: laying an edit over it, and taking it away. Each is an event. */
export class Edits {
  readonly #parts: Parts;
  readonly #instances: Instances;

  constructor(parts: Parts, instances: Instances) {
    this.#parts = parts;
    this.#instances = instances;
  }

  /** See `Registry.edit`. */
  lay(name: ServiceName, address: Address, edit: Edit, { by, how }: Said): boolean {
    const { services, rows, overlay, departed, now } = this.#parts;
    const service = services.find(name);
    const id = service && rows.find(service, address);
    if (service === undefined || id === undefined) {
      const waiting = overlay.absent(name, address, now());
      if (waiting !== undefined && how === 'instead') overlay.putAbsent(waiting, edit);
      else if (waiting !== undefined) overlay.layAbsent(waiting, edit, service && departed.of(service, address));
      else if (how === 'ahead') overlay.layAhead(name, address, edit, now());
      else return false;
      const differences = differencesBetween(waiting?.edit ?? {}, overlay.absent(name, address, now())?.edit ?? {});
      this.#instances.telling.ofAway(name, address, 'edited', { by, differences });
      return true;
    }
    const before = this.#instances.shown(id);
    if (how !== 'instead') overlay.lay(id, edit, saidOf(rows.row(id), rows.isAlive(id)));
    else if (isEmpty(edit)) overlay.end(id);
    else overlay.put(id, edit);
    this.#edited(service.name, id, { by, before });
    return true;
  }

  /** See `Registry.unedit`. */
  end(name: ServiceName, address: Address, by: Source | undefined): boolean {
    const { services, rows, overlay, now } = this.#parts;
    const service = services.find(name);
    const id = service && rows.find(service, address);
    if (service === undefined || id === undefined) {
      const differences = differencesBetween(overlay.absent(name, address, now())?.edit ?? {}, {});
      const ended = overlay.endAbsent(name, address);
      if (ended) this.#instances.telling.ofAway(name, address, 'edited', { by, differences });
      return ended;
    }
    const before = this.#instances.shown(id);
    if (!overlay.end(id)) return false;
    this.#edited(service.name, id, { by, before });
    return true;
  }

  #edited(service: ServiceName, id: number, { by, before }: { readonly by: Source | undefined; readonly before: Shown }): void {
    this.#instances.edited(id, before, by);
    this.#parts.changes.changed(service);
  }
}

/**
 * `over`: over what is laid already, less what the client says anyway. `ahead`: as well of one that is still to come. `instead`: in place of
 * what there is, to the letter.
 */
export type Laying = 'over' | 'ahead' | 'instead';

interface Said {
  readonly by: Source | undefined;
  readonly how: Laying;
}
