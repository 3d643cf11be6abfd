import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Store } from '../../src/store/store.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';

const dirs: string[] = [];
const stores: Store[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function emptyDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'beatbridge-store-'));
  dirs.push(dir);
  return dir;
}

async function open(dir: string, wallClock = () => 1_000): Promise<Store> {
  const store = await Store.open(dir, { scheduler: systemScheduler, wallClock, log: pino({ enabled: false }) });
  stores.push(store);
  return store;
}

async function contents(store: Store, prefix = 'a') {
  const found: Record<string, unknown> = {};
  for await (const { key, value } of store.entries(prefix)) found[key] = value;
  return found;
}

describe('a store', () => {
  it("is nobody's but its owner's, also where it was made for all to read", async () => {
    const dir = emptyDir();
    await (await open(dir)).close();
    stores.length = 0;
    const [folder] = readdirSync(dir);
    const modeOf = () => statSync(join(dir, folder ?? '')).mode & 0o777;
    expect(modeOf()).toBe(0o700);
    chmodSync(join(dir, folder ?? ''), 0o755);
    await open(dir);
    expect(modeOf()).toBe(0o700);
  });

  it('gives back what was settled, and the latest of it, after it is opened again', async () => {
    const dir = join(emptyDir(), 'made', 'on', 'the way');
    const store = await open(dir);
    let value: unknown = { n: 1 };
    store.touch('a x', () => value, true);
    value = { n: 2 };
    store.touch('a y', () => 'gone', true);
    await store.settled();
    store.touch('a y', () => undefined, true);
    store.touch('b z', () => [1], true);
    await store.settled();
    expect([store.owed, store.pending, store.trouble]).toEqual([4, 0, undefined]);
    await store.close();
    const again = await open(dir);
    expect(await contents(again, 'a ')).toEqual({ 'a x': { n: 2 } });
    expect(await contents(again, 'b ')).toEqual({ 'b z': [1] });
  });

  it('writes on closing what nobody waited for', async () => {
    const dir = emptyDir();
    const store = await open(dir);
    for (let i = 0; i < 1_000; i++) store.touch(`a ${i}`, () => i, false);
    await store.close();
    expect(Object.keys(await contents(await open(dir), 'a '))).toHaveLength(1_000);
  });

  it('says when a value was written', async () => {
    const dir = emptyDir();
    const store = await open(dir, () => 5_000);
    store.touch('a', () => 1, true);
    await store.close();
    const again = await open(dir, () => 9_000);
    const times = [];
    for await (const { at } of again.entries('a')) times.push(at);
    expect(times).toEqual([5_000]);
  });

  it('gives back what is under keys of any letters', async () => {
    const dir = emptyDir();
    const keys = ['a \u{1f600}', 'a \uffff', 'a é', 'a '];
    const store = await open(dir);
    for (const key of [...keys, 'b']) store.touch(key, () => 1, true);
    await store.close();
    expect(Object.keys(await contents(await open(dir), 'a ')).sort()).toEqual(keys.sort());
  });

  it('writes what is touched in whatever moment after something was settled', async () => {
    const store = await open(emptyDir());
    for (let ticks = 0; ticks < 30; ticks++) {
      store.touch('a', () => ticks, true);
      await store.settled();
      // Each of them is another moment in the end of the writer's turn.
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      store.touch('b', () => ticks, true);
      await store.settled();
    }
    await store.close();
  });

  it('writes an act whole that comes while a larger one is written', async () => {
    const dir = emptyDir();
    const store = await open(dir);
    let version = 1;
    const touchAll = () => {
      for (let i = 0; i < 1_000; i++) store.touch(`a ${i}`, () => version, true);
    };
    touchAll();
    const first = store.settled();
    // While it is made, for it is made by pieces.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    version = 2;
    touchAll();
    const copy = emptyDir();
    await first;
    cpSync(dir, copy, { recursive: true });
    expect(new Set(Object.values(await contents(await open(copy), 'a '))).size).toBe(1);
  });

  it('refuses to wait for anything once it is closed', async () => {
    const store = await open(emptyDir());
    await store.close();
    store.touch('a', () => 1, true);
    await expect(store.settled()).rejects.toThrow('the store is closed');
  });
});

