import type { History } from './history.ts';
import { readRecord, storedOf } from './kept-record.ts';
import type { EventRecord } from './record.ts';

/**
 * The history as it is kept over a restart: each record in a place of its own, of which there are as many as records are kept, and as many
 * again for what of services is older than the last of all. So what waits to be written is bounded by that, however long nothing can be.
 * Nobody waits for it: what happened in the last moments before a process is killed is lost. So that no number is given twice then, numbers
 * are set aside, and that is on disk, before any of them is given; those that were not given are left out.
 */
export class KeptEvents {
  readonly name = 'event';
  readonly #history: History;
  readonly #places: number;
  /** What of services is older, by place, and where it is. */
  readonly #older: (EventRecord | undefined)[] = [];
  readonly #placeOf = new Map<number, number>();
  /** Places of what has gone, and how many there are of which some have been taken. */
  readonly #free: number[] = [];
  #next = 0;
  /** All up to this number was there before. */
  #restoredTo = Number.POSITIVE_INFINITY;
  #hasEnded = false;
  /** Numbers up to this one are set aside. */
  #setAsideTo = 0;
  /** Keys of what was kept by other rules, or cannot be read. */
  #strays: string[] = [];
  #changed = (key: string): void => void this.#strays.push(key);

  constructor(history: History, maxEvents: number) {
    this.#history = history;
    this.#places = maxEvents;
  }

  readonly onChange = (listener: (key: string) => void): void => {
    this.#changed = listener;
    this.#history.onEvent(({ seq }) => {
      listener(this.#keyOf(seq));
      if (this.#setAsideTo - seq < SET_ASIDE / 2) this.#setAside();
    });
    this.#followWhatLeaves();
    for (const key of this.#strays.splice(0)) listener(key);
    for (const record of this.#history.after(0)) if (record.seq > this.#restoredTo) listener(this.#keyOf(record.seq));
    this.#setAside();
  };

  readonly read = (key: string): unknown => {
    if (key === END) return this.#hasEnded ? { seq: this.#history.lastSeq } : { upTo: this.#setAsideTo };
    const place = Number(key.slice(1));
    if (!(place < this.#places)) return undefined;
    const record = key.startsWith(LAST) ? this.#history.find(this.#lastAt(place)) : this.#older[place];
    return record && storedOf(record);
  };

  /** Which numbers may have been given must be on disk before they are. */
  readonly mayBeLost = (key: string): boolean => key !== END;

  readonly restore = (entries: Iterable<readonly [key: string, value: unknown]>): void => {
    const bySeq = new Map<number, EventRecord>();
    const older: (readonly [string, EventRecord])[] = [];
    let ended: unknown;
    for (const [key, value] of entries) {
      const record = key === END ? undefined : readRecord(value);
      if (key === END) ended = value;
      else if (record === undefined) this.#strays.push(key);
      else if (key.startsWith(LAST)) {
        bySeq.set(record.seq, record);
        if (key !== this.#keyOf(record.seq)) this.#strays.push(key, this.#keyOf(record.seq));
      } else older.push([key, record]);
    }
    const last = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    const ofServices = this.#placed(older, bySeq);
    this.#followWhatLeaves();
    // Where fewer are kept than there are, the oldest of them are those of services alone now.
    const beyond = Math.max(0, last.length - this.#places);
    this.#history.restore({
      older: [...ofServices, ...last.slice(0, beyond)].sort((a, b) => a.seq - b.seq),
      last: last.slice(beyond),
      lastSeq: this.#lastGiven(last.at(-1)?.seq ?? 0, ended),
    });
    this.#restoredTo = this.#history.lastSeq;
  };

  /** Nothing more happens: whoever begins anew has all of it. */
  end(): void {
    this.#hasEnded = true;
    this.#changed(END);
  }

  /** At the most: whoever was killed may have given all that it had set aside. */
  #lastGiven(written: number, ended: unknown): number {
    const at = numberIn(ended, 'seq');
    if (at !== undefined && at >= written) return at;
    const upTo = Math.max(numberIn(ended, 'upTo') ?? 0, at ?? 0);
    // A version before this one set nothing aside.
    if (upTo === 0) return written === 0 ? 0 : written + this.#places;
    // By whole rounds of places: what is kept stays in its own, and is the last that is overwritten.
    return written + Math.ceil(Math.max(1, upTo - written) / this.#places) * this.#places;
  }

  #setAside(): void {
    this.#setAsideTo = this.#history.lastSeq + SET_ASIDE;
    this.#changed(END);
  }

  #followWhatLeaves(): void {
    this.#history.onLeft((record, isGone) => (isGone ? this.#gone(record) : this.#outlives(record)));
  }

  /** Those among them that have a place, and are not among the last of all. */
  #placed(older: readonly (readonly [string, EventRecord])[], last: ReadonlyMap<number, unknown>): readonly EventRecord[] {
    const taken: EventRecord[] = [];
    for (const [key, record] of older) {
      const place = Number(key.slice(1));
      if (!(place < this.#places) || last.has(record.seq) || this.#placeOf.has(record.seq)) {
        this.#strays.push(key);
        continue;
      }
      this.#older[place] = record;
      this.#placeOf.set(record.seq, place);
      this.#next = Math.max(this.#next, place + 1);
      taken.push(record);
    }
    for (let place = 0; place < this.#next; place++) if (this.#older[place] === undefined) this.#free.push(place);
    return taken;
  }

  #outlives(record: EventRecord): void {
    if (this.#placeOf.has(record.seq)) return;
    const place = this.#free.pop() ?? this.#next++;
    // No more outlive than there are places, unless what was kept by other rules still has them.
    if (place >= this.#places) {
      this.#next = this.#places;
      return;
    }
    // Not the record itself, which may be kept shorter one day.
    this.#older[place] = storedOf(record);
    this.#placeOf.set(record.seq, place);
    this.#changed(`${OLDER}${place}`);
  }

  #gone({ seq }: EventRecord): void {
    const place = this.#placeOf.get(seq);
    if (place === undefined) return;
    this.#placeOf.delete(seq);
    this.#older[place] = undefined;
    this.#free.push(place);
    this.#changed(`${OLDER}${place}`);
  }

  #keyOf(seq: number): string {
    return `${LAST}${seq % this.#places}`;
  }

  /** The latest number that has this place. */
  #lastAt(place: number): number {
    const { lastSeq } = this.#history;
    return lastSeq - ((((lastSeq - place) % this.#places) + this.#places) % this.#places);
  }
}

const LAST = 'l';
const OLDER = 'o';
/** With which number it has ended in order, or up to which it may have come. */
const END = 'end';
/** So many numbers at a time, and anew when half of them are given: more than happens while that is written. */
const SET_ASIDE = 100_000;

function numberIn(value: unknown, name: 'seq' | 'upTo'): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const number = { seq: undefined, upTo: undefined, ...value }[name] as unknown;
  return Number.isSafeInteger(number) ? Number(number) : undefined;
}
