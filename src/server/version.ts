import { readFileSync } from 'node:fs';

/** Of the package that this is part of. */
export function readVersion(): string {
  // Ours.
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}
