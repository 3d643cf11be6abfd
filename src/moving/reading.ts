import { BadFileError } from './errors.ts';
import { END, type Line } from './lines.ts';
import { type Parsed, parseLine } from './parsing.ts';

/** A file of lines, read piece by piece: no more of it is held than a line. */

export interface Numbered {
  /** From 1. */
  readonly number: number;
  readonly line: Line;
}

/** Looks at every line and writes nothing. Answers how many are to be moved; rejects with `BadFileError`. */
export async function checkFile(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const faults: string[] = [];
  let count = 0;
  let last: Parsed['kind'] | undefined;
  let first = true;
  for await (const { number, text } of textLines(bytes)) {
    if (faults.length >= MOST_FAULTS) break;
    const line = text === undefined ? 'is not UTF-8' : parseLine(text);
    if (typeof line === 'string') faults.push(`line ${number} ${line}`);
    else if (first && line.kind !== 'head') faults.push(`line ${number} is no head: {"beatbridge":"export","schema":1,...}`);
    else if (!first && line.kind === 'head') faults.push(`line ${number} is a second head: one file at a time`);
    else if (last === 'end') faults.push(`line ${number} stands behind the end`);
    // A file of a newer version, or of something else, is not worth reading on.
    if (first && faults.length > 0) break;
    first = false;
    last = typeof line === 'string' ? last : line.kind;
    if (typeof line !== 'string' && line.kind !== 'head' && line.kind !== 'end') count++;
  }
  if (first && faults.length === 0) faults.push('the file is empty');
  else if (faults.length === 0 && last !== 'end') faults.push(`the last line must be ${END}: the file was cut off`);
  if (faults.length > 0) throw new BadFileError(faults);
  return count;
}

/** The lines of a file that has been checked. */
export async function* linesOfFile(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Numbered> {
  for await (const { number, text } of textLines(bytes)) {
    const line = parseLine(text ?? '');
    if (typeof line === 'string') throw new BadFileError([`line ${number} is another than a moment ago: ${line}`]);
    if (line.kind !== 'head' && line.kind !== 'end') yield { number, line };
  }
}

/** Of more faults nobody reads. */
const MOST_FAULTS = 20;
/** The longest text that a beatbridge may keep is of 64 MiB, and JSON writes a control character as six. */
const MAX_LINE_BYTES = 512 * 2 ** 20;
const NEWLINE = 0x0a;

/** Those that are not blank. `text` undefined: it is none. */
async function* textLines(bytes: AsyncIterable<Uint8Array>) {
  let number = 0;
  let length = 0;
  let pieces: Uint8Array[] = [];
  const take = () => {
    const text = decoded(Buffer.concat(pieces));
    pieces = [];
    length = 0;
    number++;
    // Editors put a mark at the beginning of a file that means nothing.
    return { number, text: number === 1 ? text?.replace(/^\ufeff/, '') : text };
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      pieces.push(chunk.subarray(from, at));
      from = at + 1;
      const line = take();
      if (line.text?.trim() !== '') yield line;
    }
    length += chunk.length - from;
    if (length > MAX_LINE_BYTES) throw new BadFileError([`line ${number + 1} is longer than ${MAX_LINE_BYTES} bytes`]);
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  }
  const line = take();
  if (line.text?.trim() !== '') yield line;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
