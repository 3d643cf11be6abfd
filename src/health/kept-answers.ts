/** What is answered of a service that does not serve: it takes long to say who fails and why. */
export interface KeptAnswer {
  readonly http: 503;
  readonly grpc: 14;
  readonly message: string;
  readonly json: string;
}

/**
 * Answers about names that do not serve, made once for all who ask at nearly the same time: until something else may be told of one of
 * the services that are meant, and for no longer than 100 ms, as times and ages stand in them. Some are kept, and no more.
 */
export class KeptAnswers {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  /** Milliseconds, of any clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  of(name: string): KeptAnswer | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    const age = this.#now() - kept.at;
    if (age >= 0 && age < KEPT_MS) return kept.answer;
    this.#kept.delete(name);
    return undefined;
  }

  /** `keys`: by which it is told that something else may be said of it. */
  keep(name: string, answer: KeptAnswer, keys: readonly string[]): void {
    this.#kept.delete(name);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(name, { answer, keys, at: this.#now() });
  }

  /** Something else may be said of what has this key. */
  drop(key: string): void {
    for (const [name, { keys }] of this.#kept) if (keys.includes(key)) this.#kept.delete(name);
  }
}

interface Kept {
  readonly answer: KeptAnswer;
  readonly keys: readonly string[];
  readonly at: number;
}

const KEPT_MS = 100;
/** Each has up to a hundred instances, in some fifty kilobytes. */
const MOST_KEPT = 64;
