import { promisify } from 'node:util';
import { deflate as deflateWithCallback, inflate as inflateWithCallback } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Compression } from '@connectrpc/connect/protocol';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';

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

const KNOWN: readonly Compression[] = [compressionGzip, compressionBrotli, compressionDeflate];

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
