import type { ServiceName } from '../registry/service-name.ts';

/**
 * The records that have left the last of all and that their services still have, by number: so many in all, however many services there
 * are. Beyond, the oldest has to go.
 */
export class Outlived {
  readonly #most: number;
  readonly #services = new Map<number, ServiceName>();
  /** In the order in which they came: those that have gone since are among them, and are passed over. */
  #queue: number[] = [];
  #first = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** One more. Answers which has to go for it, if one has. */
  add(seq: number, service: ServiceName): Outlasted | undefined {
    this.#services.set(seq, service);
    this.#queue.push(seq);
    if (this.#queue.length > 2 * this.#most + SLACK) this.#clean();
    return this.#services.size > this.#most ? this.#takeOldest() : undefined;
  }

  /** False when it is none of these. */
  delete(seq: number): boolean {
    return this.#services.delete(seq);
  }

  clear(): void {
    this.#services.clear();
    this.#clean();
  }

  #takeOldest(): Outlasted | undefined {
    while (this.#first < this.#queue.length) {
      const seq = this.#queue[this.#first++] ?? 0;
      const service = this.#services.get(seq);
      if (service === undefined) continue;
      this.#services.delete(seq);
      return { seq, service };
    }
    return undefined;
  }

  #clean(): void {
    this.#queue = this.#queue.slice(this.#first).filter((seq) => this.#services.has(seq));
    this.#first = 0;
  }
}

interface Outlasted {
  readonly seq: number;
  readonly service: ServiceName;
}

const SLACK = 100;
