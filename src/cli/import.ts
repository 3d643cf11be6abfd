import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiOptions } from '../moving/api.ts';
import { BadFileError } from '../moving/errors.ts';
import { Importing, type ImportReport, type Tally } from '../moving/importing.ts';
import { reach } from '../moving/reach.ts';
import { checkFile, linesOfFile } from '../moving/reading.ts';
import { OptionsError } from '../options.ts';
import { shown } from '../wire/shown.ts';
import { onInterruption } from './interruption.ts';
import { type Login, loginOf, serverOf } from './moving-flags.ts';

/** What `beatbridge import` is told. */
export interface ImportFlags extends Login {
  readonly server?: string;
  readonly dryRun?: boolean;
  readonly overwrite?: boolean;
}

/**
 * Brings a file into a server; nothing of it if there is anything wrong with the file. Answers whether the server took every line.
 * Rejects with `OptionsError`, `BadFileError`, `MovingError`.
 */
export async function importAll(file: string, flags: ImportFlags): Promise<boolean> {
  const whither = { server: serverOf(flags), ...loginOf(flags, process.env) };
  if (file !== '-') return await importFile(file, whither, flags);
  // It is read twice: to check it, and to bring it in.
  const dir = mkdtempSync(join(tmpdir(), 'beatbridge-import-'));
  const clean = () => rmSync(dir, { recursive: true, force: true });
  using _ = onInterruption(clean);
  try {
    const copy = join(dir, 'stdin');
    const into = await open(copy, 'wx', 0o600);
    try {
      for await (const chunk of process.stdin) await into.writeFile(chunk);
    } finally {
      await into.close();
    }
    return await importFile(copy, whither, flags);
  } finally {
    clean();
  }
}

async function importFile(file: string, into: ApiOptions, flags: ImportFlags): Promise<boolean> {
  await checkFile(bytesOf(file)).catch((error: unknown) => {
    if (error instanceof BadFileError) throw error;
    throw new OptionsError([`the file cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  });
  await using reached = await reach(into);
  const how = { overwrite: flags.overwrite === true, dryRun: flags.dryRun === true };
  const importing = new Importing(reached.peer, how);
  try {
    await importing.run(linesOfFile(bytesOf(file)));
  } finally {
    tell(importing.report, `${reached.peer.name} at ${into.server}`, how.dryRun);
  }
  return importing.report.refused === 0;
}

function bytesOf(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file);
}

/** What became of how many goes to standard output; what somebody has to look at, to standard error. */
function tell({ tally, refusals, refused, notes }: ImportReport, whither: string, dryRun: boolean): void {
  process.stdout.write(`${dryRun ? 'would import' : 'imported'} into ${whither}\n`);
  for (const [kind, counts] of tally) process.stdout.write(`${(PLURALS[kind] ?? kind).padEnd(12)}${inWords(counts)}\n`);
  if (tally.some(([, { kept }]) => kept > 0))
    process.stdout.write('what is there and differs was left as it is: --overwrite replaces it\n');
  for (const note of notes) process.stderr.write(`beatbridge: ${shown(note)}\n`);
  for (const refusal of refusals) process.stderr.write(`beatbridge: refused: ${shown(refusal)}\n`);
  if (refused > refusals.length) process.stderr.write(`beatbridge: refused: ${refused - refusals.length} more\n`);
}

const PLURALS: Readonly<Record<string, string>> = {
  namespace: 'namespaces',
  service: 'services',
  instance: 'instances',
  edit: 'edits',
  text: 'texts',
  switch: 'switches',
};

function inWords({ added, replaced, unchanged, kept, refused }: Tally): string {
  const said = [
    [added, 'added'],
    [replaced, 'replaced'],
    [unchanged, 'as they were'],
    [kept, 'there and different'],
    [refused, 'refused'],
  ] as const;
  return said
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(', ');
}
