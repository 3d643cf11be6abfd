import type { Logger } from 'pino';
import type { Registry } from '../../registry/registry.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import { Rounds } from '../../wire/rounds.ts';
import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import { canBePushed, isGoClient } from '../agents.ts';
import { shown } from '../errors.ts';
import type { ListText } from '../list-text.ts';
import type { Lists } from '../lists.ts';
import { Gathered, strictlyRising } from '../pushes.ts';
import type { Switches } from '../switches.ts';
import { datagramOf, fits, referenceIn } from './datagrams.ts';
import { Flow, targetKeyOf } from './flow.ts';
import { type List, type Poller, Pollers, type PollersLimits, type PollersRooms, type Told, type Topic } from './pollers.ts';
import { Sockets } from './sockets.ts';

/**
 * Telling the clients of Nacos 1.x of changes by UDP, which makes them poll less often. A push goes to the address that a request came
 * from and nowhere else (unless an option says so). What it may cost a target is `Flow`'s to say, and who is told `Pollers`'.
 */
export class Pusher {
  readonly #options: PusherOptions;
  readonly #pollers: Pollers;
  readonly #flow: Flow<Told>;
  readonly #sockets: Sockets;
  readonly #changed: Gathered<Topic>;
  readonly #tellings: Rounds<Told>;
  /** Unique, and small enough that a client that reads it as a double gives it back unharmed. */
  readonly #nextRef: () => number;
  #cancelInspection: Cancel | undefined;

