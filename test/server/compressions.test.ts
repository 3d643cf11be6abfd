import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COMPRESSIONS } from '../../src/server/compressions.ts';

const SMALLER = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync } as const;
const MOST = 10 << 20;

describe.each(Object.entries(SMALLER))('a message in %s', (name, compress) => {
  const compression = COMPRESSIONS.find((known) => known.name === name);
  const inflated = (bytes: Uint8Array, most = MOST) => compression?.decompress(bytes, most);

  it('is inflated to 64 times its bytes, or to 256 KiB, and no further', async () => {
    expect((await inflated(compress(Buffer.alloc(256 << 10))))?.length).toBe(256 << 10);
    const dense = Buffer.concat([randomBytes(100_000), Buffer.alloc(5_000_000)]);
    expect((await inflated(compress(dense)))?.length).toBe(dense.length);
    for (const bytes of [270_000, 10_000_000]) {
      // Of nothing but zeros.
      const bomb = compress(Buffer.alloc(bytes));
      await expect(inflated(bomb)).rejects.toMatchObject({ rawMessage: expect.stringMatching(/bytes|after decompression/) });
    }
  });

  it('is never larger than the caller takes', async () => {
    const bytes = compress(randomBytes(2_000));
    await expect(inflated(bytes, 1_999)).rejects.toThrow('resource_exhausted');
    expect((await inflated(bytes, 2_000))?.length).toBe(2_000);
  });

  it('waits for its turn where many are large, and comes to its own end', async () => {
    const dense = Array.from({ length: 20 }, (_, i) => Buffer.concat([randomBytes(6_000), Buffer.alloc(300_000 + i)]));
    // Bytes at random are a message of Brotli now and then, if an empty one.
    const wrong = compress(randomBytes(6_000)).subarray(0, 3_000);
    const lengths = await Promise.all(
      dense.flatMap((bytes) => [inflated(compress(bytes)), inflated(wrong)?.catch(() => undefined)]),
    );
    expect(lengths.filter((bytes) => bytes !== undefined).map((bytes) => bytes.length)).toEqual(
      dense.map(({ length }) => length),
    );
  });
});
