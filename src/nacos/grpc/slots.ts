import type { Source } from '../../registry/changes.ts';
import type { Address, Registration } from '../../registry/instance.ts';
import type { Registry } from '../../registry/registry.ts';
import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import { each, type Paused } from '../turns.ts';
import type { Walks } from '../walks.ts';

/**
 * What one client has registered: one slot for each service, which lives as long as the client does. Whatever is put into a slot
 * replaces all that was in it. Of very many instances some are done at a time, and others have their turn in between.
 */
export class Slots {
  readonly #registry: Registry;
  readonly #by: Source;
  readonly #walks: Pick<Walks, 'begin'>;
  readonly #slots = new Map<string, Slot>();
  /** What is being put into slots: whatever comes for one of them meanwhile waits. */
  readonly #underWay = new Map<string, Promise<void>>();
  #ended = false;

  constructor(registry: Registry, by: Source, walks: Pick<Walks, 'begin'>) {
    this.#registry = registry;
    this.#by = by;
    this.#walks = walks;
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0 && this.#underWay.size === 0;
  }

  /**
   * Fills the slot of the service, or empties it. Of what is named twice, the last word counts. Where instances have yet to be read,
   * a fault in them leaves the slot as it was; so does what `admit` throws, which is told what comes in place of what. `by`: who has
   * asked for it, where that is more than which connection it is.
   */
  put(
    service: ServiceName,
    instances: readonly Registration[] | Paused<readonly Registration[]>,
    admit: Admit = () => {},
    by = this.#by,
  ): void | Promise<void> {
    const key = serviceKey(service);
    const work = () => this.#walks.begin(this.#put(key, { service, given: instances, admit, by }));
    const earlier = this.#underWay.get(key);
    const done = earlier === undefined ? work() : earlier.then(work, work);
    if (!(done instanceof Promise)) return;
    this.#underWay.set(key, done);
    const settle = () => {
      if (this.#underWay.get(key) === done) this.#underWay.delete(key);
    };
    done.then(settle, settle);
    return done;
  }

  *#put(key: string, { service, given, admit, by }: Filling): Paused<void> {
    const instances = isPaused(given) ? yield* given : given;
    if (this.#ended) return;
    const before = this.#slots.get(key)?.instances ?? NONE;
    const after = instances.length > 1 ? eachOnce(instances) : instances;
    admit(after, before);
    const gone = goneBetween(before, after);
    // Also what is to go: whoever ends meanwhile lets go of that too.
    this.#set(key, service, gone.length === 0 ? after : [...after, ...gone]);
    // First what is new, so that a replaced instance leaves no moment without any.
    yield* each(after, (instance) => {
      if (!this.#ended) this.#registry.hold(service, instance, this, by);
    });
    yield* each(gone, (instance) => {
      if (!this.#ended) this.#registry.release(service, instance, this, 'deregistered', by);
    });
    if (!this.#ended) this.#set(key, service, after);
  }

  /** The connection that is meant by it where it holds an instance. */
  get connection(): string | undefined {
    return this.#by.connection;
  }

  #set(key: string, service: ServiceName, instances: readonly Registration[]): void {
    if (instances.length === 0) this.#slots.delete(key);
    else this.#slots.set(key, { service, instances });
  }

  /** What it has registered of the service. */
  of(service: ServiceName): readonly Registration[] {
    return this.#slots.get(serviceKey(service))?.instances ?? [];
  }

  /** What it has registered. */
  all(): IterableIterator<Slot> {
    return this.#slots.values();
  }

  /** Lets go of all for good, and answers how many instances that were. */
  end(reason: string): number {
    this.#ended = true;
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    this.#walks.begin(this.#release(slots, { ...this.#by, reason }));
    return slots.reduce((count, { instances }) => count + instances.length, 0);
  }

  *#release(slots: readonly Slot[], by: Source): Paused<void> {
    yield* each(eachIn(slots), ([service, instance]) => {
      this.#registry.release(service, instance, this, 'connection-ended', by);
    });
  }
}

/** What a client has registered of one service. */
export interface Slot {
  readonly service: ServiceName;
  /** Each address once. */
  readonly instances: readonly Registration[];
}

/** Throws what there is no room for. */
export type Admit = (after: readonly Registration[], before: readonly Registration[]) => void;

interface Filling {
  readonly service: ServiceName;
  readonly given: readonly Registration[] | Paused<readonly Registration[]>;
  readonly admit: Admit;
  readonly by: Source;
}

/** All instances of all slots. */
function* eachIn(slots: readonly Slot[]): Generator<readonly [ServiceName, Registration]> {
  for (const { service, instances } of slots) for (const instance of instances) yield [service, instance];
}

/** Those that are not said any more. */
function goneBetween(before: readonly Registration[], after: readonly Registration[]): readonly Registration[] {
  // Nearly always what is there is said again.
  const [first] = after;
  if (before.every((instance) => after.length === 1 && first !== undefined && isAt(first, instance))) return NONE;
  const kept = new Set(after.map(addressOf));
  return before.filter((instance) => !kept.has(addressOf(instance)));
}

function isPaused<T>(given: readonly T[] | Paused<readonly T[]>): given is Paused<readonly T[]> {
  return 'next' in given;
}

const NONE: readonly Registration[] = [];

/** Of what is named twice the last, in the place of the first. */
function eachOnce(instances: readonly Registration[]): readonly Registration[] {
  return [...new Map(instances.map((instance) => [addressOf(instance), instance])).values()];
}

function isAt(one: Address, other: Address): boolean {
  return one.port === other.port && one.ip === other.ip;
}

function addressOf({ ip, port }: Address): string {
  return `${ip}:${port}`;
}
