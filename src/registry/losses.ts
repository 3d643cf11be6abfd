import type { Source } from './changes.ts';

/**
 * Instances whose connection has ended. Many connections that end within a second are more likely one thing that carried them all, such
 * as a proxy that reloads, than the death of so many clients, who are back in a moment. Where there are enough of them for that to be
 * told apart, an instance that loses its connection is kept for a moment, to see whether it is one of a crowd; if it is, for as long
 * as clients take to come back.
 */
export class Losses {
  readonly #kept = new Map<number, Loss>();
  /** When how many were lost, within the last second; the latest last. */
  readonly #recent: { readonly at: number; count: number }[] = [];
  #recently = 0;
  #crowdUntil = Number.NEGATIVE_INFINITY;

  /** One of `held` instances, itself included, has lost its connection. */
  lose(id: number, { now, held, by }: { readonly now: number; readonly held: number; readonly by: Source | undefined }): Lost {
    const before = held + this.#count(now);
    const last = this.#recent.at(-1);
    if (last?.at === now) last.count++;
    else this.#recent.push({ at: now, count: 1 });
    this.#recently++;
    if (before <= LEAST_LOST && now >= this.#crowdUntil) return { until: undefined, crowd: undefined };
    const isCrowd = this.#recently > Math.max(LEAST_LOST, before * SHARE_LOST);
    const isNew = isCrowd && now >= this.#crowdUntil;
    if (isNew) for (const loss of this.#kept.values()) if (now - loss.at < WINDOW_MS) loss.until = loss.at + BACK_WITHIN_MS;
    if (isCrowd) this.#crowdUntil = now + WINDOW_MS;
    const until = now + (now < this.#crowdUntil ? BACK_WITHIN_MS : SEEN_WITHIN_MS);
    this.#kept.set(id, { at: now, until, by });
    return { until, crowd: isNew ? this.#recently : undefined };
  }

  /**
   * Its connection is known only from before: it is kept until then, and counts for no crowd. All come back at once meanwhile, and on a
   * busy machine some give their new connection up and make another one: they are taken for a crowd until then.
   */
  keep(id: number, at: number, until: number): void {
    this.#kept.set(id, { at, until, by: undefined });
    this.#crowdUntil = Math.max(this.#crowdUntil, until);
  }

  /** Undefined for one that is not kept for now. */
  of(id: number): Readonly<Loss> | undefined {
    return this.#kept.size === 0 ? undefined : this.#kept.get(id);
  }

  get count(): number {
    return this.#kept.size;
  }

  /** Those that are kept for now, by id. */
  all(): IterableIterator<[number, Readonly<Loss>]> {
    return this.#kept.entries();
  }

  /** It is back, or gone for good. False when it was not kept. */
  delete(id: number): boolean {
    return this.#kept.size > 0 && this.#kept.delete(id);
  }

  /** Nobody could come back for so long. */
  postpone(ms: number): void {
    for (const loss of this.#kept.values()) loss.until += ms;
    this.#crowdUntil += ms;
  }

  /** How many have been lost within the second before now. */
  #count(now: number): number {
    for (let first = this.#recent[0]; first !== undefined && now - first.at >= WINDOW_MS; first = this.#recent[0]) {
      this.#recently -= first.count;
      this.#recent.shift();
    }
    return this.#recently;
  }
}

interface Loss {
  readonly at: number;
  /** Until when its last status is kept. */
  until: number;
  /** Whose connection it was. */
  readonly by: Source | undefined;
}

/** `until` undefined: it is not kept. `crowd`: how many were lost, when this one has made them a crowd. */
export interface Lost {
  readonly until: number | undefined;
  readonly crowd: number | undefined;
}

const WINDOW_MS = 1_000;
const LEAST_LOST = 50;
const SHARE_LOST = 0.2;
/** A proxy ends its connections within fewer. */
const SEEN_WITHIN_MS = 250;
/** Most clients connect again within a few seconds. */
const BACK_WITHIN_MS = 10_000;
