import type { Peer } from '../../wire/exchange.ts';

/** Transports that have spoken the protocol and not set up a connection. One that never does is cut. */
export class Strangers {
  readonly #now: () => number;
  readonly #setUpWithinMs: number;
  /** By transport, with the time it was first heard. */
  readonly #byTransport = new Map<object, { since: number; readonly cut: () => void }>();

  /** `now` is in monotonic milliseconds. */
  constructor(now: () => number, setUpWithinMs: number) {
    this.#now = now;
    this.#setUpWithinMs = setUpWithinMs;
  }

  get size(): number {
    return this.#byTransport.size;
  }

  /** It has said something, and not who it is. */
  heard({ connection: transport, cut }: Peer): void {
    if (!this.#byTransport.has(transport)) this.#byTransport.set(transport, { since: this.#now(), cut });
  }

  /** It is none any more. */
  delete({ connection: transport }: Peer): void {
    this.#byTransport.delete(transport);
  }

  /** Cuts those that have had their time. `deafMs`: for how long nobody could be heard since the last time. */
  inspect(deafMs: number): void {
    for (const [transport, stranger] of this.#byTransport) {
      stranger.since += deafMs;
      if (this.#now() - stranger.since < this.#setUpWithinMs) continue;
      this.#byTransport.delete(transport);
      stranger.cut();
    }
  }

  /** Cuts all. */
  cut(): void {
    for (const { cut } of this.#byTransport.values()) cut();
  }
}
