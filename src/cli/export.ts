import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { MovingError } from '../moving/errors.ts';
import { linesOf, type Wanted, written } from '../moving/exporting.ts';
import { InUseError, linesOfDirectory } from '../moving/from-directory.ts';
import type { Line } from '../moving/lines.ts';
import { reach } from '../moving/reach.ts';
import { meantBy, OPTIONS, OptionsError, settled } from '../options.ts';
import { StoreError } from '../server/server.ts';
import { onInterruption } from './interruption.ts';
import { type Login, loginOf, serverOf } from './moving-flags.ts';
import { onUnwritable } from './streams.ts';

/** What `beatbridge export` is told. */
export interface ExportFlags extends Login {
  readonly server?: string;
  readonly dataDir?: string;
  readonly namespace?: string;
  readonly ephemeral?: boolean;
  readonly keepEdits?: string;
  readonly output?: string;
}

/** Writes what there is as lines, to a file or to standard output. Rejects with `OptionsError`, `StoreError`, `MovingError`, `RefusedError`. */
export async function exportAll(flags: ExportFlags): Promise<void> {
  const login = loginOf(flags, process.env);
  const { dataDir, output = '-' } = flags;
  const wanted: Wanted = { namespace: flags.namespace, ephemeral: flags.ephemeral === true };
  if (dataDir !== undefined) {
    const others = [flags.server, flags.username, flags.token].filter((other) => other !== undefined);
    if (others.length > 0) throw new OptionsError(['--data-dir is read without a server: leave out --server and the login']);
    const keepEditsMs = keptForMs(flags.keepEdits);
    await write(output, linesOfDirectory(dataDir, wanted, { wallClock: Date.now, keepEditsMs }), 'beatbridge').catch((error) => {
      throw error instanceof InUseError
        ? new StoreError(`${error.message}: ask that one, with --server http://HOST:PORT`, { cause: error })
        : error;
    });
    return;
  }
  if (flags.keepEdits !== undefined) throw new OptionsError([`${KEEP_EDITS.flag} is for --data-dir: a server knows its own`]);
  await using reached = await reach({ ...login, server: serverOf(flags) });
  await write(output, linesOf(reached.peer, wanted), reached.peer.name);
}

const KEEP_EDITS = OPTIONS.keepEditsMs;

/** As `serve` is told it. Throws `OptionsError`. */
function keptForMs(text = String(KEEP_EDITS.default)): number {
  const said = { value: meantBy(KEEP_EDITS.bounds, text), place: KEEP_EDITS.flag, text };
  const { options, faults } = settled(new Map([['keepEditsMs', said]]));
  if (faults.length > 0) throw new OptionsError(faults);
  return options.keepEditsMs;
}

/** A file is there when it is whole, and else as it was before. It may have passwords in it: it is for its owner alone. */
async function write(output: string, lines: AsyncIterable<Line>, from: string): Promise<void> {
  const texts = written(lines, from, Date.now());
  if (output === '-') {
    // The write that fails says so too.
    onUnwritable(() => {});
    for await (const text of texts) await toStdout(text);
    return;
  }
  const part = `${output}.part`;
  using _ = onInterruption(() => rmSync(part, { force: true }));
  const file = await opened(part).catch((error: unknown) => {
    throw new OptionsError([`--output: ${error instanceof Error ? error.message : String(error)}`]);
  });
  try {
    for await (const text of texts) await onDisk(file.writeFile(text), output);
    await onDisk(file.sync(), output);
    await file.close();
    await onDisk(rename(part, output), output);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}

/** One of our own: a file or a link of that name that is there already would keep its mode, or lead elsewhere. */
async function opened(part: string): Promise<FileHandle> {
  await rm(part, { force: true });
  return await open(part, 'wx', 0o600);
}

/** Resolves when whoever reads it is ready for more. */
function toStdout(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(unwritable('standard output', error)) : resolve()));
  });
}

function onDisk(written: Promise<void>, output: string): Promise<void> {
  return written.catch((error: unknown) => {
    throw unwritable(output, error);
  });
}

function unwritable(what: string, error: unknown): MovingError {
  return new MovingError(`${what} cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
