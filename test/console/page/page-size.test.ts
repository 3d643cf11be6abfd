import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const PAGE = join(import.meta.dirname, '../../../dist/console/page');
const MAX_BYTES = 60 * 1024;
const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(PAGE.length + 1));
const originals = files.filter((name) => !/\.(br|gz)$/.test(name));

test('the whole page has at most 60 KB in gzip', () => {
  const sent = originals.filter((name) => /\.(css|html|js)$/.test(name));
  const bytes = sent.map((name) => readFileSync(join(PAGE, `${name}.gz`)).length);
  expect(sent.length).toBeGreaterThan(0);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(MAX_BYTES);
});

test('each file lies there made small, too, and is the same', () => {
  for (const name of originals) {
    const file = readFileSync(join(PAGE, name));
    expect(gunzipSync(readFileSync(join(PAGE, `${name}.gz`))).equals(file), name).toBe(true);
    expect(brotliDecompressSync(readFileSync(join(PAGE, `${name}.br`))).equals(file), name).toBe(true);
  }
});

test('what may be kept for ever has a name by what is in it', () => {
  const assets = originals.filter((name) => name.startsWith('assets/'));
  expect(assets.length).toBeGreaterThan(0);
  for (const name of assets) expect(name).toMatch(/^assets\/[\w-]+-[\w-]{8}\.(css|js)$/);
});

test('nothing stands inline in the page, and nothing in it is of another host', () => {
  const html = readFileSync(join(PAGE, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
  for (const [, attributes = '', text = ''] of html.matchAll(/<script([^>]*)>(.*?)<\/script>/gs)) {
    expect(attributes).toContain('src="./assets/');
    expect(text.trim()).toBe('');
  }
  for (const [, address = ''] of html.matchAll(/(?:href|src)="([^"]*)"/g)) expect(address).toMatch(/^[./]/);
});
