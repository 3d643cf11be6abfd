import type { ServiceName } from '../../registry/service-name.ts';
import type { ServicesFacts } from '../api.ts';
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
}

function* look(asked: Asked, reader: Reader, room: LookRoom): Look<'services'> {
  const { registry, health, events } = room;
  const search = asked.search?.toLowerCase();
  const found: Found[] = [];
  const [namespaces, groups] = [new Set<string>(), new Set<string>()];
  let [all, serving, looks] = [0, 0, 0];
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
      if (search !== undefined && !service.name.toLowerCase().includes(search)) continue;
      found.push({ service, isServing, at: events.standingOf(service)?.at ?? 0 });
    }
  found.sort(SORTS.get(asked.sort) ?? byStatus);
  const { page, pages } = paged(asked.page, found.length, ON_A_PAGE);
  yield undefined;
  const rows = found.slice((page - 1) * ON_A_PAGE, page * ON_A_PAGE).map(({ service }) => serviceRowOf(service, room));
  const facts: ServicesFacts = {
    found: found.length,
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

const SORTS: ReadonlyMap<string, Order> = new Map([
  ['status', byStatus],
  ['name', byName],
  ['-name', (a, b) => byName(b, a)],
  ['since', (a, b) => b.at - a.at || byName(a, b)],
]);

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const ON_A_PAGE = 100;
/** Nobody chooses from more. */
const MOST_GROUPS = 1_000;
