import type { Socket } from 'node:net';
import type { buildConnector, Client } from 'undici';
import type { ReceiverAnswer } from './answers.ts';
import type { Message } from './messages.ts';

/** Sends to one receiver what it is to be told. Rejects when there is no answer. */
export interface Post {
  readonly send: (message: Message, signal: AbortSignal) => Promise<ReceiverAnswer>;
  /** Whatever is under way is given up. */
  readonly close: () => Promise<void>;
}

/** Of an answer's body no more is read: a receiver may answer for ever. */
const MOST_READ = 16 << 10;
/** Of all that belongs to one answer: a body in chunks of one byte, and what else may stand between them, is many times as long. */
const MOST_ON_WIRE = 256 << 10;
/** Answers before the answer, of status 102 and 103: thousands fit into what is read at once. */
const MOST_INTERIM = 10;
/** What is told within some moments goes over one connection; a receiver that has nothing to hear holds none. */
const IDLE_MS = 2_000;

/**
 * A connection of its own, so that no receiver waits for another, though many may share an address: it is opened when there is something to
 * send, and closed when there is nothing for a while or when anything goes wrong. Redirects are not followed. How long anything may take, the
 * caller says by the signal.
 */
export async function openPost(origin: string): Promise<Post> {
  // Loaded where there is a webhook at all: 20 MB that most never need.
  const undici = await import('undici');
  const reading = new Reading();
  const dial = undici.buildConnector({ timeout: 0 });
  const connect: buildConnector.connector = (options, callback) =>
    dial(options, (...dialled) => {
      // Where it failed, there is the error alone.
      if (dialled[0] === null) reading.of(dialled[1]);
      callback(...dialled);
    });
  const timeouts = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: IDLE_MS, keepAliveMaxTimeout: IDLE_MS };
  let client: Client | undefined;
  return {
    async send({ path, headers, body }, signal) {
      const mine = client ?? new undici.Client(origin, { pipelining: 1, connect, ...timeouts });
      client = mine;
      reading.begin();
      try {
        const onInfo = () => reading.interim();
        const answer = await mine.request({ path, method: 'POST', headers, body, signal, onInfo });
        const retryAfter = answer.headers['retry-after'];
        return {
          status: answer.statusCode,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : '',
          text: await beginningOf(answer.body),
        };
      } catch (error) {
        // It may be still connecting, which nothing else ends: the next message would wait for that.
        client = undefined;
        await mine.destroy();
        throw error;
      }
    },
    close: async () => client?.destroy(),
  };
}

/** How much of the present answer has been read. */
class Reading {
  #socket: Socket | undefined;
  #before = 0;
  #interim = 0;

  /** Before anybody else reads of it. */
  of(socket: Socket): void {
    this.#socket = socket;
    this.#before = 0;
    socket.on('readable', () => {
      if (socket === this.#socket && socket.bytesRead - this.#before > MOST_ON_WIRE)
        socket.destroy(new TooLong(`an answer of more than ${MOST_ON_WIRE} bytes`));
    });
  }

  begin(): void {
    this.#before = this.#socket?.bytesRead ?? 0;
    this.#interim = 0;
  }

  /** What is thrown ends the connection. */
  interim(): void {
    if (++this.#interim > MOST_INTERIM) throw new TooLong(`more than ${MOST_INTERIM} answers before the answer`);
  }
}

/** A receiver has said more than anybody has to listen to. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
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
