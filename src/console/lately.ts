import { AT_ONCE } from './look.ts';
import type { EventsSource, Happened } from './sources.ts';

/** The last of what has happened that somebody wants to see: of all that is kept each event is looked at once, however often one looks. */
export class Lately {
  readonly #most: number;
  readonly #isWanted: (happened: Happened) => boolean;
  #seq = 0;
  #found: Happened[] = [];

  constructor(most: number, isWanted: (happened: Happened) => boolean) {
    this.#most = most;
    this.#isWanted = isWanted;
  }

  /** The oldest first. */
  *look(events: Pick<EventsSource, 'after'>): Generator<undefined, readonly Happened[]> {
    // Begun anew after each pause: what is kept moves on meanwhile.
    for (let work = AT_ONCE; work >= AT_ONCE; ) {
      work = 0;
      for (const happened of events.after(this.#seq)) {
        this.#note(happened);
        work += 1 + (happened.instances?.length ?? 0);
        if (work >= AT_ONCE) break;
      }
      if (work >= AT_ONCE) yield undefined;
    }
    return this.#found;
  }

  /** One that is kept, though no longer among the last of all. */
  note(older: Happened): void {
    if (this.#isWanted(older)) this.#found.push(older);
  }

  #note(happened: Happened): void {
    this.#seq = happened.seq;
    if (!this.#isWanted(happened)) return;
    this.#found.push(happened);
    if (this.#found.length > this.#most) this.#found.shift();
  }
}
