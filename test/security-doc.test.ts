import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NAMES, OPTIONS } from '../src/options.ts';

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');
const text = read('docs/security.md');

it('docs/security.md names no option that there is not', () => {
  const flags = NAMES.map((name) => OPTIONS[name].flag);
  const named = [...text.matchAll(/`(--[a-z-]+)/g)].map(([, flag = '']) => flag);
  expect(named.length).toBeGreaterThan(15);
  // As "the options that begin with --tls".
  expect(named.filter((name) => !flags.some((flag) => flag === name || (name === '--tls' && flag.startsWith('--tls-'))))).toEqual(
    [],
  );
});
