import type { MinAvailable } from '../../registry/available.ts';
import { isAvailable } from '../../registry/available.ts';
import type { Instance } from '../../registry/instance.ts';
import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import type { EventLine, FailingInstance, InstanceRow, Keyed, ServiceFacts, SubscriberRow, WatcherRow } from '../api.ts';
import { agentOf, isAddressId } from '../client-rows.ts';
import type { SubscriberSeen } from '../client-sources.ts';
import { instanceRowOf, keyOf, Steady } from '../instance-rows.ts';
import { AT_ONCE, known, type Look, type LookRoom, paged, type View } from '../look.ts';
import { refOf, STATUS_OF, serviceRowOf } from '../service-rows.ts';
import type { Reader } from '../sources.ts';

/** One service: how it is and why, who is in it, who is told of it, what has happened to it, and how it is asked for. */
export const service: View = {
  open(params, room) {
    const asked = known(params, ['namespace', 'group', 'service', 'search', 'page']);
    if (typeof asked === 'string') return asked;
    const { namespace, group, service: name, search, page } = asked;
    if (namespace === undefined || group === undefined || name === undefined) return 'namespace, group and service are needed';
    const one = new OneService({ namespace, group, name }, { search: search?.toLowerCase(), page }, room);
    return { look: (reader) => one.look(reader) };
  },
};

interface Asked {
  /** In lower case. */
  readonly search: string | undefined;
  readonly page: string | undefined;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

class OneService {
  readonly #service: ServiceName;
  readonly #asked: Asked;
  readonly #room: LookRoom;
  readonly #steady = new Steady();
  /** What is left of one that is not known any more, as of the last event then. */
  #remains: { readonly asOf: number; readonly events: readonly EventLine[] } | undefined;

  constructor(name: ServiceName, asked: Asked, room: LookRoom) {
    this.#service = name;
    this.#asked = asked;
    this.#room = room;
  }

