import { shown } from '../../wire/shown.ts';
import { type Cell, type Column, type Room, tableLines } from './table.ts';
import { type Colour, coloured } from './terminal.ts';

/** Where a command tells what it has found: for people on a terminal, or as JSON for programs. What went wrong is told elsewhere. */
export interface Output {
  readonly isJson: boolean;
  /** A line for people; what is in it is made safe. */
  readonly line: (text?: string, colour?: Colour) => void;
  /** Rows for people. */
  readonly table: (columns: readonly Column[], rows: readonly (readonly Cell[])[]) => void;
  /** One document, or one of many: each stands in a line of its own. */
  readonly json: (value: unknown) => void;
  /** What happens meanwhile, and is no result: on standard error. */
  readonly note: (text: string) => void;
}

/** A stream that may be a terminal. */
type Stream = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

interface OutputOptions {
  readonly isJson: boolean;
  readonly stdout: Stream;
  readonly stderr: Pick<Stream, 'write'>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createOutput({ isJson, stdout, stderr, env }: OutputOptions): Output {
  const room = (): Room => ({
    width: stdout.isTTY ? stdout.columns : undefined,
    hasColours: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
  });
  const write = (text: string) => void stdout.write(`${text}\n`);
  return {
    isJson,
    line(text = '', colour) {
      write(colour !== undefined && room().hasColours ? coloured(shown(text), colour) : shown(text));
    },
    table(columns, rows) {
      write([...tableLines(columns, rows, room())].join('\n'));
    },
    // What a terminal would obey stands in texts alone, where JSON writes it out in the same way.
    json: (value) => write(shown(JSON.stringify(value))),
    note: (text) => void stderr.write(`beatbridge: ${shown(text)}\n`),
  };
}
