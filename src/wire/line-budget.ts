import type { Cancel, Scheduler } from './scheduler.ts';

/**
 * So many lines a second for everybody's eyes, whatever happens, and the rest counted: who writes lines of which others decide how many
 * there are asks first.
 */
export class LineBudget {
  readonly #scheduler: Pick<Scheduler, 'after'>;
  readonly #tellRest: (count: number) => void;
  #cancel: Cancel | undefined;
  /** Within the second that began with the first of them. */
  #lines = 0;
  #unwritten = 0;

  /** `tellRest` hears, once the second is over, how many were not written. */
  constructor(scheduler: Pick<Scheduler, 'after'>, tellRest: (count: number) => void) {
    this.#scheduler = scheduler;
    this.#tellRest = tellRest;
  }

  /** Whether there is room for one more. */
  take(): boolean {
    this.#cancel ??= this.#scheduler.after(1_000, () => {
      this.#cancel = undefined;
      this.#summarize();
    });
    if (++this.#lines <= LINES_A_SECOND) return true;
    this.#unwritten++;
    return false;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#summarize();
  }

  #summarize(): void {
    if (this.#unwritten > 0) this.#tellRest(this.#unwritten);
    this.#lines = 0;
    this.#unwritten = 0;
  }
}

/** And one more that says how many there would have been. */
const LINES_A_SECOND = 20;

/** Of a log, which has the rest in its place. */
export function linesOf(scheduler: Pick<Scheduler, 'after'>, log: { info(facts: object, text: string): void }): LineBudget {
  return new LineBudget(scheduler, (count) => log.info({ count }, 'more happened within this second: see /events'));
}
