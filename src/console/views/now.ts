import type { ServiceName } from '../../registry/service-name.ts';
import type { NowFacts } from '../api.ts';
import { AT_ONCE, known, type Look, type LookRoom, type View } from '../look.ts';
import { serviceRowOf } from '../service-rows.ts';
import type { Reader } from '../sources.ts';

/** What fails now, since when and why; and how much there is of everything. */
export const now: View = {
  open(params, room) {
    const asked = known(params, []);
    if (typeof asked === 'string') return asked;
    return { look: (reader) => look(reader, room), hears: () => true };
  },
};

function* look(reader: Reader, room: LookRoom): Look<'now'> {
  const { registry, health, events, watches, nacos, pulse } = room;
  const failing: { readonly service: ServiceName; readonly at: number }[] = [];
  let [serving, looks, instances, healthy, available] = [0, 0, 0, 0, 0];
  for (const namespace of [...registry.namespaces()])
    for (const service of registry.services(namespace)) {
      if (++looks % AT_ONCE === 0) yield undefined;
      if (!reader.maySee(service)) continue;
      const tally = registry.tally(service);
      instances += tally?.total ?? 0;
      healthy += tally?.healthy ?? 0;
      available += tally?.available ?? 0;
      if (health.statusOf(service) === 'serving') serving++;
      else failing.push({ service, at: events.standingOf(service)?.at ?? 0 });
    }
  failing.sort((a, b) => b.at - a.at);
  const rows = [];
  for (const { service } of failing.slice(0, MOST_FAILING)) {
    const { because, failing: who, failingCount } = health.explain(service, MOST_NAMED);
    rows.push({ ...serviceRowOf(service, room), ...(because !== undefined && { because }), failing: who, failingCount });
    yield undefined;
  }
  const facts: NowFacts = {
    tiles: {
      serving,
      notServing: failing.length,
      instances,
      healthy,
      available,
      clients1: registry.records.beatingCount,
      clients2: nacos.connectionCount(),
      watches: watches.count(),
      subscribers: nacos.subscriberCount(),
    },
    beats: { points: pulse.points },
    banners: [],
    failingCount: failing.length,
  };
  return { facts, rows };
}

/** Of more, those that failed last. */
const MOST_FAILING = 50;
const MOST_NAMED = 5;
