import type { Address } from './instance.ts';
import type { Row } from './row.ts';
import { NONE, type Service } from './services.ts';

/**
 * Finds the id of an address in a service. A hash table of our own in typed arrays, with the next slot for whom its own is taken: to look
 * up the texts of a `Map` one has to be made of service, port and ip for every beat, and a million of them are kept. An id must have its
 * row as long as it is in here.
 */
export class AddressIndex {
  readonly #rows: readonly (Row | undefined)[];
  /** For each slot an id, or `NONE`, and beside it its hash; never more than half full. There are a power of 2 of them. */
  #slots = emptySlots(INITIAL_SLOTS);
  #count = 0;
  /** Another for each table, so that nobody knows which addresses meet in a slot. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);

  constructor(rows: readonly (Row | undefined)[]) {
    this.#rows = rows;
  }

  get count(): number {
    return this.#count;
  }

  find(service: Service, { ip, port }: Address): number | undefined {
    const hash = hashOf(this.#seed, service.serial, port, ip);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const id = at(slots, slot);
      if (id === NONE) return undefined;
      // The row, which may be far away in memory, is looked at only when it is the right one.
      if (slots[slot + 1] !== hash) continue;
      const row = this.#rows[id];
      if (row !== undefined && row.port === port && row.service === service && row.ip === ip) return id;
    }
  }

  /** It must not be in here yet. */
  add(id: number): void {
    this.#count++;
    if (this.#count * 4 > this.#slots.length) this.#grow();
    put(this.#slots, id, this.#hashOf(id));
  }

  /** It must be in here. */
  delete(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let gap = (this.#hashOf(id) << 1) & mask;
    while (slots[gap] !== id) gap = (gap + 2) & mask;
    this.#count--;
    // Whoever is behind it, and would be looked for in front of the gap, moves into it.
    for (let slot = (gap + 2) & mask; slots[slot] !== NONE; slot = (slot + 2) & mask) {
      const home = (at(slots, slot + 1) << 1) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots.copyWithin(gap, slot, slot + 2);
      gap = slot;
    }
    slots[gap] = NONE;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(before.length);
    for (let slot = 0; slot < before.length; slot += 2)
      if (before[slot] !== NONE) put(this.#slots, at(before, slot), at(before, slot + 1));
  }

  #hashOf(id: number): number {
    // See above.
    const { service, port, ip } = this.#rows[id] as Row;
    return hashOf(this.#seed, service.serial, port, ip);
  }
}

function emptySlots(count: number): Int32Array {
  return new Int32Array(count * 2).fill(NONE);
}

function put(slots: Int32Array, id: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = (hash << 1) & mask;
  while (slots[slot] !== NONE) slot = (slot + 2) & mask;
  slots[slot] = id;
  slots[slot + 1] = hash;
}

const INITIAL_SLOTS = 2_048;

/** All bits of it depend on all that goes in. */
function hashOf(seed: number, serial: number, port: number, ip: string): number {
  let hash = seed ^ Math.imul(serial, 0x9e3779b1) ^ Math.imul(port, 0x85ebca6b);
  for (let i = 0; i < ip.length; i++) {
    hash = Math.imul(hash ^ ip.charCodeAt(i), 0xcc9e2d51);
    hash = (hash << 15) | (hash >>> 17);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** What is asked about lies within the array. */
function at(array: Int32Array, index: number): number {
  return array[index] as number;
}
