import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

it('a package is built when it is packed, from a clean checkout too, and says what it is', () => {
  expect(manifest.scripts.prepack).toContain('build');
  expect(manifest.files).toContain('dist');
  expect(manifest.keywords).toContain('nacos');
  expect(manifest.exports['./package.json']).toBe('./package.json');
});

it('what it exports is there as built, and source maps carry what they name', () => {
  const { types, default: main } = manifest.exports['.'];
  // Nobody imports the last: it is a thread of its own.
  for (const file of [types, main, manifest.bin.beatbridge, 'dist/server/hang-worker.js'])
    expect(existsSync(join(ROOT, file)), file).toBe(true);
  const dist = join(ROOT, 'dist');
  const maps = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js.map'));
  expect(maps.length).toBeGreaterThan(0);
  for (const name of maps) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(dist, name), 'utf8'));
    expect(
      sourcesContent.map((text: unknown) => typeof text),
      name,
    ).toEqual(sources.map(() => 'string'));
  }
});

it('what is built runs as it is, as npx runs it in a clone', () => {
  expect(statSync(join(ROOT, manifest.bin.beatbridge)).mode & 0o111).toBe(0o111);
});

it('npm start is the program itself, so that signals reach it', () => {
  expect(manifest.scripts.start).toMatch(/^exec node /);
});

it('embedders can name the identity that TLS wants', async () => {
  expect(readFileSync(join(ROOT, 'dist/index.d.ts'), 'utf8')).toContain('TlsIdentity');
});
