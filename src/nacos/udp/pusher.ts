import type { Logger } from 'pino';
import type { Registry } from '../../registry/registry.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import { canBePushed, isGoClient } from '../agents.ts';
import { shown } from '../errors.ts';
import type { ListText } from '../list-text.ts';
import type { Lists } from '../lists.ts';
import { Gathered, strictlyRising } from '../pushes.ts';
import type { Switches } from '../switches.ts';
import { type Datagram, datagramOf, fits, referenceIn } from './datagrams.ts';
import { Flow, targetKeyOf } from './flow.ts';
import { type Poller, Pollers, type PollersLimits, type Told, type Topic } from './pollers.ts';
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
  /** Unique, and small enough that a client that reads it as a double gives it back unharmed. */
  readonly #nextRef: () => number;
  #cancelInspection: Cancel | undefined;
  #isClosed = false;

  constructor(options: PusherOptions) {
    const { registry, now, wallClock, limits, log } = options;
    this.#options = options;
    this.#pollers = new Pollers(now, limits);
    this.#sockets = new Sockets(
      (message, from) => this.#acknowledged(message, from),
      (err) => log.warn({ err }, 'udp socket failed'),
    );
    this.#flow = new Flow(now, {
      send: (bytes, ip, port) => this.#sockets.send(bytes, ip, port),
      tell: (told) => {
        if (options.switches.values.pushEnabled) this.#withList(told, (list) => this.#push(told, list));
      },
    });
    this.#nextRef = strictlyRising(() => Math.floor(wallClock()) * 1_000);
    this.#changed = new Gathered(options, (topics) => this.#flush(topics));
    registry.onChange((service) => {
      const topic = this.#pollers.topic(service);
      if (topic !== undefined) this.#changed.add(topic);
    });
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

  /** Everybody who is told of something, with the service. */
  all(): IterableIterator<Poller & { readonly service: ServiceName }> {
    return this.#pollers.current();
  }

  /** What has been sent, acknowledged and given up since the start, or since the counts began anew. */
  get counts(): Flow<Told>['counts'] {
    return this.#flow.counts;
  }

  /** Counts from 0. */
  resetCounts(): void {
    this.#flow.resetCounts();
  }

  /** Sends nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#changed.close();
    this.#cancelInspection?.();
    this.#sockets.close();
  }

  #flush(topics: Iterable<Topic>): void {
    if (!this.#options.switches.values.pushEnabled) return;
    for (const topic of topics) {
      // Pollers that asked in the same way get the same datagram, made once.
      const alike = new Map<string, Told[]>();
      for (const told of this.#pollers.current([topic])) {
        const kind = `${told.grouped} ${told.clustersVerbatim}`;
        const others = alike.get(kind);
        if (others === undefined) alike.set(kind, [told]);
        else others.push(told);
      }
      for (const [first, ...others] of alike.values()) {
        if (first === undefined) continue;
        this.#withList(first, (list) => {
          for (const told of [first, ...others]) this.#push(told, list);
        });
      }
    }
  }

  /** At once, but for a list that is too long to be made in one turn. */
  #withList({ service, clusters, clustersVerbatim, grouped }: Told, use: (list: List) => void): void {
    const { lists, switches, wallClock } = this.#options;
    const lastRefTime = wallClock();
    const text = lists.of(service, { clusters, clustersVerbatim, grouped, healthyOnly: false });
    const made = (list: ListText) => {
      const { json } = list.at({ cacheMillis: switches.values.defaultPushCacheMillis, lastRefTime, env: '' });
      use({ isEmpty: list.isEmpty, datagram: datagramOf(json, this.#nextRef()) });
    };
    if (!(text instanceof Promise)) made(text);
    else
      void text.then((list) => {
        if (!this.#isClosed) made(list);
      });
  }

  #push(told: Told, { isEmpty, datagram }: List): void {
    // An operator may have raised the least version since it asked.
    if (!canBePushed(told.agent, this.#options.switches.values)) return;
    if (isEmpty) this.#pollers.keepLong(told);
    // A push that a client cannot take whole is worse than none: it polls, and soon.
    told.tooLarge = !fits(datagram, isGoClient(told.agent));
    if (!told.tooLarge) this.#flow.offer(told, datagram);
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

export interface PusherOptions {
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

/** What is told, and whether there is any instance in it. */
interface List {
  readonly isEmpty: boolean;
  readonly datagram: Datagram;
}

const INSPECT_EVERY_MS = 1_000;
