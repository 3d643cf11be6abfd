import { peerOf, type Request } from './exchange.ts';
import type { HeldBodies, HeldBody } from './held-bodies.ts';

/**
 * All of a body, once it has come. Rejects with what the caller says when it is too long, or when too much is held of others beside it, and
 * when it never comes to an end. The request is left as it is then: the refusal goes out over it.
 */
export function wholeBody(req: Request, { maxBytes, bodies, tooLarge, tooMuch }: Bounds): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Nearly all are short, and whole at once.
    let held: HeldBody | undefined;
    const mayHold = () => {
      if (bytes <= UNCOUNTED_BYTES) return true;
      held ??= bodies.of(peerOf(req), () => refuse(tooMuch()));
      return held.hold(bytes);
    };
    const refuse = (error: Error) => {
      req.off('data', onData);
      req.pause();
      chunks.length = 0;
      held?.hold(0);
      reject(error);
    };
    // Nobody has set an encoding on the request, so that it gives bytes.
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBytes) refuse(tooLarge());
      else if (!mayHold()) refuse(tooMuch());
    };
    const onEnd = () => {
      letGo();
      resolve(chunks.length === 1 ? (chunks[0] ?? NOTHING) : Buffer.concat(chunks, bytes));
    };
    const onClose = () => {
      letGo();
      reject(new Error('the request ended before its body'));
    };
    // A request may wait for minutes to be answered, and is not to keep by its listeners what it brought.
    const letGo = () => {
      held?.hold(0);
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', reject).on('error', ignored);
    };
    req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', reject);
  });
}

interface Bounds {
  readonly maxBytes: number;
  readonly bodies: HeldBodies;
  readonly tooLarge: () => Error;
  readonly tooMuch: () => Error;
}

/** So much of each is not counted. */
export const UNCOUNTED_BYTES = 4_096;

const NOTHING = Buffer.alloc(0);

/** Whoever reads no more is not interested; an error that nobody hears ends the process. */
function ignored(): void {}
