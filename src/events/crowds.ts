import type { EventRecord } from './record.ts';

/**
 * The records that name very many: thousands who come and go again and again are not to be kept by name for as long as there are records
 * of them. Of the oldest some stay by name, and how many there were is told all the same.
 */
export class Crowds {
  /** The oldest first. */
  readonly #records: EventRecord[] = [];
  #named = 0;

  /** One more. Answers which are to be kept shorter from now on, and how. */
  *add(record: EventRecord): IterableIterator<{ readonly record: EventRecord; readonly shorter: EventRecord }> {
    const { instances = [] } = record;
    if (instances.length <= NAMED_OF_OLD) return;
    this.#records.push(record);
    this.#named += instances.length;
    while (this.#named > MOST_NAMED && this.#records.length > 1) {
      const oldest = this.#records.shift();
      if (oldest?.instances === undefined) return;
      this.#named -= oldest.instances.length;
      yield { record: oldest, shorter: { ...oldest, instances: oldest.instances.slice(0, NAMED_OF_OLD) } };
    }
  }
}

/** In all records, whatever is said of each. */
const MOST_NAMED = 100_000;
/** In each of those that are kept shorter. */
const NAMED_OF_OLD = 20;
