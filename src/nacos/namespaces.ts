import { randomUUID } from 'node:crypto';
import type { Source } from '../registry/changes.ts';
import { flat } from '../registry/flat.ts';
import type { DurablePart } from './durability.ts';
import { TooMany } from './errors.ts';
import { type OnOperated, tellOperated } from './operated.ts';
import { HOME } from './rules.ts';

/** The names that an operator has given to namespaces. Instances live in any namespace, named or not. */
export class Namespaces {
  readonly #maxNamespaces: number;
  readonly #onOperated: OnOperated;
  readonly #named = new Map<string, Namespace>();
  readonly #listeners = new Set<(id: string) => void>();
  /** By id. */
  readonly durable: DurablePart = {
    name: 'namespace',
    onChange: (listener) => void this.#listeners.add(listener),
    read: (id) => this.#named.get(id),
    restore: (entries) => {
      for (const [id, { name, description }] of entries as Iterable<[string, Namespace]>)
        this.#named.set(id, { id, name, description, type: 2 });
    },
  };

  constructor({ maxNamespaces }: NamespacesLimits, onOperated: OnOperated = () => {}) {
    this.#maxNamespaces = maxNamespaces;
    this.#onOperated = onOperated;
  }

  /** The one that is always there first, the others in the order they came. */
  all(): readonly Namespace[] {
    return [PUBLIC, ...this.#named.values()];
  }

  /** Undefined for one that nobody has named. */
  get(id: string): Namespace | undefined {
    return id === '' || id === HOME.namespace ? PUBLIC : this.#named.get(id);
  }

  /** Whether an operator has named it. */
  isNamed(id: string): boolean {
    return this.#named.has(id);
  }

  /** Under a new id when none is given. False when there is one of that id. */
  create({ id = randomUUID(), name, description }: NamespaceNames & { readonly id?: string | undefined }, by?: Source): boolean {
    if (id === HOME.namespace || this.#named.has(id)) return false;
    if (this.#named.size >= this.#maxNamespaces)
      throw new TooMany('namespaces', `more than ${this.#maxNamespaces} namespaces (--max-namespaces)`);
    this.#named.set(flat(id), { id: flat(id), name: flat(name), description: flat(description), type: 2 });
    this.#changed(id, by, undefined);
    return true;
  }

  /** False when nobody has named it. */
  rename(id: string, names: NamespaceNames, by?: Source): boolean {
    const old = this.#named.get(id);
    if (old === undefined) return false;
    this.#named.set(id, { ...old, ...flat({ ...names }) });
    this.#changed(id, by, old);
    return true;
  }

  /** Forgets its names; absent is fine. */
  drop(id: string, by?: Source): void {
    const old = this.#named.get(id);
    this.#named.delete(id);
    // Also when it was absent: whoever asks again after a failure is promised that it does not come back.
    this.#changed(id, by, old);
  }

  #changed(id: string, by: Source | undefined, before: Namespace | undefined): void {
    for (const listener of this.#listeners) listener(id);
    tellOperated(this.#onOperated, by, inNames(id, before), inNames(id, this.#named.get(id)));
  }
}

function inNames(id: string, named: Namespace | undefined): object {
  return named === undefined ? {} : { namespaces: { [id]: { name: named.name, description: named.description } } };
}

/** How many there may be. */
export interface NamespacesLimits {
  /** Namespaces that have a name. */
  readonly maxNamespaces: number;
}

/** What an operator calls a namespace. */
export interface NamespaceNames {
  readonly name: string;
  readonly description: string;
}

/** A namespace that has names. */
export interface Namespace extends NamespaceNames {
  readonly id: string;
  /** 0: the one that is always there; 2: made by an operator. */
  readonly type: 0 | 2;
}

/** Here its id is blank, though naming calls it `public`. */
const PUBLIC: Namespace = { id: '', name: HOME.namespace, description: 'Public Namespace', type: 0 };
