import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSoundness } from '../../src/store/soundness.ts';
import { Store } from '../../src/store/store.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { randomRuns } from '../support/random.ts';

const RUNS = randomRuns(40);
const root = mkdtempSync(join(tmpdir(), 'beatbridge-soundness-'));
const sound = join(root, 'sound');
let made = 0;

const open = (dir: string) => Store.open(dir, { scheduler: systemScheduler, wallClock: () => 0, log: pino({ enabled: false }) });

/** Tables of several levels, and a log of several blocks, as a process leaves them that is killed. */
beforeAll(async () => {
  const live = join(root, 'live');
  let store = await open(live);
  for (let i = 0; i < 6_000; i++) store.touch(`a ${i}`, () => Array.from({ length: 20 }, () => Math.random()), false);
  await store.close();
  store = await open(live);
  for (let i = 0; i < 300; i++) {
    store.touch(`b ${i}`, () => Array.from({ length: 20 }, () => Math.random()), true);
    await store.settled();
  }
  cpSync(live, sound, { recursive: true });
  await store.close();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function copy(): string {
  const dir = join(root, String(++made));
  cpSync(sound, dir, { recursive: true });
  return dir;
}

/** All files but those that an opening leaves behind. */
function filesOf(dir: string): readonly string[] {
  return readdirSync(join(dir, 'records')).filter((name) => !/^LO(CK|G|G\.old)$/.test(name));
}

function fingerprint(dir: string): string {
  const hash = createHash('sha256');
  for (const name of filesOf(dir)) hash.update(name).update(readFileSync(join(dir, 'records', name)));
  return hash.digest('hex');
}

async function expectRefused(dir: string): Promise<void> {
  const before = fingerprint(dir);
  await expect(open(dir)).rejects.toThrow(/ is damaged, and is left as it is: [^\n]{1,200}$/);
  expect(fingerprint(dir)).toBe(before);
}

/** By kind: a table, a log, the manifest, the name of the manifest. */
const KINDS = [/\.ldb$/, /\.log$/, /^MANIFEST-/, /^CURRENT$/] as const;

describe('what a killed process leaves behind', () => {
  it('is sound, and all of it is there', async () => {
    const store = await open(copy());
    let count = 0;
    for await (const _ of store.entries('b ')) count++;
    expect(count).toBe(300);
    await store.close();
  });

  it('is sound too when its log ends in the middle of a write, or in pages that were left out', async () => {
    const dir = copy();
    const log = join(dir, 'records', filesOf(dir).find((name) => name.endsWith('.log')) ?? '');
    const bytes = readFileSync(log);
    truncateSync(log, bytes.length - 100);
    await checkSoundness(join(dir, 'records'));
    writeFileSync(log, Buffer.concat([bytes.subarray(0, bytes.length - 10_000), Buffer.alloc(10_000)]));
    await checkSoundness(join(dir, 'records'));
    const store = await open(dir);
    await store.close();
  });

  it(
    `is refused when any byte of any file is another, and nothing is changed then ${RUNS.title}`,
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...KINDS),
          fc.nat(),
          fc.double({ min: 0, max: 0.9, noNaN: true }),
          fc.integer({ min: 1, max: 255 }),
          async (kind, which, where, flip) => {
            const dir = copy();
            const files = filesOf(dir).filter((name) => kind.test(name));
            const path = join(dir, 'records', files[which % files.length] ?? '');
            const bytes = readFileSync(path);
            const at = Math.floor(where * bytes.length);
            bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
            writeFileSync(path, bytes);
            await expectRefused(dir);
            rmSync(dir, { recursive: true });
          },
        ),
        RUNS.parameters,
      );
    },
    RUNS.timeoutMs,
  );

  it('is refused when a file of it is cut short or missing, and nothing is changed then', async () => {
    for (const kind of [/\.ldb$/, /^MANIFEST-/, /^CURRENT$/]) {
      const short = copy();
      const name = filesOf(short).find((each) => kind.test(each)) ?? '';
      truncateSync(join(short, 'records', name), 5);
      await expectRefused(short);
      const missing = copy();
      rmSync(join(missing, 'records', name));
      await expectRefused(missing);
    }
  });
});

it('says of a directory that another process is writing that it is in use, whatever it looks like just now', async () => {
  const dir = copy();
  const store = await open(dir);
  writeFileSync(join(dir, 'records', 'CURRENT'), 'half');
  await expect(open(dir)).rejects.toThrow(`${dir} is in use by another process`);
  await store.close();
});

it('a start that was cut short before anything was there is no damage', async () => {
  const dir = join(root, 'first');
  mkdirSync(join(dir, 'records'), { recursive: true });
  writeFileSync(join(dir, 'records', 'MANIFEST-000001'), 'half of it');
  const store = await open(dir);
  await store.close();
});
