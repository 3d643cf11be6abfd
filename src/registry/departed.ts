import { sizeOf } from './accounts.ts';
import type { Address, Registration } from './instance.ts';
import type { Service } from './services.ts';

/**
 * What the clients of instances said last that went without a word: a beat that names less than a registration is completed by it.
 * Remembered for as long as the service is known, and only of the latest: so many, and not too much of them.
 */
export class Departed {
  readonly #max: number;
  /** The longest gone first. Keys hold the serial of the service: those of one that was forgotten are never asked for again. */
  readonly #gone = new Map<string, Gone>();
  /** Goes on where it was: one that begins anew walks over all that were forgotten before. */
  #longest = this.#gone.keys();
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  of(service: Service, address: Address): Registration | undefined {
    return this.#gone.size === 0 ? undefined : this.#gone.get(keyOf(service, address))?.registration;
  }

  add(service: Service, registration: Registration): void {
    const key = keyOf(service, registration);
    this.#delete(key);
    this.#gone.set(key, { service, registration });
    this.#size += sizeOf(registration.metadata);
    while (this.#gone.size > this.#max || (this.#size > MAX_SIZE && this.#gone.size > 1)) this.#forgetLongest();
  }

  #forgetLongest(): void {
    let longest = this.#longest.next();
    if (longest.done === true) {
      this.#longest = this.#gone.keys();
      longest = this.#longest.next();
    }
    if (longest.done !== true) this.#delete(longest.value);
  }

  #delete(key: string): boolean {
    const gone = this.#gone.get(key);
    if (gone === undefined) return false;
    this.#size -= sizeOf(gone.registration.metadata);
    return this.#gone.delete(key);
  }

  /** False when there is none. */
  forget(service: Service, address: Address): boolean {
    return this.#gone.size > 0 && this.#delete(keyOf(service, address));
  }

  /** The longest gone first; also of services that have been forgotten since. */
  all(): IterableIterator<Gone> {
    return this.#gone.values();
  }
}

/** Of all their metadata, as `sizeOf` counts them. */
const MAX_SIZE = 16 << 20;

export interface Gone {
  readonly service: Service;
  readonly registration: Registration;
}

function keyOf({ serial }: Service, { ip, port }: Address): string {
  return `${serial} ${port} ${ip}`;
}
