import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteReader } from './byte-reader.ts';
import { maskedCrc32c } from './crc32c.ts';
import { unsnapped } from './snappy.ts';

/**
 * Whether LevelDB's files are as it wrote them. It has a sum beside whatever it writes, but looks at none of them in a table, and skips
 * what is damaged in a log; and by opening a directory it already changes it. So they are looked at before, and only read. What was
 * being written when the process or the machine died is no damage: LevelDB does without it, and nobody was told that it is there.
 */
export async function checkSoundness(path: string): Promise<void> {
  const names = await readdir(path).catch((): string[] => []);
  // There is nothing yet.
  if (!names.includes('CURRENT')) {
    // The first manifest is written before CURRENT, so that it may be alone where the very first start was cut short.
    const [left] = names.filter((name) => /\.(ldb|sst)$|^MANIFEST-/.test(name) && name !== FIRST_MANIFEST);
    if (left !== undefined) throw new Unsound(`there is ${left}, but no CURRENT`);
    return;
  }
  const manifest = (await readFile(join(path, 'CURRENT'), 'latin1')).trimEnd();
  if (!/^MANIFEST-\d+$/.test(manifest)) throw new Unsound('CURRENT names no manifest');
  if (!names.includes(manifest)) throw new Unsound(`${manifest} is missing`);
  const { tables, firstLog } = await inFile(path, manifest, (bytes) => contentsOf([...recordsIn(bytes)]));
  for (const [number, size] of tables) {
    const [name] = names.filter((each) => /\.(ldb|sst)$/.test(each) && Number.parseInt(each, 10) === number);
    if (name === undefined) throw new Unsound(`table ${number} is missing`);
    await inFile(path, name, (bytes) => checkTable(bytes, size));
  }
  for (const name of names)
    if (name.endsWith('.log') && Number.parseInt(name, 10) >= firstLog)
      await inFile(path, name, (bytes) => void [...recordsIn(bytes)]);
}

const FIRST_MANIFEST = 'MANIFEST-000001';

/** A file is not as it was written. */
class Unsound extends Error {
  override readonly name = 'Unsound';
}

async function inFile<T>(path: string, name: string, look: (bytes: Buffer) => T): Promise<T> {
  const bytes = await readFile(join(path, name));
  try {
    return look(bytes);
  } catch (cause) {
    throw new Unsound(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

const BLOCK = 32_768;
const HEADER = 7;
/** Of memory, and of what the system writes at once. */
const PAGE = 4_096;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/**
 * The records of a log, each in one or more fragments. A log whose writer has died may end in one that is not whole; where the machine
 * has died as well, the system may have left out pages of what it had not been told to keep, and those are zeros.
 */
function* recordsIn(bytes: Buffer): Generator<Buffer> {
  let fragments: Buffer[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    if (!isFragment(bytes, at)) {
      if (isDamaged(bytes, at)) throw new RangeError(`damaged at byte ${at}`);
      // LevelDB goes on with the next block too.
      at += left;
      continue;
    }
    const end = at + HEADER + bytes.readUInt16LE(at + 4);
    const type = bytes.readUInt8(at + 6);
    if (type === FULL || type === FIRST) fragments = [];
    fragments.push(bytes.subarray(at + HEADER, end));
    if (type === FULL || type === LAST) yield Buffer.concat(fragments);
    at = end;
  }
}

function isFragment(bytes: Buffer, at: number): boolean {
  const type = bytes.readUInt8(at + 6);
  if (type < FULL || type > LAST || !isComplete(bytes, at)) return false;
  return maskedCrc32c(bytes, at + 6, at + HEADER + bytes.readUInt16LE(at + 4)) === bytes.readUInt32LE(at);
}

function isComplete(bytes: Buffer, at: number): boolean {
  const length = HEADER + bytes.readUInt16LE(at + 4);
  return length <= BLOCK - (at % BLOCK) && at + length <= bytes.length;
}

/** There is no sound fragment here. It is no damage if nothing follows and a part of it is missing, or where a page was left out. */
function isDamaged(bytes: Buffer, at: number): boolean {
  const end = Math.min(bytes.length, at + BLOCK - (at % BLOCK));
  for (let page = at - (at % PAGE); page < end; page += PAGE)
    if (bytes.subarray(Math.max(page, at), page + PAGE).every((byte) => byte === 0)) return false;
  if (isComplete(bytes, at)) return true;
  for (let later = at + 1; later + HEADER <= bytes.length; later++) if (isFragment(bytes, later)) return true;
  return false;
}

interface Contents {
  /** The size of each table, by its number. */
  readonly tables: ReadonlyMap<number, number>;
  /** Of the logs before this one all is in tables. */
  readonly firstLog: number;
}

/** Of a manifest, which is a log: what changed, step by step. */
function contentsOf(edits: readonly Buffer[]): Contents {
  const tables = new Map<number, number>();
  let firstLog = 0;
  for (const edit of edits)
    for (const reader = new ByteReader(edit); !reader.isAtEnd; ) {
      const tag = reader.varint();
      if (tag === 1) reader.text();
      else if (tag === 2) firstLog = reader.varint();
      else if (tag === 3 || tag === 4 || tag === 9) reader.varint();
      else if (tag === 5) {
        reader.varint();
        reader.text();
      } else if (tag === 6) {
        reader.varint();
        tables.delete(reader.varint());
      } else if (tag === 7) {
        reader.varint();
        tables.set(reader.varint(), reader.varint());
        reader.text();
        reader.text();
      } else throw new RangeError(`it has a part of kind ${tag}`);
    }
  return { tables, firstLog };
}

const FOOTER = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** How a block is compressed, or not at all, is said behind it, and its sum comes last. */
const SNAPPY = 1;

function checkTable(bytes: Buffer, size: number): void {
  if (bytes.length !== size) throw new RangeError(`it has ${bytes.length} bytes of ${size}`);
  const footer = bytes.subarray(-FOOTER);
  if (!footer.subarray(-MAGIC.length).equals(MAGIC)) throw new RangeError('its end is damaged');
  const handles = new ByteReader(footer);
  for (const handle of [handleIn(handles), handleIn(handles)])
    for (const inner of handlesIn(blockAt(bytes, handle))) checkBlock(bytes, inner);
}

interface Handle {
  readonly at: number;
  readonly length: number;
}

function handleIn(reader: ByteReader): Handle {
  return { at: reader.varint(), length: reader.varint() };
}

/** Of an index: where the blocks are. Entries share the beginnings of their keys; behind them is where they do not. */
function* handlesIn(block: Buffer): Generator<Handle> {
  const restarts = block.readUInt32LE(block.length - 4);
  const reader = new ByteReader(block.subarray(0, block.length - 4 * (restarts + 1)));
  while (!reader.isAtEnd) {
    reader.varint();
    const ownLength = reader.varint();
    const valueLength = reader.varint();
    reader.bytes(ownLength);
    yield handleIn(new ByteReader(reader.bytes(valueLength)));
  }
}

function checkBlock(bytes: Buffer, { at, length }: Handle): void {
  const end = at + length + 1;
  if (end + 4 > bytes.length || maskedCrc32c(bytes, at, end) !== bytes.readUInt32LE(end))
    throw new RangeError(`damaged at byte ${at}`);
}

function blockAt(bytes: Buffer, handle: Handle): Buffer {
  checkBlock(bytes, handle);
  const { at, length } = handle;
  const block = bytes.subarray(at, at + length);
  return bytes.readUInt8(at + length) === SNAPPY ? unsnapped(block) : block;
}
