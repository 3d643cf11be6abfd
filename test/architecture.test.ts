import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

/** Which folder may import which, and what from outside. This is the direction table of the README's map, executed. */
const DIRECTION: Record<string, { readonly folders: readonly string[]; readonly packages: 'any' | 'node' | 'none' }> = {
  cli: { folders: ['server'], packages: 'any' },
  registry: { folders: [], packages: 'none' },
  gen: { folders: [], packages: 'any' },
  health: { folders: ['registry', 'gen'], packages: 'any' },
  nacos: { folders: ['registry', 'gen'], packages: 'any' },
  server: { folders: ['registry', 'gen', 'health', 'nacos'], packages: 'any' },
};

/** Files at the root of src: the options and what they need, and the face for embedders. */
const ROOT: Record<string, readonly string[]> = {
  'index.ts': ['options.ts', 'server/server.ts'],
  'options.ts': ['suggestion.ts'],
  'suggestion.ts': [],
};

/** Who may read the options: the process, and the composition root. A misspelled command is one more name. */
const READERS: Record<string, readonly string[]> = {
  'cli/main.ts': ['options.ts', 'suggestion.ts'],
  'cli/serve.ts': ['options.ts'],
  'server/server.ts': ['options.ts'],
};

/** Nobody under server/ may import one of these, but for the one place where they meet. */
const SIBLINGS = ['health', 'nacos'];
const MEETING_POINT = 'server/server.ts';

/** The sweep, the push delays, asking clients and HTTP/2 peers for a sign of life, and how long closing may take. */
const TIMERS = [
  'server/sweeper.ts',
  'nacos/push.ts',
  'nacos/connections.ts',
  'nacos/subscribers.ts',
  'server/listener.ts',
  MEETING_POINT,
];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1] as string);
}

function targetOf(file: string, specifier: string): string {
  return relative(SRC, join(SRC, file, '..', specifier))
    .split(sep)
    .join('/');
}

describe.each(files)('%s', (file) => {
  const [folder, rest] = file.split('/', 2);

  it('imports only in the direction of the table', () => {
    const stray: string[] = [];
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        const target = targetOf(file, specifier);
        const targetFolder = target.split('/', 1)[0] as string;
        const allowed =
          rest === undefined
            ? ROOT[file]?.includes(target)
            : targetFolder === folder ||
              READERS[file]?.includes(target) ||
              (DIRECTION[folder as string]?.folders.includes(targetFolder) &&
                (file === MEETING_POINT || folder !== 'server' || !SIBLINGS.includes(targetFolder)));
        if (!allowed) stray.push(specifier);
      } else {
        const packages = rest === undefined ? 'any' : DIRECTION[folder as string]?.packages;
        if (packages !== 'any' && !(packages === 'node' && specifier.startsWith('node:'))) stray.push(specifier);
      }
    }
    expect(stray).toEqual([]);
  });

  it('keeps no timer unless it is one of the few that may', () => {
    const text = readFileSync(join(SRC, file), 'utf8');
    // A socket's own idle time is not a timer of ours.
    const found = /\bset(?:Timeout|Interval)\s*\(|AbortSignal\.timeout\(/.test(text.replaceAll('.setTimeout(', ''));
    expect(found).toBe(TIMERS.includes(file));
  });

  it('reads no clock unless it is the one that hands it out', () => {
    const text = readFileSync(join(SRC, file), 'utf8');
    expect(/\bDate\.now\(|\bnew Date\(\)|\bperformance\./.test(text)).toBe(file === MEETING_POINT);
  });
});

it('the table names every folder there is', () => {
  const folders = readdirSync(SRC, { withFileTypes: true });
  expect(folders.filter((entry) => entry.isDirectory()).map(({ name }) => name)).toEqual(Object.keys(DIRECTION).sort());
  expect(folders.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(Object.keys(ROOT).sort());
});
