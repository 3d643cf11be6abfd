import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import { Crowds } from './crowds.ts';
import { Outlived } from './outlived.ts';
import type { Affected, EventRecord, NewRecord } from './record.ts';

/**
 * What happened lately: the last of all, and the last few of each service, which outlive what happens to others; of these as many again as
 * there are of all. Whoever listens hears each record once, in order; one that throws is reported and hurts nobody else.
 */
export class History {
  readonly #options: HistoryOptions;
  /** A ring: the oldest is at `#start`. Numbers rise, and may have been left out where a life before has ended too suddenly. */
  readonly #records: EventRecord[] = [];
  #start = 0;
  readonly #ofService = new Map<string, EventRecord[]>();
  /** Of each service what it became last, which may be longer ago than the last that are kept of it. */
  readonly #standings = new Map<string, EventRecord>();
  readonly #listeners = new Set<(record: EventRecord) => void>();
  readonly #outlived: Outlived;
  #crowds = new Crowds();
  #left: Leaving = () => {};
  #seq = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#outlived = new Outlived(options.maxEvents);
  }

  /** The number of the last record; 0 before the first. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** What has a smaller number is kept no more, but of its service. */
  get oldestSeq(): number {
    return this.#records[this.#start]?.seq ?? this.#seq + 1;
  }

  add(said: NewRecord): EventRecord {
    const record: EventRecord = { seq: ++this.#seq, at: this.#options.wallClock(), ...said };
    this.#keep(record);
    this.#shortenOld(record);
    for (const listener of this.#listeners) {
      try {
        listener(record);
      } catch (error) {
        this.#options.onListenerError(error);
      }
    }
    return record;
  }

  /**
   * What a life before has kept, each by rising numbers: the last of all, and of services what is older. Numbers go on after `lastSeq`.
   * Nobody hears of it. What has been added before, which is little, goes on behind it.
   */
  restore({ older, last, lastSeq }: Kept): void {
    const early = this.#records.splice(0);
    this.#start = 0;
    this.#ofService.clear();
    this.#crowds = new Crowds();
    this.#standings.clear();
    this.#outlived.clear();
    for (const record of older) {
      if (record.service === undefined) continue;
      this.#keepOfService(record, record.service);
      this.#outlives(record, record.service);
    }
    for (const record of last.slice(-this.#options.maxEvents)) this.#keep(record);
    this.#seq = Math.max(lastSeq, last.at(-1)?.seq ?? 0);
    for (const record of early) this.#keep({ ...record, seq: ++this.#seq });
    for (const record of [...older, ...this.#records.slice(this.#start), ...this.#records.slice(0, this.#start)])
      this.#shortenOld(record);
  }

  /** The service is known no more: nobody asks for its last days, but for what of them is among the last of all. */
  forget(service: ServiceName): void {
    const key = serviceKey(service);
    const kept = this.#ofService.get(key) ?? [];
    this.#ofService.delete(key);
    this.#standings.delete(key);
    for (const record of kept) if (this.#outlived.delete(record.seq)) this.#left(record, true);
  }

  /** The services of which something is kept. */
  *services(): IterableIterator<ServiceName> {
    for (const [record] of this.#ofService.values()) if (record?.service !== undefined) yield record.service;
    for (const [key, { service }] of this.#standings) if (service !== undefined && !this.#ofService.has(key)) yield service;
  }

  /** By what it became what it is; undefined: nobody has seen that. */
  standingOf(service: ServiceName): EventRecord | undefined {
    return this.#standings.get(serviceKey(service));
  }

  /** The last of the service, the oldest first. */
  lastOf(service: ServiceName): readonly EventRecord[] {
    return this.#ofService.get(serviceKey(service)) ?? [];
  }

  /** Of a service that has changed, the instances by which it did; of another record, those that it names. */
  behind({ kind, service, cause, instances = [], seq }: EventRecord): readonly Affected[] {
    if (kind !== 'service' || service === undefined) return instances;
    const isCause = (other: EventRecord) => other.kind === 'instance' && other.cause === cause && other.seq < seq;
    return this.lastOf(service).findLast(isCause)?.instances ?? instances;
  }

  /** Among the last of all. */
  find(seq: number): EventRecord | undefined {
    const record = this.#at(this.#indexAfter(seq - 1));
    return record?.seq === seq ? record : undefined;
  }

  /** Those after that number, the oldest first; of a number that is too old, all that there are. */
  *after(seq: number): IterableIterator<EventRecord> {
    for (let i = this.#indexAfter(seq); i < this.#records.length; i++) {
      const record = this.#at(i);
      if (record !== undefined) yield record;
    }
  }

  /** Those before that number, the newest first. */
  *latest(before = Number.POSITIVE_INFINITY): IterableIterator<EventRecord> {
    for (let i = this.#indexAfter(before - 1) - 1; i >= 0; i--) {
      const record = this.#at(i);
      if (record !== undefined) yield record;
    }
  }

  onEvent(listener: (record: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells whoever keeps a copy what has left the last of all, and whether its service still has it. One listener. */
  onLeft(listener: Leaving): void {
    this.#left = listener;
  }

  #at(index: number): EventRecord | undefined {
    return this.#records[(this.#start + index) % this.#records.length];
  }

  /** Of the first with a greater number, counted from the oldest. */
  #indexAfter(seq: number): number {
    let [low, high] = [0, this.#records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#at(middle)?.seq ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #keep(record: EventRecord): void {
    if (record.service !== undefined) this.#keepOfService(record, record.service);
    if (this.#records.length < this.#options.maxEvents) {
      this.#records.push(record);
      return;
    }
    const gone = this.#records[this.#start];
    this.#records[this.#start] = record;
    this.#start = (this.#start + 1) % this.#records.length;
    if (gone === undefined) return;
    const { service, seq } = gone;
    if (service === undefined || !this.lastOf(service).some((one) => one.seq === seq)) this.#left(gone, true);
    else this.#outlives(gone, service);
  }

  /** It is kept of its service alone from now on, which is one too many perhaps. */
  #outlives(record: EventRecord, service: ServiceName): void {
    const outlasted = this.#outlived.add(record.seq, service);
    if (outlasted !== undefined) this.#takeFrom(outlasted.service, outlasted.seq);
    this.#left(record, false);
  }

  #takeFrom(service: ServiceName, seq: number): void {
    const key = serviceKey(service);
    const kept = this.#ofService.get(key) ?? [];
    const at = kept.findIndex((one) => one.seq === seq);
    const [gone] = at < 0 ? [] : kept.splice(at, 1);
    if (gone === undefined) return;
    if (kept.length === 0) this.#ofService.delete(key);
    // Since when it is what it is stays known of every service, by whom only the first.
    if (this.#standings.get(key) === gone && gone.instances !== undefined)
      this.#standings.set(key, { ...gone, instances: gone.instances.slice(0, 1) });
    this.#left(gone, true);
  }

  /** Now that there is this one too. */
  #shortenOld(record: EventRecord): void {
    for (const { record: old, shorter } of this.#crowds.add(record)) this.#replace(old, shorter);
  }

  /** Wherever it is still kept. */
  #replace(record: EventRecord, by: EventRecord): void {
    const ofService = record.service === undefined ? [] : (this.#ofService.get(serviceKey(record.service)) ?? []);
    const at = (this.#start + this.#indexAfter(record.seq - 1)) % this.#records.length;
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
      const gone = kept.length >= this.#options.maxEventsOfService ? kept.shift() : undefined;
      kept.push(record);
      if (gone !== undefined && this.#outlived.delete(gone.seq)) this.#left(gone, true);
    }
  }
}

/** `isGone`: it is kept nowhere any more. */
type Leaving = (record: EventRecord, isGone: boolean) => void;

/** What is given back after a restart. */
export interface Kept {
  /** Of services, older than what follows. */
  readonly older: readonly EventRecord[];
  readonly last: readonly EventRecord[];
  readonly lastSeq: number;
}

export interface HistoryOptions {
  /** How many are kept in all; and how many more of services alone. */
  readonly maxEvents: number;
  /** How many of each service that is known. */
  readonly maxEventsOfService: number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly onListenerError: (error: unknown) => void;
}
