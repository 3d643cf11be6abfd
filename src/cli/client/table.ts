import { shown } from '../../wire/shown.ts';
import { type Colour, coloured, cut, widthOf } from './terminal.ts';

/** Rows under names, as wide as the terminal and no wider. */

export interface Column {
  readonly name: string;
  /** Numbers stand under each other by their end. */
  readonly isNumber?: true;
}

/** A text of any origin. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

export interface Room {
  /** In columns; undefined: as wide as it gets. */
  readonly width: number | undefined;
  readonly hasColours: boolean;
}

const GAP = 2;
/** What is narrower tells nothing. */
const LEAST_WIDTH = 8;

/** One line each, the names first. */
export function* tableLines(columns: readonly Column[], rows: readonly (readonly Cell[])[], room: Room): Generator<string> {
  const cells = rows.map((row) => columns.map((_, i) => cellOf(row[i] ?? '')));
  const head = columns.map(({ name }) => ({ text: name, colour: 'bold' as const }));
  const natural = columns.map((_, i) => cells.reduce((most, row) => Math.max(most, widthOf(row[i]?.text ?? '')), 0));
  const names = columns.map(({ name }) => widthOf(name));
  const widths = fitted(
    natural.map((width, i) => Math.max(width, names[i] ?? 0)),
    room.width,
  );
  for (const row of [head, ...cells]) {
    const line = row.map((cell, i) =>
      padded(cell, { width: widths[i] ?? 0, column: columns[i], isLast: i === row.length - 1 }, room),
    );
    yield line.join(' '.repeat(GAP)).trimEnd();
  }
}

function cellOf(cell: Cell): { readonly text: string; readonly colour?: Colour } {
  return typeof cell === 'string' ? { text: shown(cell) } : { text: shown(cell.text), colour: cell.colour };
}

interface Place {
  readonly width: number;
  readonly column: Column | undefined;
  readonly isLast: boolean;
}

function padded({ text, colour }: { readonly text: string; readonly colour?: Colour }, place: Place, room: Room): string {
  const { width, column, isLast } = place;
  const short = cut(text, width);
  const painted = colour !== undefined && room.hasColours ? coloured(short, colour) : short;
  const space = ' '.repeat(Math.max(0, width - widthOf(short)));
  if (column?.isNumber) return space + painted;
  return isLast ? painted : painted + space;
}

/**
 * The widest give first, until all have room; below a least width none gives any more, and the terminal has to break lines. The first
 * column says what the line is about, and gives nothing.
 */
export function fitted(natural: readonly number[], width: number | undefined): readonly number[] {
  const widths = [...natural];
  if (width === undefined) return widths;
  const room = width - GAP * (widths.length - 1);
  let over = widths.reduce((sum, each) => sum + each, 0) - room;
  while (over > 0) {
    const widest = Math.max(0, ...widths.slice(1));
    if (widest <= LEAST_WIDTH) break;
    const others = widths.slice(1).filter((each) => each < widest);
    const next = Math.max(LEAST_WIDTH, ...others);
    const count = widths.length - 1 - others.length;
    // All of the widest alike, to the next of them, or as far as is needed.
    const give = Math.max(1, Math.min(widest - next, Math.ceil(over / count)));
    for (const [i, each] of widths.entries()) {
      if (i === 0 || each !== widest || over <= 0) continue;
      widths[i] = each - give;
      over -= give;
    }
  }
  return widths;
}
