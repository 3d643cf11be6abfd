import { AddressIndex } from './address-index.ts';
import type { Address } from './instance.ts';
import type { Row } from './row.ts';
import { NONE, type Service } from './services.ts';
import { NOBODY } from './voices.ts';

/**
 * The instances as rows: each is a dense id, what a sweep reads of it stands in typed arrays under that id, the rest in one small
 * record, and the instances of a service are a linked list through two of the arrays; so a million fit, and a sweep is one scan.
 * The counts of a service are kept here too, by whatever changes them. Rows know nothing of time, edits or listeners.
 */
export class Rows {
  readonly #freed: number[] = [];
  /** Ids below this one have been given out at some time. */
  #highest = 0;
  #dueCount = 0;
  #rememberedCount = 0;
  readonly #rows: (Row | undefined)[] = [];
  readonly #index = new AddressIndex(this.#rows);
  #heardAt = new Float64Array(INITIAL_CAPACITY);
  /** When silence next changes something for the instance; never, for whom silence means nothing and for a free id. */
  #due = new Float64Array(INITIAL_CAPACITY).fill(Number.POSITIVE_INFINITY);
  #state = new Uint8Array(INITIAL_CAPACITY);
  #next = new Int32Array(INITIAL_CAPACITY);
  #previous = new Int32Array(INITIAL_CAPACITY);
  #voice = new Uint32Array(INITIAL_CAPACITY);
  #beatEveryMs = new Float32Array(INITIAL_CAPACITY);

  find(service: Service, address: Address): number | undefined {
    return this.#index.find(service, address);
  }

  row(id: number): Row {
    // Every id that the map and the lists lead to has a row.
    return this.#rows[id] as Row;
  }

  /** The same of an id that may be free. */
  rowIfAny(id: number): Row | undefined {
    return this.#rows[id];
  }

  /** Whether the id still stands for the very same. */
  has(id: number, row: Row | undefined): boolean {
    return row !== undefined && this.#rows[id] === row;
  }

  /** How many there are. */
  get count(): number {
    return this.#index.count;
  }

  /** All ids are below this one. */
  get highest(): number {
    return this.#highest;
  }

  /** Puts the instance at the end of its service: not alive, not callable, never heard of. */
  add(row: Row): number {
    const id = this.#freed.pop() ?? this.#extend();
    const { service } = row;
    this.#rows[id] = row;
    this.#index.add(id);
    this.#state[id] = 0;
    this.#voice[id] = NOBODY;
    this.#beatEveryMs[id] = 0;
    this.#previous[id] = service.last;
    this.#next[id] = NONE;
    if (service.last === NONE) service.first = id;
    else this.#next[service.last] = id;
    service.last = id;
    service.total++;
    return id;
  }

