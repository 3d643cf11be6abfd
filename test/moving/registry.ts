import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf, type Wanted, written } from '../../src/moving/exporting.ts';
import { linesOfDirectory } from '../../src/moving/from-directory.ts';
import { type ImportHow, Importing } from '../../src/moving/importing.ts';
import type { Line } from '../../src/moving/lines.ts';
import { reach } from '../../src/moving/reach.ts';
import { checkFile, linesOfFile } from '../../src/moving/reading.ts';

/** Moving registries about in tests: from and to servers on loopback. */

const EVERYTHING: Wanted = { namespace: undefined, ephemeral: false };

/** What the server at the address tells, line by line, without head and end. */
export async function exported(address: string, wanted: Partial<Wanted> = {}): Promise<Line[]> {
  await using reached = await reach({ server: `http://${address}` });
  return await collected(linesOf(reached.peer, { ...EVERYTHING, ...wanted }));
}

export function exportedFrom(dir: string, wanted: Partial<Wanted> = {}, keepEditsMs = 3_600_000): Promise<Line[]> {
  return collected(linesOfDirectory(dir, { ...EVERYTHING, ...wanted }, { wallClock: () => 1_000, keepEditsMs }));
}

/** As a file says it. */
export async function asFile(lines: readonly Line[]): Promise<string> {
  let text = '';
  for await (const piece of written(each(lines), 'a test', 0)) text += piece;
  return text;
}

/** Brings the lines in as `import` does, by way of a file, and answers what became of them. */
export async function imported(address: string, lines: readonly Line[], how: Partial<ImportHow> = {}) {
  const text = await asFile(lines);
  await checkFile(bytes(text));
  await using reached = await reach({ server: `http://${address}` });
  const importing = new Importing(reached.peer, { overwrite: false, dryRun: false, ...how });
  await importing.run(linesOfFile(bytes(text)));
  const { tally, refusals, notes } = importing.report;
  const counts = tally.map(([kind, outcomes]) => [kind, Object.entries(outcomes).filter(([, count]) => count > 0)] as const);
  return { counts: Object.fromEntries(counts.map(([kind, some]) => [kind, Object.fromEntries(some)])), refusals, notes };
}

/** In pieces that end anywhere. */
export async function* bytes(text: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

/** A directory that goes with its test. For `using`. */
export function emptyDir() {
  const path = mkdtempSync(join(tmpdir(), 'beatbridge-moving-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
