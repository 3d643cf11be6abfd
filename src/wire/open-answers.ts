import type { Response } from './exchange.ts';

/** The answers that are being given, for whoever waits until there are none. */
export class OpenAnswers {
  #count = 0;
  readonly #waiting: (() => void)[] = [];

  /** Counts the answer until its transport has taken it to the end, or is gone. It must have its turn already. */
  add(res: Response): void {
    if (res.closed || res.destroyed) return;
    this.begin();
    res.once('close', () => this.end());
  }

  /** Counts one of which there is no such object, until `end` is called for it. */
  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    this.#settle();
  }

  get count(): number {
    return this.#count;
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