  constructor(options: PusherOptions) {
    const { registry, now, wallClock, limits, log } = options;
    this.#options = options;
    this.#pollers = new Pollers(now, limits, options);
    this.#sockets = new Sockets(
      (message, from) => this.#acknowledged(message, from),
      (err) => log.warn({ err }, 'udp socket failed'),
    );
    this.#flow = new Flow(now, {
      send: (bytes, ip, port) => this.#sockets.send(bytes, ip, port),
      tell: (told) => this.#tell(told),
      mayHear,
    });
    this.#nextRef = strictlyRising(() => Math.floor(wallClock()) * 1_000);
    this.#tellings = new Rounds(options.scheduler, TOLD_A_ROUND, (told) => this.#tell(told));
    this.#changed = new Gathered(options, (topics) => {
      for (const told of this.#pollers.current(topics)) this.#tellings.add(told);
    });
    registry.onChange((service) => {
      const topic = this.#pollers.topic(service);
      if (topic === undefined) return;
      topic.lists.clear();
      this.#changed.add(topic);
    });
    // How long a list is good for stands in it.
    options.switches.onChange(() => this.#pollers.forgetLists());
  }

  /**
   * Notes that the poller wants to hear of the service, or still does. Answers how long it may go by what it has now, in
   * milliseconds: long when pushes reach it, short when it has to poll. `empty`: there is nothing in what it has.
   */
  subscribe(service: ServiceName, poller: Poller, empty: boolean): number {
    const { values } = this.#options.switches;
    const { defaultCacheMillis, defaultPushCacheMillis } = values;
    if (!values.pushEnabled || !canBePushed(poller.agent, values)) return defaultCacheMillis;
    const told = this.#pollers.note(service, poller, empty);
    if (told === undefined) return defaultCacheMillis;
    this.#flow.asked(told);
    this.#cancelInspection ??= this.#options.scheduler.every(INSPECT_EVERY_MS, () => this.#inspect());
    return told.tooLarge || told.target.silent ? defaultCacheMillis : defaultPushCacheMillis;
  }

  /** Those who are told of the service. */
  subscribers(service: ServiceName): Poller[] {
    const topic = this.#pollers.topic(service);
    return topic === undefined ? [] : [...this.#pollers.current([topic])];
  }

  /** How many subscriptions there are. */
  get count(): number {
    return this.#pollers.count;
  }

  /** Everybody who is told of something, with the service. */
  all(): IterableIterator<Poller & { readonly service: ServiceName }> {
    return this.#pollers.current();
  }

  /** What has been sent, acknowledged and given up since the start. */
  get counts(): Flow<Told>['counts'] {
    return this.#flow.counts;
  }

  /** Sends nothing more. */
  close(): void {
    this.#changed.close();
    this.#tellings.close();
    this.#cancelInspection?.();
    this.#sockets.close();
  }

  #tell(told: Told): void {
    if (!this.#options.switches.values.pushEnabled || told.expiresAt < this.#options.now() || !mayHear(told)) return;
    const list = told.awaited ?? this.#listFor(told);
    told.awaited = undefined;
    if (list instanceof Promise) {
      // Too long to be made in one turn.
      void list.then((made) => {
        told.awaited = made;
        this.#tellings.add(told);
      });
      return;
    }
    // Whoever had to wait may have been told of it already, as soon as there was room.
    if (told.toldRef !== list.datagram.ref) this.#push(told, list);
  }

  /** Pollers that ask in the same way get the same datagram, made once after each change. */
  #listFor(told: Told): List | Promise<List> {
    const { lists } = told.topic;
    const kind = `${told.grouped} ${told.clustersVerbatim}`;
    const known = lists.get(kind);
    if (known !== undefined) return known;
    const list = this.#made(told);
    if (lists.size < MAX_KEPT_LISTS) {
      lists.set(kind, list);
      if (list instanceof Promise)
        void list.then((made) => {
          if (lists.get(kind) === list) lists.set(kind, made);
        });
    }
    return list;
  }

  #made({ service, clusters, clustersVerbatim, grouped }: Told): List | Promise<List> {
    const { lists, switches, wallClock } = this.#options;
    const lastRefTime = wallClock();
    const made = (text: ListText): List => {
      const { json } = text.at({ cacheMillis: switches.values.defaultPushCacheMillis, lastRefTime, env: '' });
      return { isEmpty: text.isEmpty, datagram: datagramOf(json, this.#nextRef()) };
    };
    const text = lists.of(service, { clusters, clustersVerbatim, grouped, healthyOnly: false });
    return text instanceof Promise ? text.then(made) : made(text);
  }

  #push(told: Told, { isEmpty, datagram }: List): void {
    // An operator may have raised the least version since it asked.
    if (!canBePushed(told.agent, this.#options.switches.values)) return;
    if (isEmpty) this.#pollers.keepLong(told);
    // A push that a client cannot take whole is worse than none: it polls, and soon.
    told.tooLarge = !fits(datagram, isGoClient(told.agent));
    if (!told.tooLarge && this.#flow.offer(told, datagram)) told.toldRef = datagram.ref;
  }

  #acknowledged(message: Buffer, { address, port }: { readonly address: string; readonly port: number }): void {
    const ref = referenceIn(message);
    if (ref === undefined) {
      this.#options.log.debug({ from: address, text: shown(message.toString('latin1')) }, 'datagram is no acknowledgement');
      return;
    }
    const told = this.#flow.acknowledged(targetKeyOf(address, port), ref);
    // To Go's client a push is as good as an answer: it does not ask while pushes come (nacos-sdk-go 1.1.6, asyncUpdateService).
    if (told !== undefined && isGoClient(told.agent)) this.#pollers.keep(told);
  }

  #inspect(): void {
    this.#flow.repeat();
    this.#pollers.dropExpired();
    if (this.#pollers.count > 0 || this.#flow.counts.waiting > 0) return;
    this.#cancelInspection?.();
    this.#cancelInspection = undefined;
  }
}

export interface PusherOptions extends PollersRooms {
  readonly registry: Registry;
  readonly lists: Lists;
  readonly switches: Switches;
  readonly scheduler: Scheduler;
  /** How long to wait for more changes before a push, in milliseconds. */
  readonly delayMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly limits: PollersLimits;
  readonly log: Logger;
}

/** It may have lost the right since it polled. When it polls the next time it hears of that. */
function mayHear({ permit, service }: Told): boolean {
  return permit?.user === undefined || permit.stillCovers({ kind: 'naming', ...service });
}

const INSPECT_EVERY_MS = 1_000;
/** To each its own write to a socket. */
const TOLD_A_ROUND = 512;
/** Of one service; callers may spell clusters as they like. */
const MAX_KEPT_LISTS = 16;