  *look(reader: Reader): Look<'service'> {
    const { registry, nacos, watches, health } = this.#room;
    if (!reader.maySee(this.#service)) return { facts: UNKNOWN, rows: [] };
    if (registry.tally(this.#service) === undefined) {
      const events = yield* this.#whatIsLeft();
      return { facts: { ...UNKNOWN, events }, rows: [] };
    }
    const { onPage, firstFailing, failingCount, ...pages } = yield* this.#roll();
    yield undefined;
    const failing = this.#failingOf([...firstFailing, ...onPage.filter((one) => !isAvailable(one))]);
    yield undefined;
    const gone = health.gone(this.#service);
    yield undefined;
    const rows: (InstanceRow & Keyed)[] = [];
    for (const instance of onPage) {
      rows.push(
        instanceRowOf(this.#service, instance, this.#room, { steady: this.#steady, failing: failing.get(keyOf(instance)) }),
      );
      if (rows.length % ROWS_AT_ONCE === 0) yield undefined;
    }
    const watchers = yield* this.#watchers();
    const facts: ServiceFacts = {
      service: serviceRowOf(this.#service, this.#room),
      because: health.why(this.#service).because ?? null,
      pending: this.#pending(),
      failing: [...firstFailing.flatMap((one) => failing.get(keyOf(one)) ?? []), ...gone].slice(0, MOST_NAMED),
      failingCount: failingCount + gone.length,
      events: this.#events(),
      settings: this.#settings(),
      subscribers: {
        count: nacos.subscriberCountOf(this.#service),
        first: firstOf(nacos.subscribersOf(this.#service), MOST_NAMED).map(subscriberRowOf),
      },
      watchers: { count: watches.countOf(this.#service), first: watchers },
      ...pages,
      asking: this.#asking(),
      mayOperate: reader.mayOperate(this.#service),
      isCreated: this.#isCreated(),
    };
    this.#steady.done();
    return { facts, rows };
  }

  /** Who is on the page, those that cannot be called first, each kind in the order they came; and the first of these of all pages. */
  *#roll(): Generator<undefined, Roll, void> {
    const { registry } = this.#room;
    const { search, page } = this.#asked;
    const { total = 0, available = 0 } = registry.tally(this.#service) ?? {};
    const [failing, others]: [Instance[], Instance[]] = [[], []];
    let [looks, failingCount] = [0, 0];
    // Of very many not all have to be looked at: how many there are of each kind is known.
    const enough = search === undefined ? paged(page, total, ON_A_PAGE).page * ON_A_PAGE : Number.POSITIVE_INFINITY;
    for (const instance of registry.walk(this.#service) ?? []) {
      if (++looks % AT_ONCE === 0) yield undefined;
      const isFailing = !isAvailable(instance);
      if (isFailing) failingCount++;
      if (search === undefined || reads(instance, search)) (isFailing ? failing : others).push(instance);
      if (failing.length + others.length >= enough && failingCount >= Math.min(total - available, enough)) break;
    }
    const found = search === undefined ? total : failing.length + others.length;
    const pages = paged(page, found, ON_A_PAGE);
    const from = (pages.page - 1) * ON_A_PAGE;
    return {
      ...pages,
      onPage: [...failing, ...others].slice(from, from + ON_A_PAGE),
      firstFailing: failing.slice(0, MOST_NAMED),
      failingCount: total - available,
    };
  }

  /** Why each of them cannot be called. What comes of two clocks stays what it was. */
  #failingOf(instances: readonly Instance[]): ReadonlyMap<string, FailingInstance> {
    const each = [...new Map(instances.map((instance) => [keyOf(instance), instance])).values()];
    const told = each.length === 0 ? [] : this.#room.health.failing(this.#service, each);
    return new Map(told.map((one) => [keyOf(one), this.#steadied(one)]));
  }

  #steadied(one: FailingInstance): FailingInstance {
    const steady: Mutable<FailingInstance> = { ...one };
    for (const field of ['since', 'lastBeatAt'] as const) {
      const at = one[field];
      if (at !== undefined) steady[field] = new Date(this.#steady.of(`${field} ${keyOf(one)}`, Date.parse(at))).toISOString();
    }
    return steady;
  }

  #pending(): ServiceFacts['pending'] {
    const { pending } = this.#room.health.why(this.#service);
    if (pending === undefined) return null;
    return { status: STATUS_OF[pending.status], at: this.#steady.of('pending', this.#room.wallClock() + pending.inMs) };
  }

  /** With the one by which it is as it is, which may be longer ago than what is kept of it. */
  #events(): readonly EventLine[] {
    const { events } = this.#room;
    const last = events.lastOf(this.#service);
    const standing = events.standingOf(this.#service);
    const all = standing === undefined || last.some(({ seq }) => seq === standing.seq) ? last : [standing, ...last];
    return all.map((happened) => events.viewOf(happened, MOST_NAMED));
  }

  *#whatIsLeft(): Generator<undefined, readonly EventLine[], void> {
    const { events } = this.#room;
    const asOf = events.lastSeq();
    if (this.#remains?.asOf === asOf) return this.#remains.events;
    const key = serviceKey(this.#service);
    const found: EventLine[] = [];
    let looks = 0;
    for (const happened of events.latest()) {
      if (++looks % AT_ONCE === 0) yield undefined;
      if (happened.service === undefined || serviceKey(happened.service) !== key) continue;
      found.push(events.viewOf(happened, MOST_NAMED));
      if (found.length >= MOST_EVENTS) break;
    }
    this.#remains = { asOf, events: found.reverse() };
    return this.#remains.events;
  }

  /** Those who watch by the same name from the same address, as one: the first few of them. */
  *#watchers(): Generator<undefined, readonly WatcherRow[], void> {
    const rows = new Map<string, Mutable<WatcherRow>>();
    let looks = 0;
    for (const { name, ip } of this.#room.watches.of(this.#service)) {
      if (++looks % AT_ONCE === 0) yield undefined;
      const key = `${ip} ${name}`;
      const row = rows.get(key);
      if (row !== undefined) row.count++;
      else if (rows.size < MOST_NAMED) rows.set(key, { name, ip, count: 1 });
    }
    return [...rows.values()];
  }

  #settings(): ServiceFacts['settings'] {
    const { registry, nacos } = this.#room;
    const { protectThreshold, metadata } = nacos.settingsOf(this.#service);
    const minAvailable = registry.settings(this.#service)?.minAvailable;
    return {
      ...(minAvailable !== undefined && { minAvailable: textOf(minAvailable) }),
      ...(protectThreshold > 0 && { protectThreshold }),
      metadata,
    };
  }

  #asking(): ServiceFacts['asking'] {
    const { health, listening } = this.#room;
    const where = listening();
    if (where === undefined) return null;
    const { main, health: port, tls, tlsOnly } = where;
    const name = health.nameOf(this.#service);
    return { name, main, health: port, ...(tls !== undefined && { tls }), tlsOnly, needsLogin: health.needsLogin };
  }

  #isCreated(): boolean {
    const record = this.#room.registry.records.ofService(this.#service);
    return record?.kind === 'service' && record.settings !== null;
  }
}

interface Roll {
  readonly onPage: readonly Instance[];
  readonly page: number;
  readonly pages: number;
  readonly firstFailing: readonly Instance[];
  readonly failingCount: number;
}

const UNKNOWN: ServiceFacts = {
  service: null,
  because: null,
  pending: null,
  failing: [],
  failingCount: 0,
  events: [],
  settings: null,
  subscribers: { count: 0, first: [] },
  watchers: { count: 0, first: [] },
  page: 1,
  pages: 1,
  asking: null,
  mayOperate: false,
  isCreated: false,
};

function reads({ ip, port, cluster, metadata }: Instance, search: string): boolean {
  if (`${ip}:${port}`.includes(search) || cluster.toLowerCase().includes(search)) return true;
  return Object.entries(metadata).some(([key, value]) => `${key}=${value}`.toLowerCase().includes(search));
}

function subscriberRowOf({ clientId, service: name, ip, port, app, agent }: SubscriberSeen): SubscriberRow {
  const by = isAddressId(clientId) ? 'datagrams' : 'connection';
  return { ...refOf(name), clientId, ip, port, ...agentOf(agent, app), by };
}

function textOf(min: MinAvailable): string {
  return 'count' in min ? String(min.count) : `${min.percent}%`;
}

function firstOf<T>(all: Iterable<T>, most: number): T[] {
  const first: T[] = [];
  for (const one of all) {
    first.push(one);
    if (first.length >= most) break;
  }
  return first;
}

const ON_A_PAGE = 100;
const MOST_NAMED = 20;
const MOST_EVENTS = 20;
/** Each is looked up in several places. */
const ROWS_AT_ONCE = 25;
