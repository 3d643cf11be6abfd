/**
 * Whether there is somebody at the other end. A client that has been silent for `detectAfterMs` is asked for a sign of life, and has
 * gone if it is silent for `answerWithinMs` more.
 */
export class Liveness {
  readonly #now: () => number;
  readonly #limits: LivenessLimits;
  #heardAt: number;
  /** Has been asked, and may still answer. */
  #isAsked = false;

  /** `now` is in monotonic milliseconds. */
  constructor(now: () => number, limits: LivenessLimits) {
    this.#now = now;
    this.#limits = limits;
    this.#heardAt = now();
  }

  /** Anything that comes from the client is a sign of life. */
  heard(): void {
    this.#heardAt = this.#now();
  }

  /** For how long nothing has come from it. */
  get silentMs(): number {
    return this.#now() - this.#heardAt;
  }

  /** What is to be done about its silence now. */
  get due(): 'nothing' | 'ask' | 'end' {
    const { detectAfterMs, answerWithinMs } = this.#limits;
    const { silentMs } = this;
    if (silentMs >= detectAfterMs + answerWithinMs) return 'end';
    return silentMs >= detectAfterMs && !this.#isAsked ? 'ask' : 'nothing';
  }

  /** It is asked now. */
  asked(): void {
    this.#isAsked = true;
  }

  /** It has answered, or will not: it may be asked again. */
  askedNoMore(): void {
    this.#isAsked = false;
  }

  /** Nobody could be heard for so long; what has been sent meanwhile is still to be read. */
  postpone(ms: number): void {
    this.#heardAt = Math.min(this.#heardAt + ms, this.#now());
  }
}

/** How patient it is, in milliseconds. */
export interface LivenessLimits {
  readonly detectAfterMs: number;
  readonly answerWithinMs: number;
}