  delete(id: number): void {
    const row = this.row(id);
    const { service } = row;
    this.#setState(id, 0);
    const previous = at(this.#previous, id);
    const next = at(this.#next, id);
    if (previous === NONE) service.first = next;
    else this.#next[previous] = next;
    if (next === NONE) service.last = previous;
    else this.#previous[next] = previous;
    service.total--;
    this.#index.delete(id);
    this.#rows[id] = undefined;
    this.setDue(id, Number.POSITIVE_INFINITY);
    this.#freed.push(id);
  }

  /** The one of a service that came last. */
  last({ last }: Service): Row | undefined {
    return last === NONE ? undefined : this.row(last);
  }

  /** The ids of a service in the order in which they came. */
  *of(service: Service): IterableIterator<number> {
    for (let id = service.first; id !== NONE; id = at(this.#next, id)) yield id;
  }

  /** What there is of a service, in one pass over it. */
  census(service: Service): Census {
    const clusters = new Set<string>();
    let areAllEphemeral = true;
    for (let id = service.first; id !== NONE; id = at(this.#next, id)) {
      const { cluster, ephemeral } = this.row(id);
      clusters.add(cluster);
      areAllEphemeral &&= ephemeral;
    }
    return { clusters, areAllEphemeral };
  }

  /** Alive, and no check of it fails. */
  isHealthy(id: number): boolean {
    return isHealthy(at(this.#state, id));
  }

  /** By its beats or its holder; a persistent one by what was found or told last. */
  isAlive(id: number): boolean {
    return (at(this.#state, id) & ALIVE) !== 0;
  }

  setAlive(id: number, alive: boolean): void {
    this.#set(id, ALIVE, alive);
  }

  /** Whether a check takes it out, however alive it is. */
  setFailing(id: number, failing: boolean): void {
    this.#set(id, FAILING, failing);
  }

  /** Whether it was given back by a store or a replica, and nobody has heard of it since. */
  isRemembered(id: number): boolean {
    return (at(this.#state, id) & REMEMBERED) !== 0;
  }

  setRemembered(id: number, remembered: boolean): void {
    this.#set(id, REMEMBERED, remembered);
  }

  /** How many are. */
  get rememberedCount(): number {
    return this.#rememberedCount;
  }

  /** Whether it may be called if it is healthy, edits included. */
  setCallable(id: number, callable: boolean): void {
    this.#set(id, CALLABLE, callable);
  }

  heardAt(id: number): number {
    return at(this.#heardAt, id);
  }

  setHeardAt(id: number, ms: number): void {
    this.#heardAt[id] = ms;
  }

  /** The number of whoever was heard last of it; see `Voices`. */
  voice(id: number): number {
    return at(this.#voice, id);
  }

  setVoice(id: number, voice: number): void {
    this.#voice[id] = voice;
  }

  /** How far apart its beats are, in milliseconds; 0 until there were two. */
  beatEveryMs(id: number): number {
    return at(this.#beatEveryMs, id);
  }

  setBeatEveryMs(id: number, ms: number): void {
    this.#beatEveryMs[id] = ms;
  }

  due(id: number): number {
    return at(this.#due, id);
  }

  setDue(id: number, ms: number): void {
    this.#dueCount += Number(ms < Number.POSITIVE_INFINITY) - Number(this.due(id) < Number.POSITIVE_INFINITY);
    this.#due[id] = ms;
  }

  /** How many have something due some day. */
  get dueCount(): number {
    return this.#dueCount;
  }

  #set(id: number, bit: number, on: boolean): void {
    this.#setState(id, on ? at(this.#state, id) | bit : at(this.#state, id) & ~bit);
  }

  #setState(id: number, state: number): void {
    const before = at(this.#state, id);
    if (before === state) return;
    this.#state[id] = state;
    this.#rememberedCount += Number((state & REMEMBERED) !== 0) - Number((before & REMEMBERED) !== 0);
    const { service } = this.row(id);
    service.healthy += Number(isHealthy(state)) - Number(isHealthy(before));
    service.available += Number(isAvailable(state)) - Number(isAvailable(before));
  }

  #extend(): number {
    const id = this.#highest++;
    if (id < this.#due.length) return id;
    const capacity = this.#due.length * 2;
    this.#due = grown(this.#due, new Float64Array(capacity).fill(Number.POSITIVE_INFINITY));
    this.#heardAt = grown(this.#heardAt, new Float64Array(capacity));
    this.#state = grown(this.#state, new Uint8Array(capacity));
    this.#next = grown(this.#next, new Int32Array(capacity));
    this.#previous = grown(this.#previous, new Int32Array(capacity));
    this.#voice = grown(this.#voice, new Uint32Array(capacity));
    this.#beatEveryMs = grown(this.#beatEveryMs, new Float32Array(capacity));
    return id;
  }
}

export interface Census {
  readonly clusters: ReadonlySet<string>;
  readonly areAllEphemeral: boolean;
}

type Column = Float64Array | Float32Array | Uint8Array | Uint32Array | Int32Array;

const INITIAL_CAPACITY = 1024;
const ALIVE = 1;
const CALLABLE = 2;
const FAILING = 4;
const REMEMBERED = 8;

function isHealthy(state: number): boolean {
  return (state & (ALIVE | FAILING)) === ALIVE;
}

function isAvailable(state: number): boolean {
  return isHealthy(state) && (state & CALLABLE) !== 0;
}

/** Every id that is asked about lies within the arrays. */
function at(array: Column, id: number): number {
  return array[id] as number;
}

function grown<T extends Column>(from: T, to: T): T {
  to.set(from);
  return to;
}
