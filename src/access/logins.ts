import { createHmac } from 'node:crypto';
import type { Kdf } from './kdf.ts';
import {
  hashed,
  isCheap,
  isKnownPassword,
  isPasswordOf,
  MOST_PASSWORD_BYTES,
  NOBODYS_HASH,
  type Randomness,
  readHash,
} from './passwords.ts';
import { Recent } from './recent.ts';
import type { User, Users } from './users.ts';

/**
 * Whether a password is a user's. Some clients send it with every beat, and those with a wrong one come back every five seconds for
 * ever: both are remembered, so that only what was never heard costs anything. Whoever tries others is slowed down by address; no user is
 * ever locked, since a limit that refuses the right password too would take a fleet down.
 */
export class Logins {
  readonly #options: LoginsOptions;
  /** What the keys of the memories are made with: they tell nothing to whoever reads a dump of another process. */
  readonly #memoryKey: Uint8Array;
  readonly #right = new Recent<string, true>(MOST_REMEMBERED);
  /** Until when each is known to be wrong. */
  readonly #wrong = new Recent<string, number>(MOST_REMEMBERED);
  readonly #asking = new Map<string, Asking>();
  readonly #guessing = new Recent<string, Guessing>(MOST_ADDRESSES);

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#memoryKey = options.randomness(32);
  }

  /** At once where it is remembered. `origin`: whose guess it is counted as. */
  prove(name: string, password: string, origin: string): Proof | Promise<Proof> {
    const user = this.#options.users.find(name);
    const key = this.#keyOf(name, password, user);
    if (user !== undefined && this.#right.get(key) !== undefined) return user;
    const wrongUntil = this.#wrong.get(key);
    if (wrongUntil !== undefined && this.#options.now() < wrongUntil) return 'wrong';
    const asked = this.#asking.get(key);
    if (asked !== undefined) return asked.origin === origin ? asked.proof : this.#proofOfAnother(asked, name, password, origin);
    if (!this.#options.kdf.hasRoomFor(origin) || !this.#mayGuess(origin)) return 'busy';
    const proof = this.#derived(user, name, password, { key, origin }).finally(() => this.#asking.delete(key));
    this.#asking.set(key, { origin, proof });
    return proof;
  }

  /** Who else asks the same has its place as well: where there are too many, one loses it who has nothing to do with these. */
  async #proofOfAnother({ proof }: Asking, name: string, password: string, origin: string): Promise<Proof> {
    const proven = await proof;
    return proven === 'busy' ? this.prove(name, password, origin) : proven;
  }

  async #derived(user: User | undefined, name: string, password: string, { key, origin }: Guess): Promise<Proof> {
    const { kdf, users } = this.#options;
    // Whatever cannot be right takes as long, and is answered alike: who there is, is not told.
    const isHopeless = password === '' || Buffer.byteLength(password) > MOST_PASSWORD_BYTES || isKnownPassword(name, password);
    const hash = (user !== undefined && !user.isDisabled && readHash(user.hash)) || undefined;
    const fits = await kdf.run(origin, (derive) => isPasswordOf(hash ?? NOBODYS_HASH, isHopeless ? '' : password, derive));
    if (fits === undefined) return 'busy';
    const current = users.find(name);
    // It was changed while this one was looked at, of which nothing follows for later.
    if (this.#keyOf(name, password, current) !== key) return 'wrong';
    if (!fits || isHopeless || hash === undefined || current === undefined) return this.#failed(key, origin);
    this.#right.set(key, true);
    if (isCheap(hash) && !users.isOfFile(name)) this.#rehash(current, password, origin);
    return current;
  }

  #failed(key: string, origin: string): 'wrong' {
    const now = this.#options.now();
    this.#wrong.set(key, now + WRONG_FOR_MS);
    const guessing = this.#guessing.get(origin);
    const isNew = guessing === undefined || now - guessing.since >= GUESSES_WITHIN_MS;
    this.#guessing.set(origin, isNew ? { since: now, failures: 1, last: now } : { ...guessing, failures: guessing.failures + 1 });
    return 'wrong';
  }

  /** After so many that were wrong within a minute, one a second. What is remembered is no guess. */
  #mayGuess(origin: string): boolean {
    const now = this.#options.now();
    const guessing = this.#guessing.get(origin);
    if (guessing === undefined || now - guessing.since >= GUESSES_WITHIN_MS) return true;
    if (guessing.failures >= GUESSES && now - guessing.last < SLOW_GUESS_MS) return false;
    this.#guessing.set(origin, { ...guessing, last: now });
    return true;
  }

  /** It is a favour: when anybody waits, the next login does it. */
  #rehash(user: User, password: string, origin: string): void {
    const { kdf, onError, randomness, users } = this.#options;
    if (kdf.waiting > 0) return;
    kdf
      .run(origin, (derive) => hashed(password, derive, randomness))
      .then((hash) => {
        if (hash !== undefined) users.rehash(user, hash);
      }, onError);
  }

  /** All that an answer depends on: of a user who is another, or enabled, or disabled, nothing is remembered. */
  #keyOf(name: string, password: string, user: User | undefined): string {
    const state = user === undefined ? 'nobody' : `${user.isDisabled ? 'disabled' : 'enabled'} ${user.generation}`;
    return createHmac('sha256', this.#memoryKey).update(`${name.length}\0${name}\0${password}\0${state}`).digest('base64');
  }
}

export interface LoginsOptions {
  readonly users: Users;
  readonly kdf: Kdf;
  readonly randomness: Randomness;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Whose password it is; or that it is nobody's; or that nobody could look. */
export type Proof = User | 'wrong' | 'busy';

/** A password that is being looked at. */
interface Asking {
  /** Whose place it waits in. */
  readonly origin: string;
  readonly proof: Promise<Proof>;
}

interface Guess {
  readonly key: string;
  readonly origin: string;
}

interface Guessing {
  readonly since: number;
  readonly failures: number;
  readonly last: number;
}

export const MOST_REMEMBERED = 10_000;
const MOST_ADDRESSES = 10_000;
const WRONG_FOR_MS = 60_000;
const GUESSES = 20;
const GUESSES_WITHIN_MS = 60_000;
const SLOW_GUESS_MS = 1_000;
