import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { faultIn, isText, NAMES, OPTIONS, type OptionName, printable, type Said } from '../options.ts';
import { suggestion } from '../suggestion.ts';

/**
 * A file of options: a YAML mapping of names, as embedders use them, to plain values. What stands deeper than that is never looked at,
 * and aliases are refused, so that no file costs more than its length.
 */

const require = createRequire(import.meta.url);
/** Loaded when there is such a file: it takes a tenth of what a start takes, and most have none. What it is, its own types say. */
const yaml = () => require('yaml') as typeof Yaml;

export interface FileSaid extends Said {
  /** `FILE:LINE` */
  readonly source: string;
}

export interface ConfigFile {
  readonly said: ReadonlyMap<OptionName, FileSaid>;
  /** What it says, but says wrongly: all that there is, where it cannot be read as YAML. */
  readonly wrong: ReadonlySet<OptionName>;
  /** In the order of the file, each with its place. */
  readonly faults: readonly string[];
}

/** All options with comments take 5 KiB; what is wrong at every byte costs seconds for each MiB. */
const MAX_FILE_BYTES = 256 << 10;
/** Faults of one file that are said one by one. */
const MAX_FAULTS = 100;

export const NO_FILE: ConfigFile = { said: new Map(), wrong: new Set(), faults: [] };

/** Reads the file that `given`, a flag or a variable, names. */
export function readConfigFile(path: string, given: string): ConfigFile {
  const unread = (fault: string): ConfigFile => ({ said: new Map(), wrong: new Set(NAMES), faults: [fault] });
  if (path === '') return unread(`${given} must be a file, got ""`);
  const file = printable(path);
  try {
    const bytes = readBounded(path);
    if (bytes === 'directory') return unread(`${given} must be a file, ${file} is a directory`);
    if (bytes.length > MAX_FILE_BYTES)
      return unread(`${given} must be a file of at most ${MAX_FILE_BYTES} bytes, ${file} is larger`);
    const text = decode(bytes);
    return text === undefined ? unread(`${given} must be a text in UTF-8, ${file} is none`) : parseConfig(text, file);
  } catch (error) {
    return unread(`${given} cannot be read: ${printable(error instanceof Error ? error.message : String(error))}`);
  }
}

/** What is not a file of a known size (a pipe, a device) is read no further either. */
function readBounded(path: string): Buffer | 'directory' {
  const descriptor = openSync(path, 'r');
  try {
    if (fstatSync(descriptor).isDirectory()) return 'directory';
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Without the mark of the byte order that editors put first. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** `file` is how its places begin. */
export function parseConfig(text: string, file: string): ConfigFile {
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  // Duplicate keys are looked for here: the package compares each key with each.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    resolveKnownTags: false,
    uniqueKeys: false,
  });
  const placed = (offset: number): Placed => {
    const { line, col } = lines.linePos(offset);
    return { source: `${file}:${line}`, at: `${file}:${line}:${col}`, line };
  };
  const malformed = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (malformed.length > 0) {
    const faults = malformed.map(({ code, message, pos }) => `${placed(pos[0]).at}: ${wordsOf(code, message)}`);
    return { said: new Map(), wrong: new Set(NAMES), faults: bounded(faults, file) };
  }
  return readRoot(document, placed, file);
}

interface Placed {
  readonly source: string;
  readonly at: string;
  readonly line: number;
}

function readRoot({ contents }: Document.Parsed, placed: (offset: number) => Placed, file: string): ConfigFile {
  const { isMap, isScalar } = yaml();
  // Nothing, or comments alone, says nothing.
  if (contents === null || (isScalar(contents) && contents.value === null)) return NO_FILE;
  if (!isMap(contents)) {
    const fault = `${placed(startOf(contents)).at}: must be options, such as "port: 8848", got ${kindOf(contents)}`;
    return { said: new Map(), wrong: new Set(NAMES), faults: [fault] };
  }
  const said = new Map<OptionName, FileSaid>();
  const wrong = new Set<OptionName>();
  const faults: string[] = [];
  const firstLines = new Map<string, number>();
  for (const pair of contents.items) {
    const key = placed(startOf(pair.key));
    const name = isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : undefined;
    const first = name === undefined ? undefined : firstLines.get(name);
    if (name === undefined) faults.push(`${key.at}: the name of an option must be a text`);
    else if (first !== undefined) faults.push(`${key.at} ${printable(name)} is said twice, first in line ${first}`);
    else if (!isName(name)) faults.push(`${key.at} ${printable(name)} is not an option${nearestTo(name, faults.length)}`);
    else {
      const one = saidBy(name, pair, key, placed);
      if (typeof one !== 'string') said.set(name, one);
      else {
        faults.push(one);
        wrong.add(name);
      }
    }
    if (name !== undefined && first === undefined) firstLines.set(name, key.line);
  }
  return { said, wrong, faults: bounded(faults, file) };
}

/** Or the fault of it. */
function saidBy(
  name: OptionName,
  { value: node }: Pair<Node, Node | null>,
  key: Placed,
  placed: (offset: number) => Placed,
): FileSaid | string {
  const { isScalar } = yaml();
  const { expected, bounds } = OPTIONS[name];
  const { at } = node === null || isEmpty(node) ? key : placed(startOf(node));
  const place = `${at} ${name}`;
  if (!isScalar(node) || node.value === null) return `${place} must be ${expected}, got ${kindOf(node)}`;
  const one = { value: meaningOf(node.value, node.source, isText(bounds)), place, source: key.source };
  return faultIn(name, one) ?? one;
}

/** Where a text is wanted, a number is the text that stands there: "minAvailable: 2" needs no quotes. */
function meaningOf(value: unknown, written: string | undefined, wantsText: boolean): unknown {
  if (wantsText && typeof value === 'number' && written !== undefined) return written;
  // What is -0 else would be printed so.
  return value === 0 ? 0 : value;
}

function isName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** Looking for what was meant is worth it for what is said only. */
function nearestTo(name: string, faults: number): string {
  return faults < MAX_FAULTS ? suggestion(name, NAMES) : '';
}

function isEmpty(node: Node): boolean {
  return yaml().isScalar(node) && node.value === null && node.source === '';
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

function kindOf(node: Node | null): string {
  const { isAlias, isCollection, isScalar, isSeq } = yaml();
  if (isAlias(node)) return 'an alias: write the value itself';
  if (isSeq(node)) return 'a list';
  if (isCollection(node)) return 'a mapping';
  return isScalar(node) && node.value !== null ? 'a single value' : 'nothing';
}

/** Of what people do most, in words that say what to do; of the rest, in those of the package, less what it quotes: it may be a secret. */
function wordsOf(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins, and there may be one only';
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return 'a value with a colon at its end, or before a space, needs quotes';
  if (code === 'RESOURCE_EXHAUSTION') return 'nested too deeply';
  const [words = ''] = message.split(': "', 1);
  return `${words.slice(0, 1).toLowerCase()}${printable(words.slice(1))}`;
}

function bounded(faults: readonly string[], file: string): readonly string[] {
  if (faults.length <= MAX_FAULTS) return faults;
  return [...faults.slice(0, MAX_FAULTS), `${file} has ${faults.length - MAX_FAULTS} faults more`];
}
