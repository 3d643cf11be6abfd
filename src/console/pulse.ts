import type { Cancel } from '../wire/scheduler.ts';
import type { Sources } from './sources.ts';

/**
 * What makes pages look anew: a second that has passed, and something that has happened, however much, a few times a second. It runs while
 * somebody looks, and counts beats for as long; without anybody there is no timer and nothing is kept.
 */
export class Pulse {
  readonly #sources: PulseSources;
  readonly #listeners = new Set<() => void>();
  #points: (readonly [at: number, received: number, expected: number])[] = [];
  #lastBeats = 0;
  #stop: Cancel | undefined;
  #isDue = false;

  constructor(sources: PulseSources) {
    this.#sources = sources;
  }

  /** Beats a second since somebody looks, the last ten minutes of it: when, how many came, and how many were to be expected. */
  get points(): readonly (readonly [at: number, received: number, expected: number])[] {
    return this.#points;
  }

  /** Calls the listener each second, and soon after something has happened. */
  join(listener: () => void): Cancel {
    this.#listeners.add(listener);
    this.#stop ??= this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
      this.#points = [];
    };
  }

  #start(): Cancel {
    const { scheduler, events, health } = this.#sources;
    this.#lastBeats = this.#beats;
    let cancelRound = () => {};
    const changed = () => {
      if (this.#isDue) return;
      this.#isDue = true;
      cancelRound = scheduler.after(GATHER_MS, () => this.#round());
    };
    const stops = [
      scheduler.every(SECOND_MS, () => {
        this.#count();
        this.#round();
      }),
      events.onEvent(changed),
      health.onService(changed),
    ];
    return () => {
      cancelRound();
      this.#isDue = false;
      for (const stop of stops) stop();
    };
  }

  #round(): void {
    this.#isDue = false;
    for (const listener of this.#listeners) listener();
  }

  #count(): void {
    const { registry, wallClock } = this.#sources;
    const beats = this.#beats;
    this.#points.push([wallClock(), beats - this.#lastBeats, registry.records.beatingCount / USUAL_INTERVAL_S]);
    this.#lastBeats = beats;
    if (this.#points.length > MOST_POINTS) this.#points.shift();
  }

  get #beats(): number {
    const { known, registering, unknown } = this.#sources.taps.beats;
    return known + registering + unknown;
  }
}

type PulseSources = Pick<Sources, 'scheduler' | 'events' | 'health' | 'registry' | 'taps' | 'wallClock'>;

const SECOND_MS = 1_000;
/** As much as nobody notices. */
const GATHER_MS = 200;
const MOST_POINTS = 600;
/** As all clients of Nacos have it, unless they are told otherwise. */
const USUAL_INTERVAL_S = 5;
