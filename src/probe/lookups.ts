import { lookup } from 'node:dns/promises';
import { CheckError } from './check.ts';

/** Every address of a host name, in the order in which they are to be tried. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>;

const SYSTEM: Lookup = (name) => lookup(name, { all: true });

/** Lookups run on the few threads of the process that files need as well, and nothing can cut one short. */
const MAX_AT_ONCE = 2;

/** What a name may consist of; whether there is such a one, the resolver says. */
const NAME = /^[a-z0-9_][a-z0-9_.-]{0,253}$/i;

/** Resolves host names, a few at a time. */
export class Lookups {
  readonly #lookup: Lookup;
  readonly #waiting = new Set<() => void>();
  readonly #asking = new WeakSet<AbortSignal>();
  #open = 0;

  constructor(lookup = SYSTEM) {
    this.#lookup = lookup;
  }

  /** Whether that is what the check with this signal waits for. */
  isAsking(signal: AbortSignal): boolean {
    return this.#asking.has(signal);
  }

  async addressesOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
    if (!NAME.test(name)) throw new CheckError('host name not found', 'impossible');
    this.#asking.add(signal);
    await this.#turn(signal);
    try {
      const found = await this.#lookup(name);
      return found.map(({ address }) => address);
    } catch (error) {
      // That there is no such name is a fact of the instance; that nobody could be asked is none.
      const isUnknown = error instanceof Error && 'code' in error && error.code === 'ENOTFOUND';
      throw isUnknown ? new CheckError('host name not found', 'counted') : notAnswered({ cause: error });
    } finally {
      this.#asking.delete(signal);
      this.#next();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#open < MAX_AT_ONCE) {
      this.#open++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(go);
        reject(notAnswered());
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Hands the turn of one that has ended to the one that has waited longest. */
  #next(): void {
    const [go] = this.#waiting;
    if (go === undefined) this.#open--;
    else {
      this.#waiting.delete(go);
      go();
    }
  }
}

/** Nobody has said anything of the name, which is no fault of the instance. */
export function notAnswered(options?: ErrorOptions): CheckError {
  return new CheckError('host name not found', 'unheard', options);
}