describe('what waits to be written', () => {
  it('is written beside what cannot be read, which is no fault of the disk', async () => {
    const dir = emptyDir();
    const store = await open(dir);
    store.touch('a bad', () => JSON.parse('{'), true);
    store.touch('a good', () => 1, true);
    await store.settled();
    expect(store.trouble).toBeUndefined();
    await store.close();
    expect(await contents(await open(dir), 'a ')).toEqual({ 'a good': 1 });
  });

  it('is not kept from the disk by others that must survive, one after the other', async () => {
    const store = await open(emptyDir());
    let isWritten = false;
    const read = () => {
      isWritten = true;
      return 1;
    };
    store.touch('b later', read, false);
    const until = performance.now() + 10_000;
    for (let i = 0; !isWritten && performance.now() < until; i++) {
      store.touch('a urgent', () => i, true);
      // Before it is settled there is the next already.
      const settled = store.settled();
      store.touch('a more', () => i, true);
      await settled;
    }
    expect(isWritten).toBe(true);
  });

  it('is owed until it is on disk', async () => {
    const store = await open(emptyDir());
    store.touch('a later', () => 1, false);
    expect(store.isOwed('a later')).toBe(false);
    store.touch('a x', () => 1, true);
    expect(store.isOwed('a x')).toBe(true);
    await store.settled();
    expect(store.isOwed('a x')).toBe(false);
  });
});

describe('a directory is refused, and left as it is,', () => {
  it('when another process has it', async () => {
    const dir = emptyDir();
    await open(dir);
    await expect(open(dir)).rejects.toThrow(`${dir} is in use by another process`);
  });

  it('when it is a file, or below one', async () => {
    const file = join(emptyDir(), 'file');
    writeFileSync(file, 'mine');
    await expect(open(file)).rejects.toThrow(`${file} cannot be written: there is a file of that name`);
    await expect(open(join(file, 'below'))).rejects.toThrow('cannot be written: a part of the path is a file');
    // Where there is no such file system it is a directory as any other, and nobody but root may make it.
    if (process.platform !== 'linux') return;
    // Node's own mkdir of all that is missing never ends there.
    await expect(open('/proc/nope/below')).rejects.toThrow('/proc/nope cannot be written: nothing can be made there');
  });

  it('when the database in it is of something else', async () => {
    const dir = emptyDir();
    const other = new ClassicLevel(join(dir, 'records'));
    await other.put('mine', 'yours');
    await other.close();
    await expect(open(dir)).rejects.toThrow(`${dir} holds a database of something else (its first key is "mine")`);
  });

  it('when a newer version has written it', async () => {
    const dir = emptyDir();
    await (await open(dir)).close();
    const db = new ClassicLevel(join(dir, 'records'));
    await db.put('schema', '2');
    await db.close();
    await expect(open(dir)).rejects.toThrow(`${dir} was written by a newer version (its schema is 2, this one reads up to 1)`);
  });

  it('when it is damaged', async () => {
    const dir = emptyDir();
    mkdirSync(join(dir, 'records'));
    writeFileSync(join(dir, 'records', 'CURRENT'), 'garbage');
    await expect(open(dir)).rejects.toThrow(`${dir} is damaged, and is left as it is: CURRENT names no manifest`);
    expect(readdirSync(join(dir, 'records'))).toContain('CURRENT');
  });

  it('when a file of it is cut short', async () => {
    const dir = emptyDir();
    const store = await open(dir);
    for (let i = 0; i < 30_000; i++) store.touch(`a ${i}`, () => Array.from({ length: 20 }, () => Math.random()), false);
    await store.close();
    const copy = emptyDir();
    cpSync(dir, copy, { recursive: true });
    const table = readdirSync(join(copy, 'records')).find((name) => name.endsWith('.ldb')) ?? '';
    truncateSync(join(copy, 'records', table), 1_000);
    await expect(open(copy).then((broken) => contents(broken))).rejects.toThrow('is damaged, and is left as it is');
  });
});
