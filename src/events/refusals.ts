import type { Refusal } from '../wire/refused.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { Detail, NewRecord } from './record.ts';

/**
 * Makes records of refusals: of each kind the first at once, and from then on one a minute with how many there were, for as long as there
 * are any. Whoever is refused ten thousand times a second is told of no more often than that.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #kinds = new Map<string, Kind>();
  #cancel: Cancel | undefined;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  note({ reason, peer, count = 1, facts }: Refusal): void {
    const said = this.#options.saidOf(reason);
    if (said === undefined && facts === undefined) return;
    const known = this.#kinds.get(reason);
    if (known !== undefined) {
      known.first ??= peer;
      known.last = peer ?? known.last;
      known.count += count;
      known.detail = facts ?? known.detail;
      return;
    }
    // As many as limits and rules: more than that is a mistake, which is not to cost memory.
    if (this.#kinds.size >= MOST_KINDS) return;
    const detail = { ...said, ...facts };
    this.#tell(reason, { first: peer, last: peer, count, detail });
    this.#kinds.set(reason, { first: undefined, last: undefined, count: 0, detail });
    this.#cancel ??= this.#options.scheduler.every(MINUTE_MS, () => this.#summarize());
  }

  stop(): void {
    this.#summarize();
    this.#cancel?.();
    this.#cancel = undefined;
    this.#kinds.clear();
  }

  #summarize(): void {
    for (const [reason, kind] of this.#kinds) {
      if (kind.count === 0) {
        this.#kinds.delete(reason);
        continue;
      }
      this.#tell(reason, kind);
      Object.assign(kind, { first: undefined, last: undefined, count: 0 });
    }
    if (this.#kinds.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tell(reason: string, { first, last, count, detail }: Kind): void {
    this.#options.note({
      count,
      ...(last !== undefined && { by: { peer: last } }),
      detail: { what: reason, ...(first !== undefined && first !== last && { firstPeer: first }), ...detail },
    });
  }
}

export interface RefusalsOptions {
  readonly scheduler: Pick<Scheduler, 'every'>;
  /** What is to be said of a kind; undefined: nothing, unless whoever refused says it himself. */
  readonly saidOf: (reason: string) => Detail | undefined;
  readonly note: (said: Pick<NewRecord, 'by' | 'count' | 'detail'>) => void;
}

interface Kind {
  /** From where the first and the last of them came. */
  first: string | undefined;
  last: string | undefined;
  count: number;
  detail: Detail;
}

const MINUTE_MS = 60_000;
const MOST_KINDS = 200;
