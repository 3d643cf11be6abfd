import type { Address } from '../../registry/instance.ts';
import { groupedName, type ServiceName } from '../../registry/service-name.ts';
import type { ServicesFacts } from '../api.ts';
import { Foremost } from '../foremost.ts';
import { AT_ONCE, known, type Look, type LookRoom, paged, type View } from '../look.ts';
import { STATUS_OF, serviceRowOf } from '../service-rows.ts';
import type { Reader } from '../sources.ts';

/** All services, those that are looked for, a page of them: those that fail first, unless another order is asked for. */
export const services: View = {
  open(params, room) {
    const asked = known(params, ['search', 'namespace', 'group', 'status', 'sort', 'page']);
    if (typeof asked === 'string') return asked;
    const { sort = 'status', status } = asked;
    if (!SORTS.has(sort)) return `sort must be one of ${[...SORTS.keys()].join(', ')}`;
    if (status !== undefined && !Object.values(STATUS_OF).some((word) => word === status))
      return `status must be one of ${Object.values(STATUS_OF).join(', ')}`;
    return { look: (reader) => look({ ...asked, sort }, reader, room) };
  },
};

interface Asked {
  readonly search?: string;
  readonly namespace?: string;
  readonly group?: string;
  readonly status?: string;
  readonly sort: string;
  readonly page?: string;
}

/** One that is found, with as much of it as it is sorted by. */
interface Found {
  readonly service: ServiceName;
  readonly isServing: boolean;
  readonly at: number;
  readonly available: number;
}

function* look(asked: Asked, reader: Reader, room: LookRoom): Look<'services'> {
  const { registry, health, events } = room;
  const isMeant = meantBy(asked.search, room);
  // Beyond the last page is the last: as many as there are may be needed.
  const most = paged(asked.page, registry.serviceCount, ON_A_PAGE).page * ON_A_PAGE;
  const foremost = new Foremost<Found>(SORTS.get(asked.sort) ?? byStatus, most);
  const [namespaces, groups] = [new Set<string>(), new Set<string>()];
  let [all, found, serving, looks] = [0, 0, 0, 0];
  for (const namespace of [...registry.namespaces()])
    for (const service of registry.services(namespace)) {
      if (++looks % AT_ONCE === 0) yield undefined;
      if (!reader.maySee(service)) continue;
      const status = health.statusOf(service);
      const isServing = status === 'serving';
      all++;
      if (isServing) serving++;
      namespaces.add(namespace);
      if (groups.size < MOST_GROUPS) groups.add(service.group);
      if (asked.namespace !== undefined && asked.namespace !== namespace) continue;
      if (asked.group !== undefined && asked.group !== service.group) continue;
      if (asked.status !== undefined && asked.status !== STATUS_OF[status]) continue;
      if (!isMeant(service)) continue;
      const available = registry.tally(service)?.available ?? 0;
      found++;
      foremost.add({ service, isServing, at: events.standingOf(service)?.at ?? 0, available });
    }
  const { page, pages } = paged(asked.page, found, ON_A_PAGE);
  const rows: ReturnType<typeof serviceRowOf>[] = [];
  for (const { service } of foremost.all.slice((page - 1) * ON_A_PAGE, page * ON_A_PAGE)) {
    if (rows.length % ROWS_AT_ONCE === 0) yield undefined;
    rows.push(serviceRowOf(service, room));
  }
  const facts: ServicesFacts = {
    found,
    all,
    serving,
    notServing: all - serving,
    page,
    pages,
    namespaces: [...namespaces].sort(),
    groups: [...groups].sort(),
  };
  return { facts, rows };
}

/** Which services somebody looks for: by a part of the name, with the group before it or without; or by the address of an instance. */
function meantBy(search: string | undefined, { registry }: LookRoom): (service: ServiceName) => boolean {
  if (search === undefined) return () => true;
  const text = search.trim().toLowerCase();
  const address = addressIn(text);
  return (service) => {
    const name = text.includes('@@') ? groupedName(service) : service.name;
    if (name.toLowerCase().includes(text)) return true;
    return address !== undefined && registry.instance(service, address) !== undefined;
  };
}

function addressIn(text: string): Address | undefined {
  const [, ip, port] = /^(?:\[?)([\d.a-f:]+?)(?:\]?):(\d{1,5})$/.exec(text) ?? [];
  return ip === undefined ? undefined : { ip, port: Number(port) };
}

type Order = (a: Found, b: Found) => number;

function byName(a: Found, b: Found): number {
  const [x, y] = [a.service, b.service];
  return compare(x.name, y.name) || compare(x.group, y.group) || compare(x.namespace, y.namespace);
}

/** Those that fail first, of these the one that changed last; else by name, so that nothing moves that has not changed. */
function byStatus(a: Found, b: Found): number {
  if (a.isServing !== b.isServing) return a.isServing ? 1 : -1;
  return (a.isServing ? 0 : b.at - a.at) || byName(a, b);
}

const SORTS: ReadonlyMap<string, Order> = new Map(
  Object.entries({
    status: byStatus,
    name: byName,
    // By how long it is ago.
    since: (a: Found, b: Found) => b.at - a.at || byName(a, b),
    available: (a: Found, b: Found) => a.available - b.available || byName(a, b),
  }).flatMap(([name, order]): [string, Order][] => [
    [name, order],
    [`-${name}`, (a, b) => order(b, a)],
  ]),
);

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const ON_A_PAGE = 100;
const ROWS_AT_ONCE = 20;
/** Nobody chooses from more. */
const MOST_GROUPS = 1_000;
