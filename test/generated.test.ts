import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

it('the committed generated code is what proto/ generates', () => {
  const fresh = mkdtempSync(join(tmpdir(), 'beatbridge-generated-'));
  try {
    // `buf` finds protoc-gen-es beside itself when run through npm.
    execFileSync('npx', ['--no-install', 'buf', 'generate', '--output', fresh], { cwd: ROOT, stdio: 'pipe' });
    expect(contents(join(fresh, 'src/gen'))).toEqual(contents(join(ROOT, 'src/gen')));
  } finally {
    rmSync(fresh, { recursive: true });
  }
  // npx, buf and its plugin are three processes one after the other.
}, 60_000);
