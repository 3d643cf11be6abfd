import type { Permit } from '../../rights/admission.ts';

/**
 * A login that is over, by which somebody is told of something. Clients renew theirs and say so with their next call; who only listens makes
 * none, as health checks carry no login, and would never be told of anything again. Such a client is called back: asked to connect anew,
 * and cut off when it does not, so that it subscribes by the login that it has now. It was silent for as long as a login lasts.
 */
export class Lapse {
  readonly #now: () => number;
  #since: number | undefined;
  #calledAt: number | undefined;

  /** `now` is in monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is to be done about what is over, if anything is. */
  due(over: Pick<Permit, 'isByCertificate'> | undefined): 'call' | 'cut' | undefined {
    if (over === undefined) {
      this.#since = undefined;
      return undefined;
    }
    this.#since ??= this.#now();
    if (this.#calledAt === undefined || this.#calledAt < this.#since)
      return !over.isByCertificate && this.#now() - this.#since < PATIENCE_MS ? undefined : 'call';
    return this.#now() - this.#calledAt < LEAVE_WITHIN_MS ? undefined : 'cut';
  }

  called(): void {
    this.#calledAt = this.#now();
  }

  /** The client has been asked to connect anew, and what it has registered is on its way. */
  get isReturning(): boolean {
    return this.#calledAt !== undefined && this.#now() - this.#calledAt < LEAVE_WITHIN_MS + PATIENCE_MS;
  }
}

/** There may be a call at any time that shows another, and it is a bother to connect anew. */
const PATIENCE_MS = 30_000;
/** Java's clients (2.5.1, 3.2.1) go when they are asked; Go's and Python's (3.2.0) stay where they are, and come back once they are cut off. */
const LEAVE_WITHIN_MS = 10_000;
/** Until a client that has lost its connection has registered all anew: Python's looks every 30 s. */
export const RETURNS_WITHIN_MS = 45_000;
/** In a second: all of a deployment have logged in at the same time. */
export const CALLED_AT_ONCE = 100;
