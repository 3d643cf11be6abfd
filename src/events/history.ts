import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import { Crowds } from './crowds.ts';
import type { EventRecord, NewRecord } from './record.ts';

/**
 * What happened lately: the last of all, and the last few of each service, which outlive what happens to others. Whoever listens hears each
 * record once, in order; one that throws is reported and hurts nobody else.
 */
export class History {
  readonly #options: HistoryOptions;
  /** A ring: the oldest is at `#start`. */
  readonly #records: EventRecord[] = [];
  #start = 0;
  readonly #ofService = new Map<string, EventRecord[]>();
  /** Of each service what it became last, which may be longer ago than the last that are kept of it. */
  readonly #standings = new Map<string, EventRecord>();
  readonly #listeners = new Set<(record: EventRecord) => void>();
  readonly #crowds = new Crowds();
  #seq: number;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#seq = options.lastSeq ?? 0;
  }

  /** The number of the last record; 0 before the first. */
  get lastSeq(): number {
    return this.#seq;
  }

  add(said: NewRecord): EventRecord {
    const record: EventRecord = { seq: ++this.#seq, at: this.#options.wallClock(), ...said };
    if (this.#records.length < this.#options.maxEvents) this.#records.push(record);
    else {
      this.#records[this.#start] = record;
      this.#start = (this.#start + 1) % this.#records.length;
    }
    if (record.service !== undefined) this.#keepOfService(record, record.service);
    for (const { record: long, shorter } of this.#crowds.add(record)) this.#replace(long, shorter);
    for (const listener of this.#listeners) {
      try {
        listener(record);
      } catch (error) {
        this.#options.onListenerError(error);
      }
    }
    return record;
  }

  /** The service is known no more: nobody asks for its last days, but for what of them is among the last of all. */
  forget(service: ServiceName): void {
    this.#ofService.delete(serviceKey(service));
    this.#standings.delete(serviceKey(service));
  }

  /** By what it became what it is; undefined: nobody has seen that. */
  standingOf(service: ServiceName): EventRecord | undefined {
    return this.#standings.get(serviceKey(service));
  }

  /** The last of the service, the oldest first. */
  lastOf(service: ServiceName): readonly EventRecord[] {
    return this.#ofService.get(serviceKey(service)) ?? [];
  }

  /** Those after that number, the oldest first; of a number that is too old, all that there are. */
  *after(seq: number): IterableIterator<EventRecord> {
    const oldest = this.#seq - this.#records.length + 1;
    for (let i = Math.max(0, seq + 1 - oldest); i < this.#records.length; i++) {
      const record = this.#records[(this.#start + i) % this.#records.length];
      if (record !== undefined) yield record;
    }
  }

  /** The same, the newest first. */
  *latest(): IterableIterator<EventRecord> {
    for (let i = this.#records.length - 1; i >= 0; i--) {
      const record = this.#records[(this.#start + i) % this.#records.length];
      if (record !== undefined) yield record;
    }
  }

  onEvent(listener: (record: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Wherever it is still kept. */
  #replace(record: EventRecord, by: EventRecord): void {
    const ofService = record.service === undefined ? [] : (this.#ofService.get(serviceKey(record.service)) ?? []);
    const at = (this.#start + this.#records.length - 1 - (this.#seq - record.seq)) % this.#records.length;
    for (const [list, index] of [
      [this.#records, at],
      [ofService, ofService.indexOf(record)],
    ] as const)
      if (list[index] === record) list[index] = by;
  }

  #keepOfService(record: EventRecord, service: ServiceName): void {
    const key = serviceKey(service);
    if (record.kind === 'service' && record.to !== undefined) this.#standings.set(key, record);
    const kept = this.#ofService.get(key);
    if (kept === undefined) this.#ofService.set(key, [record]);
    else {
      if (kept.length >= this.#options.maxEventsOfService) kept.shift();
      kept.push(record);
    }
  }
}

export interface HistoryOptions {
  /** How many are kept in all. */
  readonly maxEvents: number;
  /** How many of each service that is known. */
  readonly maxEventsOfService: number;
  /** Of a life before. */
  readonly lastSeq?: number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly onListenerError: (error: unknown) => void;
}
