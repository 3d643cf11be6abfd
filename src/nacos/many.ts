import { writeJson } from './doubles.ts';
import { AT_A_TIME, type Paused } from './turns.ts';
import { Pieces, type Written } from './written.ts';

/** Data with so much in them that they are made and written some at a time. */

/** In place of an array: its items are made when they are written. Undefined is none, but work; a `Long` has more of them in it. */
export class Many<T extends object | string = object | string> {
  readonly items: Iterable<T | undefined>;

  constructor(items: Iterable<T | undefined>) {
    this.items = items;
  }
}

/** Each as `view` shows it when it is written. */
export function manyOf<T>(items: Iterable<T>, view: (item: T) => object | string | undefined): Many {
  return new Many(shownOf(items, view));
}

function* shownOf<T>(items: Iterable<T>, view: (item: T) => object | string | undefined) {
  for (const item of items) yield view(item);
}

/** Data of objects and arrays, with `Many` in them, and a function where something is known only when all before it has been written. */
export class Long {
  readonly data: LongData;
  /** How long it will be at least, where that is known before it is written. */
  readonly bytes: number;

  constructor(data: LongData, bytes = 0) {
    this.data = data;
    this.bytes = bytes;
  }
}

export type LongData = object | (() => number);

/** The same text that `writeJson` makes of the same data without `Many` and functions. */
export function* writeLong(data: LongData): Paused<Written> {
  const pieces = new Pieces('');
  const work = { count: 0 };
  yield* write(data, pieces, work);
  return pieces.with();
}

function* write(data: unknown, pieces: Pieces, work: { count: number }): Paused<void> {
  if (data instanceof Many) {
    yield* writeMany(data, pieces, work);
  } else if (Array.isArray(data)) {
    yield* between(pieces, '[]', data, work, (item) => write(item, pieces, work));
  } else if (typeof data === 'object' && data !== null) {
    // As in any JSON, what is undefined is not there.
    const fields = Object.entries(data).filter(([, value]) => value !== undefined);
    yield* between(pieces, '{}', fields, work, ([name, value]) => writeField(name, value, pieces, work));
  } else {
    pieces.add(JSON.stringify(data));
  }
}

function* writeField(name: string, value: unknown, pieces: Pieces, work: { count: number }): Paused<void> {
  if (typeof value === 'object' && value !== null) {
    pieces.add(`${JSON.stringify(name)}:`);
    yield* write(value, pieces, work);
  } else {
    // With its name, as that decides how a number is written.
    pieces.add(writeJson(Object.fromEntries([[name, typeof value === 'function' ? value() : value]])).slice(1, -1));
  }
}

function* writeMany({ items }: Many, pieces: Pieces, work: { count: number }): Paused<void> {
  let separator = '[';
  for (const item of items) {
    if (++work.count % AT_A_TIME === 0) yield;
    if (item === undefined) continue;
    pieces.add(separator);
    separator = ',';
    if (item instanceof Long) yield* write(item.data, pieces, work);
    else pieces.add(typeof item === 'string' ? JSON.stringify(item) : writeJson(item));
  }
  pieces.add(separator === '[' ? '[]' : ']');
}

function* between<T>(
  pieces: Pieces,
  [open, close]: string,
  items: readonly T[],
  work: { count: number },
  writeOne: (item: T) => Paused<void>,
): Paused<void> {
  pieces.add(open ?? '');
  for (const [i, item] of items.entries()) {
    if (++work.count % AT_A_TIME === 0) yield;
    if (i > 0) pieces.add(',');
    yield* writeOne(item);
  }
  pieces.add(close ?? '');
}
