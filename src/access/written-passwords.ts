import { type Derive, hashed, type PasswordHash, type Randomness, readHash } from './passwords.ts';
import type { User } from './users.ts';

/**
 * Passwords that are written out in the file of users: each until it has been hashed, and its hash from then on. Users are in force
 * meanwhile, and nobody waits for that: whoever logs in before it is done has it done in his own turn.
 */
export class WrittenPasswords {
  readonly #randomness: Randomness;
  /** By generation, which is of one user and one password. */
  #kept: ReadonlyMap<string, Kept> = new Map();

  constructor(randomness: Randomness) {
    this.#randomness = randomness;
  }

  /** These take the place of what there was; what has been hashed already stays so. By generation. */
  put(passwords: ReadonlyMap<string, string>): void {
    this.#kept = new Map(
      [...passwords].map(([generation, password]) => [generation, this.#kept.get(generation) ?? { password, hash: undefined }]),
    );
  }

  /** The user's password as it is kept, or the password itself where it has not been hashed yet; undefined where he has none. */
  of({ hash, generation }: Pick<User, 'hash' | 'generation'>): PasswordHash | Unhashed | undefined {
    if (hash !== '') return readHash(hash);
    const kept = this.#kept.get(generation);
    if (kept === undefined) return undefined;
    return kept.hash ?? { password: kept.password, hashWith: (derive) => this.#hash(kept, derive) };
  }

  /** Hashes what there is, one after another; ends at once when it is replaced meanwhile. */
  async hashAll(derive: Derive): Promise<void> {
    const kept = this.#kept;
    for (const one of kept.values()) {
      if (this.#kept !== kept) return;
      if (one.hash === undefined) await this.#hash(one, derive);
    }
  }

  async #hash(kept: Kept, derive: Derive): Promise<void> {
    const hash = readHash(await hashed(kept.password, derive, this.#randomness));
    kept.hash ??= hash;
    kept.password = '';
  }
}

/** A password as it is in the file. */
export interface Unhashed {
  readonly password: string;
  /** Hashes it, and nobody will have to any more. */
  readonly hashWith: (derive: Derive) => Promise<void>;
}

interface Kept {
  /** "" as soon as there is the hash. */
  password: string;
  hash: PasswordHash | undefined;
}
