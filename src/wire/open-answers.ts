import type { Response } from './exchange.ts';

/** The answers that are being given, for whoever waits until there are none. */
export class OpenAnswers {
  readonly #open = new Set<Response>();
  #others = 0;
  readonly #waiting: (() => void)[] = [];

  /** Counts the answer until its transport has taken it to the end, or is gone. It must have its turn already. */
  add(res: Response): void {
    if (res.closed || res.destroyed) return;
    this.#open.add(res);
    res.once('close', () => {
      this.#open.delete(res);
      this.#settle();
    });
  }

  /** Counts one of which there is no such object, until `end` is called for it. */
  begin(): void {
    this.#others++;
  }

  end(): void {
    this.#others--;
    this.#settle();
  }

  get count(): number {
    return this.#open.size + this.#others;
  }

  /** Resolves as soon as none is open. */
  ended(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  #settle(): void {
    if (this.count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
