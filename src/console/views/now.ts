import { isAvailable } from '../../registry/available.ts';
import type { Instance } from '../../registry/instance.ts';
import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import type { Banner, EventLine, FailingInstance, FailingService, Keyed, NowFacts, Recovered, Tiles } from '../api.ts';
import { bannersOf, NOTABLE } from '../banners.ts';
import { Foremost } from '../foremost.ts';
import { keyOf, Steady } from '../instance-rows.ts';
import { Lately } from '../lately.ts';
import { AT_ONCE, known, type Look, type LookRoom, paused, type View } from '../look.ts';
import { refOf, serviceRowOf } from '../service-rows.ts';
import type { Happened, Reader } from '../sources.ts';
import { maySee } from '../stream.ts';

/** What fails now, since when and why; how much there is of everything; and what happened last. */
export const now: View = {
  open(params, room) {
    const asked = known(params, []);
    if (typeof asked === 'string') return asked;
    const screen = new Screen(room);
    return { look: (reader) => screen.look(reader), hears: () => true, onlyAtFirst: ONLY_AT_FIRST };
  },
};

/** Who comes back is told of what he missed, and so may hear of some of them twice. */
const ONLY_AT_FIRST: ReadonlySet<string> = new Set(['latest']);

interface Failing {
  readonly service: ServiceName;
  readonly at: number;
}

class Screen {
  readonly #room: LookRoom;
  readonly #steady = new Steady();
  readonly #notable = new Lately(MOST_NOTABLE, ({ cause }) => NOTABLE.has(cause));
  readonly #recovered = new Lately(MOST_REMEMBERED, hasRecovered);
  readonly #latest = new Lately(MOST_LATEST, (happened) => this.#reader !== undefined && maySee(this.#reader, happened));
  #reader: Reader | undefined;

  constructor(room: LookRoom) {
    this.#room = room;
  }

  *look(reader: Reader): Look<'now'> {
    const { pulse } = this.#room;
    this.#reader = reader;
    const { failing, failingCount, tiles } = yield* this.#count(reader);
    const rows: (FailingService & Keyed)[] = [];
    for (const { service } of failing) {
      rows.push(yield* this.#rowOf(service));
      yield undefined;
    }
    const facts: NowFacts = {
      tiles,
      beats: pulse.minutes,
      lastBeats: pulse.last,
      banners: yield* this.#banners(reader),
      failingCount,
      recovered: yield* this.#backAgain(reader),
      latest: yield* this.#last(reader),
    };
    this.#steady.done();
    return { facts, rows };
  }

  /** All services, and of those that fail the ones that failed last. */
  *#count(reader: Reader): Generator<undefined, { failing: readonly Failing[]; failingCount: number; tiles: Tiles }, void> {
    const { registry, health, events } = this.#room;
    const failing = new Foremost<Failing>((a, b) => b.at - a.at, MOST_FAILING);
    let [serving, notServing, looks, instances, healthy, available] = [0, 0, 0, 0, 0, 0];
    for (const namespace of [...registry.namespaces()])
      for (const service of registry.services(namespace)) {
        if (++looks % AT_ONCE === 0) yield undefined;
        if (!reader.maySee(service)) continue;
        const tally = registry.tally(service);
        instances += tally?.total ?? 0;
        healthy += tally?.healthy ?? 0;
        available += tally?.available ?? 0;
        if (health.statusOf(service) === 'serving') serving++;
        else {
          notServing++;
          failing.add({ service, at: events.standingOf(service)?.at ?? 0 });
        }
      }
    const tiles = { serving, notServing, instances, healthy, available, ...this.#ofAll(reader) };
    return { failing: failing.all, failingCount: notServing, tiles };
  }

  /** Of whatever services: for who may see all of them. */
  #ofAll({ maySeeAll }: Reader): Pick<Tiles, 'clients1' | 'clients2' | 'watches' | 'subscribers'> {
    if (!maySeeAll) return {};
    const { registry, nacos, watches } = this.#room;
    return {
      clients1: registry.records.beatingCount,
      clients2: nacos.connectionCount(),
      watches: watches.count(),
      subscribers: nacos.subscriberCount(),
    };
  }

  /** Of very many that fail only the first are looked into. */
  *#rowOf(service: ServiceName): Generator<undefined, FailingService & Keyed, void> {
    const { registry, health } = this.#room;
    const { total = 0, available = 0 } = registry.tally(service) ?? {};
    const first: Instance[] = [];
    let looks = 0;
    const most = Math.min(MOST_NAMED, total - available);
    for (const instance of most === 0 ? [] : (registry.walk(service) ?? [])) {
      if (++looks % AT_ONCE === 0) yield undefined;
      if (isAvailable(instance)) continue;
      first.push(instance);
      if (first.length === most) break;
    }
    const gone = health.gone(service);
    const failing = first.length === 0 ? [] : health.failing(service, first).map((one) => this.#steadied(one));
    const { because } = health.why(service);
    return {
      ...serviceRowOf(service, this.#room),
      ...(because !== undefined && { because }),
      failing: [...failing, ...gone].slice(0, MOST_NAMED),
      failingCount: total - available + gone.length,
    };
  }

  /** What comes of two clocks stays what it was. */
  #steadied(one: FailingInstance): FailingInstance {
    const key = `${serviceKey({ namespace: one.namespace, group: one.group, name: one.service })} ${keyOf(one)}`;
    const steady = (field: 'since' | 'lastBeatAt') => {
      const at = one[field];
      return at === undefined ? {} : { [field]: new Date(this.#steady.of(`${field} ${key}`, Date.parse(at))).toISOString() };
    };
    return { ...one, ...steady('since'), ...steady('lastBeatAt') };
  }

  *#banners({ maySeeAll }: Reader): Generator<undefined, readonly Banner[], void> {
    if (!maySeeAll) return [];
    return bannersOf(this.#room, yield* paused(this.#notable.look(this.#room.events)));
  }

  /** Those that still serve, each once. */
  *#backAgain(reader: Reader): Generator<undefined, readonly Recovered[], void> {
    const { events, health, wallClock } = this.#room;
    const since = wallClock() - BACK_FOR_MS;
    const back = new Map<string, Recovered>();
    for (const { service, at, cause, seq } of (yield* paused(this.#recovered.look(events))).toReversed()) {
      if (service === undefined || at < since || back.size === MOST_BACK) break;
      const key = serviceKey(service);
      if (back.has(key) || !reader.maySee(service) || health.statusOf(service) !== 'serving') continue;
      const failed = events
        .lastOf(service)
        .findLast((one) => one.seq < seq && one.to === 'not-serving' && one.kind === 'service');
      back.set(key, { ...refOf(service), at, cause, ...(failed !== undefined && { since: failed.at }) });
    }
    return [...back.values()];
  }

  *#last(reader: Reader): Generator<undefined, readonly EventLine[], void> {
    const { events } = this.#room;
    const last = yield* paused(this.#latest.look(events));
    return last.filter((happened) => maySee(reader, happened)).map((happened) => events.viewOf(happened, MOST_NAMED));
  }
}

function hasRecovered({ kind, from, to }: Happened): boolean {
  return kind === 'service' && from === 'not-serving' && to === 'serving';
}

/** Of more, those that failed last. */
const MOST_FAILING = 50;
const MOST_NAMED = 5;
const MOST_LATEST = 10;
const MOST_BACK = 10;
/** Some of them are another's, or fail again. */
const MOST_REMEMBERED = 100;
const MOST_NOTABLE = 20;
const BACK_FOR_MS = 600_000;
