import type { Response } from './listener.ts';

/** Writing answers, the same over HTTP/1 and HTTP/2. */

export function answerText(res: Response, status: number, text: string): void {
  answer(res, status, 'text/plain;charset=UTF-8', text);
}

export function answerJson(res: Response, status: number, value: object): void {
  answer(res, status, 'application/json', `${JSON.stringify(value)}\n`);
}

function answer(res: Response, status: number, type: string, text: string): void {
  if (res.headersSent || res.destroyed) return;
  res.statusCode = status;
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

/** Resolves when the chunk has left for the peer, and rejects when it never will. */
export function written(res: Response, chunk: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('the connection was closed'));
    if (res.destroyed) {
      onClose();
      return;
    }
    res.once('close', onClose);
    // The two classes agree on this call, though not in a signature that can be called on their union.
    (res as { write(chunk: Uint8Array | string, written: (error?: Error | null) => void): boolean }).write(chunk, (error) => {
      res.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
