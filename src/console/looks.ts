import type { SharedTurns } from '../wire/shared-turns.ts';
import type { LookRoom, Opened, View } from './look.ts';
import type { NotServing } from './not-serving.ts';
import type { Reader } from './sources.ts';

/** What is on the screen, as texts of JSON: those that are the same as before need not be sent again. */
export interface Shown {
  readonly facts: ReadonlyMap<string, string>;
  /** In their order. */
  readonly rows: ReadonlyMap<string, string>;
  /** Of all services, whatever is looked at: how many are not serving. */
  readonly notServing: number;
  /** The number of the last event that is in it. */
  readonly seq: number;
}

/**
 * What pages look at, made once for all who look at the same and see as much. A look that took long is not made anew at once, so that all
 * of them together have a small share of the time, however much there is to look at.
 */
export class Looks {
  readonly #room: LookRoom;
  readonly #turns: SharedTurns;
  readonly #notServing: Pick<NotServing, 'countFor'>;
  readonly #open = new Map<string, Seen>();

  constructor(room: LookRoom, turns: SharedTurns, notServing: Pick<NotServing, 'countFor'>) {
    this.#room = room;
    this.#notServing = notServing;
    this.#turns = turns;
  }

  /** Somebody begins to look; a text: why he cannot. `name`: which view that is, for whoever looks at the same. */
  join(view: View, { name, params, reader }: Asked): Joined | string {
    const key = `${name}?${params.toString()}\n${reader.scope}`;
    const known = this.#open.get(key);
    // What was made for readers of whom none may see it any more is nobody else's, whoever has their name by now.
    if (known !== undefined && readerOf(known) !== NOBODY) return this.#joined(key, known, reader);
    const opened = view.open(params, this.#room);
    if (typeof opened === 'string') return opened;
    const seen: Seen = { opened, readers: new Set(), notBefore: 0, last: undefined, next: undefined };
    this.#open.set(key, seen);
    return this.#joined(key, seen, reader);
  }

  /** How many different looks somebody has. */
  get count(): number {
    return this.#open.size;
  }

  #joined(key: string, seen: Seen, reader: Reader): Joined {
    seen.readers.add(reader);
    return {
      opened: seen.opened,
      look: () => this.#look(seen),
      leave: () => {
        if (seen.readers.delete(reader) && seen.readers.size === 0 && this.#open.get(key) === seen) this.#open.delete(key);
      },
    };
  }

  /** What was made a moment ago is still good: whoever asks is woken again before long. */
  #look(seen: Seen): Promise<Shown> {
    if (seen.next !== undefined) return seen.next;
    const { last } = seen;
    if (last !== undefined && this.#room.now() < seen.notBefore) return Promise.resolve(last);
    const next = this.#make(seen).finally(() => {
      seen.next = undefined;
    });
    seen.next = next;
    return next;
  }

  async #make(seen: Seen): Promise<Shown> {
    const { now, events } = this.#room;
    const seq = events.lastSeq();
    const parts = this.#parts(seen);
    let spentMs = 0;
    for (;;) {
      const step = await this.#turns.next(() => {
        const began = now();
        const done = parts.next();
        spentMs += now() - began;
        return done;
      });
      if (step.done !== true) continue;
      const began = now();
      const { facts, rows, notServing } = step.value;
      const shown = {
        facts: new Map(Object.entries(facts).map(([name, value]) => [name, JSON.stringify(value)])),
        rows: new Map((rows as readonly { readonly key: string }[]).map((row) => [row.key, JSON.stringify(row)])),
        notServing,
        seq,
      };
      spentMs += now() - began;
      seen.last = shown;
      seen.notBefore = now() + Math.max(LEAST_PAUSE_MS, spentMs * Math.max(PAUSE_OF_ONE, PAUSE_OF_ALL * this.#open.size));
      return shown;
    }
  }

  *#parts(seen: Seen) {
    const reader = readerOf(seen);
    const shown = yield* seen.opened.look(reader);
    return { ...shown, notServing: yield* this.#notServing.countFor(reader) };
  }
}

export interface Asked {
  readonly name: string;
  readonly params: URLSearchParams;
  readonly reader: Reader;
}

export interface Joined {
  readonly opened: Opened;
  readonly look: () => Promise<Shown>;
  readonly leave: () => void;
}

interface Seen {
  readonly opened: Opened;
  /** Who see the same. */
  readonly readers: Set<Reader>;
  /** Monotonic milliseconds. */
  notBefore: number;
  last: Shown | undefined;
  next: Promise<Shown> | undefined;
}

/** Of those who see the same, one who may still see it. */
function readerOf({ readers }: Seen): Reader {
  for (const reader of readers) if (reader.holds()) return reader;
  return NOBODY;
}

const NOBODY: Reader = { scope: '', maySee: () => false, maySeeAll: false, holds: () => false, mayOperate: () => false };

const LEAST_PAUSE_MS = 100;
/** A look alone has a tenth of the time at most, and all of them together a quarter. */
const PAUSE_OF_ONE = 10;
const PAUSE_OF_ALL = 4;
