import type { Cancel } from '../wire/scheduler.ts';
import type { Beats } from './api.ts';
import { NotServing } from './not-serving.ts';
import type { Sources } from './sources.ts';

/**
 * What makes pages look anew: a second that has passed, and something that has happened, however much, a few times a second. It runs while
 * somebody looks, and counts beats for as long; without anybody there is no timer and nothing is kept.
 */
export class Pulse {
  readonly #sources: PulseSources;
  readonly #listeners = new Set<() => void>();
  readonly notServing: NotServing;
  #minutes: Beats = [];
  #last: Beats = [];
  #lastBeats = 0;
  #stop: Cancel | undefined;
  #isDue = false;

  constructor(sources: PulseSources) {
    this.#sources = sources;
    this.notServing = new NotServing(sources);
  }

  /** The whole minutes since somebody looks, ten of them at most: they change once a minute. */
  get minutes(): Beats {
    return this.#minutes;
  }

  /** The minute that is not over yet. */
  get last(): Beats {
    return this.#last;
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
      [this.#minutes, this.#last] = [[], []];
      this.notServing.stop();
    };
  }

  #start(): Cancel {
    const { scheduler, events, health } = this.#sources;
    this.#lastBeats = this.#beats;
    this.notServing.start();
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
    const point = [wallClock(), beats - this.#lastBeats, registry.records.beatingCount / USUAL_INTERVAL_S] as const;
    this.#lastBeats = beats;
    if (this.#last.length >= A_MINUTE) {
      this.#minutes = [...this.#minutes, ...this.#last].slice(-MOST_POINTS);
      this.#last = [];
    }
    this.#last = [...this.#last, point];
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
/** In points, one a second. */
const A_MINUTE = 60;
const MOST_POINTS = 10 * A_MINUTE;
/** As all clients of Nacos have it, unless they are told otherwise: their own intervals would have to be added up, instance by instance. */
const USUAL_INTERVAL_S = 5;
