import { promisify } from 'node:util';
import { deflate as deflateWithCallback, inflate as inflateWithCallback } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Compression } from '@connectrpc/connect/protocol';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';
import { systemScheduler } from '../wire/scheduler.ts';

/**
 * How messages may be compressed, over gRPC and Connect alike. What a peer calls otherwise goes by `UNKNOWN_COMPRESSION`, so that only a
 * message that really is compressed is refused: gRPC of C++ and Python name a compression and leave short messages as they are.
 */

const inflate = promisify(inflateWithCallback);
const deflate = promisify(deflateWithCallback);

/** As HTTP and gRPC mean it: with the header of zlib. */
const compressionDeflate: Compression = {
  name: 'deflate',
  compress: async (bytes) => Uint8Array.from(await deflate(bytes)),
  async decompress(bytes, readMaxBytes) {
    if (bytes.length === 0) return new Uint8Array(0);
    try {
      return Uint8Array.from(await inflate(bytes, { maxOutputLength: readMaxBytes }));
    } catch (error) {
      const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
      if (tooLarge) throw new ConnectError(`a message must not exceed ${readMaxBytes} bytes`, Code.ResourceExhausted);
      throw new ConnectError('the message is no deflate', Code.InvalidArgument);
    }
  },
};

/**
 * Inflated, a message has so many times its bytes at most, or so many anyway: a thousand times as many, as of nothing but blanks,
 * would have whoever sends 10 KB keep a processor busy for 35 ms and 30 MB filled.
 */
const MOST_TIMES = 64;
const FREE_BYTES = 256 << 10;
/** As many as Node has threads for. What is larger is inflated when it is its turn, and gone before the next is there. */
const AT_ONCE = 4;

/** Does a few things at a time, in the order in which they came. */
class Queue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running === AT_ONCE) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      // It takes over the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else systemScheduler.soon(next);
    }
  }
}

const LARGE = new Queue();

function bounded(compression: Compression): Compression {
  return {
    ...compression,
    decompress(bytes, readMaxBytes) {
      const most = Math.min(readMaxBytes, Math.max(FREE_BYTES, MOST_TIMES * bytes.length));
      const inflated = () => compression.decompress(bytes, most);
      return most <= FREE_BYTES ? inflated() : LARGE.run(inflated);
    },
  };
}

const KNOWN: readonly Compression[] = [compressionGzip, compressionBrotli, compressionDeflate].map(bounded);

/** What stands for every compression that is not known here. */
export const UNKNOWN_COMPRESSION = 'unknown';

const compressionUnknown: Compression = {
  name: UNKNOWN_COMPRESSION,
  compress: async (bytes) => Uint8Array.from(bytes),
  decompress: () => {
    const names = KNOWN.map(({ name }) => name).join(', ');
    return Promise.reject(new ConnectError(`the compression must be one of ${names}, or none`, Code.InvalidArgument));
  },
};

/** All that Connect is told of. */
export const COMPRESSIONS: Compression[] = [...KNOWN, compressionUnknown];

/** Whether a message may be compressed like that. */
export function isKnownCompression(name: string): boolean {
  return name === '' || name === 'identity' || KNOWN.some((known) => known.name === name);
}
