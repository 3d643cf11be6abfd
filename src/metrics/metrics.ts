import type { ServiceName } from '../registry/service-name.ts';
import { OF_OTHERS } from './boards.ts';
import { endOf, type Format, headOf, lineOf, linesOf, Pieces, pairOf } from './exposition.ts';
import { OURS, type ToldFamily, type World } from './families.ts';
import { Happenings } from './happenings.ts';
import { type CollectedFamily, openDescriptors, PROCESS } from './of-process.ts';
import { inTurns, type Pace } from './pace.ts';
import type { Happened, Sources } from './sources.ts';
import { Standings } from './standings.ts';

/**
 * What is counted, told to Prometheus when it asks. Nothing is done for it in between but to listen to what happened: whoever serves counts
 * in plain numbers of his own, which are read then. It counts nothing on a request's way, and decides nothing.
 */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #happenings: Happenings;
  readonly #standings = new Standings();
  readonly #underWay = new Map<Format, Promise<Pieces>>();
  #stopListening = () => {};

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#happenings = new Happenings(options.causes);
  }

  /** From now on; `known`: the services that there are by now, and what they are. */
  start(known: Iterable<readonly [service: ServiceName, standing: string]>): void {
    const at = this.#options.wallClock();
    for (const [service, standing] of known) this.#standings.put(service, standing, at);
    this.#stopListening = this.#options.onEvent((record) => {
      this.#happenings.note(record);
      this.#standings.note(record);
    });
  }

  stop(): void {
    this.#stopListening();
  }

  /** All there is, as text. Whoever asks while it is made gets the same. */
  text(format: Format): Promise<Pieces> {
    const underWay = this.#underWay.get(format) ?? this.#made(format).finally(() => this.#underWay.delete(format));
    this.#underWay.set(format, underWay);
    return underWay;
  }

  async #made(format: Format): Promise<Pieces> {
    const { maxMetricServices, sources, wallClock } = this.#options;
    const [ofProcess, descriptors] = await Promise.all([PROCESS.read(), openDescriptors()]);
    const chosen = await inTurns(this.#standings.chosen(maxMetricServices), this.#options);
    const world: World = {
      ...sources,
      happenings: this.#happenings,
      standings: this.#standings,
      chosen,
      maxMetricServices,
      openDescriptors: descriptors,
      at: wallClock(),
    };
    return inTurns(written(world, ofProcess, format), this.#options);
  }
}

export interface MetricsOptions extends Pace {
  readonly sources: Sources;
  /** Calls the listener with everything that happens, as it is recorded. */
  readonly onEvent: (listener: (record: Happened) => void) => () => void;
  /** All that there are of what happens. */
  readonly causes: readonly string[];
  /** How many services have series of their own. */
  readonly maxMetricServices: number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
}

/** All families that are beatbridge's own, in the order in which they are told. */
export const FAMILIES: readonly ToldFamily[] = [...OURS, ...OF_OTHERS];

function* written(world: World, ofProcess: readonly CollectedFamily[], format: Format): Generator<void, Pieces, void> {
  const text = new Pieces();
  let count = 0;
  for (const family of FAMILIES) {
    text.add(headOf(family, format));
    for (const sample of family.read(world)) {
      text.add(linesOf(family, sample));
      if (++count % AT_A_TIME === 0) yield;
    }
    yield;
  }
  for (const family of ofProcess) {
    text.add(headOf(family, format));
    for (const { metricName = family.name, labels, value } of family.values) {
      const pairs = Object.entries(labels).map(([label, said]) => pairOf(label, String(said)));
      text.add(lineOf(metricName, pairs, value));
    }
    yield;
  }
  text.add(endOf(format));
  text.end();
  return text;
}

const AT_A_TIME = 200;
