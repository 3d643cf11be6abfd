import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

interface Room {
  /** The other folders, and files at the root of src, that may be imported. */
  readonly may: readonly string[];
  readonly packages: 'any' | 'node' | 'none';
}

/** Which room may import which, and what from outside. This is the direction table of the README's map, executed. */
const DIRECTION: Readonly<Record<string, Room>> = {
  registry: { may: [], packages: 'none' },
  wire: { may: [], packages: 'node' },
  gen: { may: [], packages: 'any' },
  // What those who serve calls and those who guard them have to say to each other.
  rights: { may: ['wire'], packages: 'none' },
  health: { may: ['registry', 'wire', 'gen'], packages: 'any' },
  nacos: { may: ['registry', 'wire', 'gen', 'rights'], packages: 'any' },
  probe: { may: ['registry', 'wire', 'gen'], packages: 'any' },
  events: { may: ['registry', 'wire', 'suggestion.ts'], packages: 'any' },
  console: { may: ['registry', 'wire', 'rights'], packages: 'node' },
  operate: { may: ['registry', 'wire', 'rights'], packages: 'none' },
  metrics: { may: ['registry', 'wire'], packages: 'any' },
  store: { may: ['registry', 'wire'], packages: 'any' },
  access: { may: ['registry', 'wire', 'rights'], packages: 'any' },
  // Above the rooms that it reads and writes: it speaks Nacos from the other side, and knows what a store holds.
  moving: { may: ['registry', 'wire', 'nacos', 'store'], packages: 'any' },
  server: { may: ['registry', 'wire', 'gen', 'rights', 'access', 'metrics', 'options.ts'], packages: 'any' },
  // What the user file keeps is made there too, by commands that run no server; and what happened is told in the words of events.
  cli: { may: ['server', 'moving', 'access', 'events', 'wire', 'options.ts', 'suggestion.ts'], packages: 'any' },
  'options.ts': { may: ['registry', 'wire', 'access', 'events', 'suggestion.ts'], packages: 'none' },
  'suggestion.ts': { may: [], packages: 'none' },
  'index.ts': { may: ['server', 'options.ts', 'wire'], packages: 'none' },
};

/** Where the clock is handed out. */
const COMPOSITION_ROOT = 'server/rooms.ts';
/** Where siblings meet: the file that makes them all, and those that show them to callers, to whoever embeds a server, and in a browser. */
const MEETING_POINTS = [
  COMPOSITION_ROOT,
  'server/surfaces.ts',
  'server/face.ts',
  'server/console.ts',
  'server/console-operations.ts',
  'server/console-clients.ts',
  'server/console-bridge.ts',
];
const SIBLINGS = ['access', 'console', 'events', 'health', 'metrics', 'nacos', 'operate', 'probe', 'store'];

/** Timers are made in one place and handed out by the composition root. */
const TIMERS = 'wire/scheduler.ts';
/** Each command that needs the time is the root of its own composition; how busy the loop is, is of the same object as the clock. */
const CLOCKS = [COMPOSITION_ROOT, 'cli/export.ts', 'cli/doctor/doctor.ts', 'server/loop-use.ts'];

/** Files that are longer than 350 lines because they are tables: of options, and of what a page reads. */
const TABLES: readonly string[] = ['options.ts', 'console/api.ts'];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'));

const texts = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));

function importsOf(file: string): string[] {
  return [...(texts.get(file) ?? '').matchAll(/(?:(?<!\.)\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    (match) => match[1] as string,
  );
}

function targetOf(file: string, specifier: string): string {
  return relative(SRC, join(SRC, file, '..', specifier))
    .split(sep)
    .join('/');
}

/** The folder at the root of src, or the file there. */
function roomOf(file: string): string {
  return file.split('/', 1)[0] as string;
}

function mayImport(file: string, target: string): boolean {
  const [room, other] = [roomOf(file), roomOf(target)];
  if (room === other) return true;
  return DIRECTION[room]?.may.includes(other) === true || (MEETING_POINTS.includes(file) && SIBLINGS.includes(other));
}

describe.each(files)('%s', (file) => {
  const text = texts.get(file) ?? '';

  it('imports only in the direction of the table', () => {
    const { packages } = DIRECTION[roomOf(file)] ?? { packages: 'none' };
    const stray = importsOf(file).filter((specifier) => {
      if (specifier.startsWith('.')) return !mayImport(file, targetOf(file, specifier));
      return packages !== 'any' && !(packages === 'node' && specifier.startsWith('node:'));
    });
    expect(stray).toEqual([]);
  });

  it('makes no timer and reads no clock unless it hands them out', () => {
    // A socket's own idle time is not a timer of ours.
    const timers = /\bset(?:Timeout|Interval|Immediate)\s*\(|AbortSignal\.timeout\(|node:timers/.test(
      text.replaceAll('.setTimeout(', ''),
    );
    expect(timers).toBe(file === TIMERS);
    expect(/\bDate\.now\(|\bnew Date\(\)|\bperformance\./.test(text)).toBe(CLOCKS.includes(file));
  });

  if (roomOf(file) === 'gen') return;

  it('is short enough to be read: 350 lines, and 60 a function', () => {
    if (!TABLES.includes(file)) expect(text.split('\n').length - 1).toBeLessThanOrEqual(350);
    expect(longFunctions(text)).toEqual([]);
  });
});

/** Functions and methods of more than 60 lines, by their first line; as formatted by Biome, the end of each stands in its column. */
function longFunctions(text: string): string[] {
  const lines = text.split('\n');
  const long: string[] = [];
  for (const [i, line] of lines.entries()) {
    const [, indent, rest = ''] = /^(\s*)(.*\{)$/.exec(line) ?? [];
    const starts = /^(export )?(async )?function\b|^(override |static |async |get |set |\*|#)*#?\w+(<[^>]*>)?\(.*\{$|=> \{$/.test(
      rest,
    );
    if (indent === undefined || !starts || /^(if|for|while|switch|catch|return)\b/.test(rest)) continue;
    const end = lines.findIndex((other, j) => j > i && other.startsWith(`${indent}}`));
    if (end - i + 1 > 60) long.push(`${end - i + 1} lines: ${line.trim()}`);
  }
  return long;
}

it('no file imports itself by way of others, types included', () => {
  const imports = new Map(
    files.map((file) => [file, importsOf(file).flatMap((name) => (name.startsWith('.') ? [targetOf(file, name)] : []))]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || done.has(file)) return;
    for (const next of imports.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  expect(circles).toEqual([]);
});

it('the engine of HTTP/2 stands alone', () => {
  const stray = files
    .filter((file) => file.startsWith('wire/http2/'))
    .flatMap((file) => importsOf(file).filter((name) => !/^\.\/[\w-]+\.ts$|^node:/.test(name)));
  expect(stray).toEqual([]);
});

it('HTTP/2 is served by the engine alone: what Node has of it is a client here', () => {
  expect(files.filter((file) => importsOf(file).includes('node:http2')).sort()).toEqual(['cli/client/grpc.ts', 'probe/grpc.ts']);
});

it('the table names every room there is', () => {
  const rooms = readdirSync(SRC, { withFileTypes: true });
  expect(rooms.map(({ name }) => name).sort()).toEqual(Object.keys(DIRECTION).sort());
});
