import type { Address } from '../../registry/instance.ts';
import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import type { EventLine, IfStopped, InstanceFacts, InstanceRow, ServiceRow } from '../api.ts';
import { conditionOf } from '../client-rows.ts';
import { instanceRowOf, Steady } from '../instance-rows.ts';
import { Lately } from '../lately.ts';
import { known, type Look, type LookRoom, type View } from '../look.ts';
import { refOf, STATUS_OF, serviceRowOf } from '../service-rows.ts';
import type { Happened, Reader } from '../sources.ts';

/** One instance: how it is, when it was heard lately, what has happened to it, where else it is, and what would follow if it stopped. */
export const instance: View = {
  open(params, room) {
    const asked = known(params, ['namespace', 'group', 'service', 'ip', 'port']);
    if (typeof asked === 'string') return asked;
    const { namespace, group, service: name, ip, port } = asked;
    if (namespace === undefined || group === undefined || name === undefined || ip === undefined || port === undefined)
      return 'namespace, group, service, ip and port are needed';
    if (!/^\d{1,5}$/.test(port)) return `port must be 0..65535, got ${JSON.stringify(port.slice(0, 20))}`;
    const one = new OneInstance({ namespace, group, name }, { ip, port: Number(port) }, room);
    return { look: (reader) => one.look(reader) };
  },
};

/** What is kept of it for as long as somebody looks. */
class OneInstance {
  readonly #service: ServiceName;
  readonly #address: Address;
  readonly #room: LookRoom;
  readonly #steady = new Steady();
  readonly #events: Lately;
  readonly #elsewhere: Elsewhere;
  #beats: readonly number[] = [];

  constructor(service: ServiceName, address: Address, room: LookRoom) {
    this.#service = service;
    this.#address = address;
    this.#room = room;
    this.#events = new Lately(MOST_EVENTS, (happened) => this.#isAbout(happened));
    for (const happened of room.events.lastOf(service)) if (happened.seq < room.events.oldestSeq()) this.#events.note(happened);
    this.#elsewhere = new Elsewhere(service, address, room);
  }

  *look(reader: Reader): Look<'instance'> {
    const { registry } = this.#room;
    const service = this.#service;
    if (!reader.maySee(service)) return { facts: NOTHING, rows: [] };
    const events = yield* this.#events.look(this.#room.events);
    const elsewhere = yield* this.#elsewhere.look(reader);
    const found = registry.instance(service, this.#address);
    const row = found && instanceRowOf(service, found, this.#room, { steady: this.#steady });
    this.#steady.done();
    this.#noteBeat(row?.lastBeatAt);
    const ofService = registry.tally(service) && serviceRowOf(service, this.#room);
    const facts: InstanceFacts = {
      instance: row ?? null,
      service: ofService ?? null,
      beats: this.#beats,
      events: events.map((happened) => this.#lineOf(happened)),
      elsewhere,
      ifStopped: row !== undefined && ofService !== undefined ? this.#ifStopped(row, ofService) : null,
      mayOperate: reader.mayOperate(service),
    };
    return { facts, rows: [] };
  }

  /** Each is seen that is the last at some look, of which there is one a second. */
  #noteBeat(at: number | undefined): void {
    if (at === undefined || at <= (this.#beats.at(-1) ?? 0)) return;
    this.#beats = [...this.#beats, at].slice(-MOST_BEATS);
  }

  #isAbout({ service, instances }: Happened): boolean {
    if (service === undefined || instances === undefined || serviceKey(service) !== serviceKey(this.#service)) return false;
    return instances.some((one) => this.#isThis(one));
  }

  #isThis({ ip, port }: Address): boolean {
    return port === this.#address.port && ip === this.#address.ip;
  }

  /** Of those who shared its fate only how many. */
  #lineOf(happened: Happened): EventLine {
    const line = this.#room.events.viewOf(happened);
    return {
      ...line,
      count: line.count ?? line.instances?.length ?? 1,
      instances: line.instances?.filter((one) => this.#isThis(one)) ?? [],
    };
  }

  /** At first: of those that beat it is unhealthy then, and still counted. */
  #ifStopped({ kind, available, unhealthyAfterMs, removedAfterMs }: InstanceRow, service: ServiceRow): IfStopped {
    const isGone = kind === 'connection';
    const left = this.#room.health.without(this.#service, { available: available ? 1 : 0, total: isGone ? 1 : 0 });
    const { watchers, subscribers } = service;
    return {
      ...(isGone && { unhealthyAfterMs: 0, removedAfterMs: 0 }),
      ...(kind === 'beat' && { unhealthyAfterMs: Math.min(unhealthyAfterMs, removedAfterMs), removedAfterMs }),
      ...left,
      status: STATUS_OF[left.status],
      watchers,
      subscribers,
    };
  }
}

/** Every other service at the address. Of very many instances each is looked at, so that is done again only after a while. */
class Elsewhere {
  readonly #service: ServiceName;
  readonly #address: Address;
  readonly #room: LookRoom;
  #found: readonly ServiceName[] = [];
  #notBefore = 0;

  constructor(service: ServiceName, address: Address, room: LookRoom) {
    this.#service = service;
    this.#address = address;
    this.#room = room;
  }

  *look(reader: Reader): Generator<undefined, InstanceFacts['elsewhere']> {
    const { registry, now } = this.#room;
    if (now() >= this.#notBefore) yield* this.#search(reader);
    return this.#found.flatMap((service) => {
      const there = registry.instance(service, this.#address);
      return there !== undefined && reader.maySee(service) ? [{ ...refOf(service), ...conditionOf(there) }] : [];
    });
  }

  *#search(reader: Reader): Generator<undefined, void> {
    const { registry, now } = this.#room;
    const { ip, port } = this.#address;
    const began = now();
    const found = new Map<string, ServiceName>();
    for (const located of registry.drains.at(port, (other) => other === ip)) {
      if (located === undefined) yield undefined;
      else if (found.size < MOST_ELSEWHERE && reader.maySee(located.service))
        found.set(serviceKey(located.service), located.service);
    }
    found.delete(serviceKey(this.#service));
    this.#found = [...found.values()];
    this.#notBefore = now() + Math.min(MOST_PAUSE_MS, (now() - began) * PAUSE_FOR_EACH);
  }
}

const NOTHING: InstanceFacts = {
  instance: null,
  service: null,
  beats: [],
  events: [],
  elsewhere: [],
  ifStopped: null,
  mayOperate: false,
};

const MOST_BEATS = 120;
const MOST_EVENTS = 50;
const MOST_ELSEWHERE = 500;
/** A thousandth of the time. */
const PAUSE_FOR_EACH = 1_000;
const MOST_PAUSE_MS = 10_000;
