import type { Message } from './messages.ts';

/** What is to go out, written when there is room for it: it says what is true then. Undefined when it has become needless. */
export type Draft = () => Message | undefined;

/**
 * What waits for a client to read it, and which of the server's requests wait for its answer. A client that takes nothing of what is
 * meant for it is cut off when too much has come together.
 */
export class Outbox {
  readonly #now: () => number;
  readonly #limits: OutboxLimits;
  readonly #reader: Reader;
  readonly #drafts: Draft[] = [];
  readonly #unanswered = new Map<string, { sentAt: number; readonly done: (answered: boolean) => void }>();
  #waitingSince = 0;
  #lastRequest = 0;
  #ended = false;

  /** `now` is in monotonic milliseconds. */
  constructor(now: () => number, limits: OutboxLimits, reader: Reader) {
    this.#now = now;
    this.#limits = limits;
    this.#reader = reader;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Goes out in its turn. */
  send(draft: Draft): void {
    if (this.#ended) return;
    if (this.#drafts.length === 0) this.#waitingSince = this.#now();
    this.#drafts.push(draft);
    if (this.#drafts.length > this.#limits.maxOutbox) this.#reader.cut();
    else this.#reader.wake();
  }

  /** Sends a request of the server's. `done` hears whether it was answered in time; not at all when the connection ends first. */
  ask(type: string, fields: object, done: (answered: boolean) => void): void {
    this.send(() => {
      const requestId = this.expect(done);
      // Rust's client wants the headers, empty as they are.
      return { type, body: JSON.stringify({ headers: {}, requestId, ...fields }) };
    });
  }

  /** The id for a request that goes out now. */
  expect(done: (answered: boolean) => void): string {
    const requestId = String(++this.#lastRequest);
    this.#unanswered.set(requestId, { sentAt: this.#now(), done });
    return requestId;
  }

  /** What is to be sent next, written now. */
  take(): Message | undefined {
    this.#waitingSince = this.#now();
    for (let draft = this.#drafts.shift(); draft !== undefined; draft = this.#drafts.shift()) {
      const message = draft();
      if (message !== undefined) return message;
    }
    return undefined;
  }

  /** For how long the next thing to be sent has waited. */
  get waitingMs(): number {
    return this.#drafts.length === 0 ? 0 : this.#now() - this.#waitingSince;
  }

  /** Answers are told by their id alone: Go's client gives some the wrong type. */
  answered(requestId: string, succeeded: boolean): void {
    const asked = this.#unanswered.get(requestId);
    this.#unanswered.delete(requestId);
    asked?.done(succeeded);
  }

  /** Waits no longer for answers that are late. */
  giveUpUnanswered(): void {
    for (const [requestId, { sentAt, done }] of this.#unanswered) {
      if (this.#now() - sentAt < this.#limits.answerWithinMs) continue;
      this.#unanswered.delete(requestId);
      done(false);
    }
  }

  /** Nobody could be heard for so long. */
  postpone(ms: number): void {
    for (const asked of this.#unanswered.values()) asked.sentAt += ms;
    this.#waitingSince += ms;
  }

  /** Nothing more goes out. */
  end(): void {
    this.#ended = true;
    this.#drafts.length = 0;
    this.#unanswered.clear();
    this.#reader.wake();
  }
}

/** Who takes what is to go out. */
export interface Reader {
  /** There is something to be taken, or never will be again. */
  readonly wake: () => void;
  /** It takes too little: ends the transport. */
  readonly cut: () => void;
}

export interface OutboxLimits {
  /** What may wait: more than a client that reads can ever have, a push for each subscription, a notice for each text. */
  readonly maxOutbox: number;
  /** How long an answer is waited for, in milliseconds. */
  readonly answerWithinMs: number;
}
