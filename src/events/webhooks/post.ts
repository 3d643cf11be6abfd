import type { ReceiverAnswer } from './answers.ts';
import type { Message } from './messages.ts';

/** Sends what is to be told. Rejects when there is no answer. */
export interface Post {
  readonly send: (origin: string, message: Message, signal: AbortSignal) => Promise<ReceiverAnswer>;
  /** Whatever is under way is given up. */
  readonly close: () => Promise<void>;
}

/** Of an answer no more is read: a receiver may answer for ever. */
const MOST_READ = 16 << 10;

/** Connections of its own, one to each receiver. Redirects are not followed. How long anything may take, the caller says by the signal. */
export async function openPost(): Promise<Post> {
  // Loaded where there is a webhook at all: 20 MB that most never need.
  const { Agent } = await import('undici');
  const agent = new Agent({ connections: 1, pipelining: 1, connect: { timeout: 0 }, headersTimeout: 0, bodyTimeout: 0 });
  return {
    async send(origin, { path, headers, body }, signal) {
      const answer = await agent.request({ origin, path, method: 'POST', headers, body, signal });
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : '',
        text: await beginningOf(answer.body),
      };
    },
    close: () => agent.destroy(),
  };
}

/** A connection whose answer is longer is not used again. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MOST_READ) break;
    }
  } catch {
    // It has said by its status what it has to say, and never comes to the end of the rest.
  }
  return Buffer.concat(chunks).subarray(0, MOST_READ).toString();
}
