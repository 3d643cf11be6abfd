import { readFileSync } from 'node:fs';

/** Of this package: it is at the same depth in src and in dist. */
function readVersion(): string {
  // What npm has made of it has a version.
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}

export const VERSION = readVersion();
