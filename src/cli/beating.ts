import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/** What became of a registration or a beat. */
export type Outcome =
  /** `nextMs`: when the server wants to hear the next one. */
  | { readonly kind: 'done'; readonly nextMs?: number }
  /** The server knows no such instance: it has been away, or it was taken away. */
  | { readonly kind: 'unknown' }
  /** It could be reached, and says no. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nobody can say. */
  | { readonly kind: 'unreachable'; readonly reason: string };

export type BeatingNews =
  | { readonly kind: 'registered'; readonly isAgain: boolean }
  /** Beats do not come through; told once, until they do again. */
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'heard-again' };

export interface BeatingOptions {
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly intervalMs: number;
  readonly register: (signal: AbortSignal) => Promise<Outcome>;
  readonly beat: (signal: AbortSignal) => Promise<Outcome>;
  readonly told: (news: BeatingNews) => void;
}

/**
 * Keeps one instance alive as a client of Nacos 1.x does: registers it, beats, by the interval that the server asks for, and registers it
 * again when the server does not know it. It goes on whatever happens to the server; only what is refused before anything was ever taken
 * is the end.
 */
export class Beating {
  readonly #options: BeatingOptions;
  readonly #ended = new AbortController();
  #wasRegistered = false;
  #isRegistered = false;
  #isFailing = false;
  #failures = 0;
  #cancel: Cancel = () => {};

  constructor(options: BeatingOptions) {
    this.#options = options;
  }

  /** The server has taken it at least once. */
  get wasRegistered(): boolean {
    return this.#wasRegistered;
  }

  /** Resolves once it is stopped, or with why it was refused. */
  async run(): Promise<string | undefined> {
    const { signal } = this.#ended;
    const { register, beat } = this.#options;
    while (!signal.aborted) {
      const outcome = await (this.#isRegistered ? beat(signal) : register(signal));
      if (signal.aborted) break;
      if (outcome.kind === 'refused' && !this.#wasRegistered) return outcome.reason;
      await this.#pause(this.#heard(outcome));
    }
    return undefined;
  }

  /** What is under way is given up. */
  stop(): void {
    this.#ended.abort();
    this.#cancel();
  }

  /** Answers how long to wait now. */
  #heard(outcome: Outcome): number {
    const { intervalMs, told } = this.#options;
    switch (outcome.kind) {
      case 'done': {
        if (!this.#isRegistered) told({ kind: 'registered', isAgain: this.#wasRegistered });
        else if (this.#isFailing) told({ kind: 'heard-again' });
        this.#isRegistered = true;
        this.#wasRegistered = true;
        this.#isFailing = false;
        this.#failures = 0;
        const { nextMs = intervalMs } = outcome;
        return nextMs > 0 ? Math.max(nextMs, LEAST_MS) : intervalMs;
      }
      case 'unknown':
        this.#isRegistered = false;
        return 0;
      case 'refused':
      case 'unreachable': {
        if (!this.#isFailing) told({ kind: 'failing', reason: outcome.reason });
        this.#isFailing = true;
        return Math.min(intervalMs, RETRY_MS * 2 ** Math.min(this.#failures++, 4), MOST_RETRY_MS);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.scheduler.after(ms, resolve);
      this.#cancel = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Whatever a server says. */
const LEAST_MS = 100;
/** The next attempt soon: three beats in all may be missed. */
const RETRY_MS = 500;
const MOST_RETRY_MS = 5_000;
