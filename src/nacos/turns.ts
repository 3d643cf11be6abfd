/** Work that pauses where it could go on for too long, so that others have their turn in between. Its result comes last. */
export type Paused<T> = Generator<void, T, void>;

/** What follows from a result, now or later. */
export function after<T, R>(result: T | Promise<T>, next: (result: T) => R): R | Promise<R> {
  return result instanceof Promise ? result.then(next) : next(result);
}

/** Looks at each of them, and pauses now and then. */
export function* each<T>(items: Iterable<T>, look: (item: T) => void): Paused<void> {
  let count = 0;
  for (const item of items) {
    // Not behind the last one: whoever looks at few is never kept waiting.
    if (count === AT_A_TIME) {
      yield;
      count = 0;
    }
    count++;
    look(item);
  }
}

/** Sorts them by a text of each: some at a time, and then what is sorted already is put together. */
export function* sortedBy<T>(items: readonly T[], keyOf: (item: T) => string): Paused<T[]> {
  let runs: Keyed<T>[][] = [];
  const work = { count: 0 };
  for (let start = 0; start < items.length; start += AT_A_TIME) {
    if (start > 0) yield;
    const some = items.slice(start, start + AT_A_TIME).map((item) => ({ key: keyOf(item), item }));
    runs.push(some.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))));
  }
  while (runs.length > 1) {
    const longer: Keyed<T>[][] = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(yield* merged(runs[i] ?? [], runs[i + 1] ?? [], work));
    runs = longer;
  }
  return (runs[0] ?? []).map(({ item }) => item);
}

interface Keyed<T> {
  readonly key: string;
  readonly item: T;
}

function* merged<T>(some: readonly Keyed<T>[], others: readonly Keyed<T>[], work: { count: number }): Paused<Keyed<T>[]> {
  const all: Keyed<T>[] = [];
  for (let i = 0, j = 0; all.length < some.length + others.length; ) {
    const [one, other] = [some[i], others[j]];
    if (other === undefined || (one !== undefined && one.key <= other.key)) {
      if (one !== undefined) all.push(one);
      i++;
    } else {
      all.push(other);
      j++;
    }
    if (++work.count % MERGED_AT_A_TIME === 0) yield;
  }
  return all;
}

const MERGED_AT_A_TIME = 10_000;

/** To write so many takes a millisecond or two. */
export const AT_A_TIME = 500;
