import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Keyed, ServiceRef, ServiceRow, Status } from './api.ts';
import type { Happened, Sources, Standing } from './sources.ts';

/** A service as it stands in lists. */

export type RowSources = Pick<Sources, 'registry' | 'health' | 'events' | 'watches' | 'nacos' | 'wallClock'>;

export function refOf({ namespace, group, name }: ServiceName): ServiceRef {
  return { namespace, group, service: name };
}

export const STATUS_OF: Readonly<Record<Standing, Status>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
};

export function serviceRowOf(service: ServiceName, sources: RowSources): ServiceRow & Keyed {
  const { registry, health, events, watches, nacos } = sources;
  const { available = 0, total = 0, needed = 0 } = health.countsOf(service) ?? {};
  const standing = events.standingOf(service);
  return {
    key: serviceKey(service),
    ...refOf(service),
    status: STATUS_OF[health.statusOf(service)],
    available,
    total,
    needed,
    healthy: registry.tally(service)?.healthy ?? 0,
    ...(standing !== undefined && { since: standing.at, cause: standing.cause }),
    watchers: watches.countOf(service),
    subscribers: nacos.subscriberCountOf(service),
    hour: hourOf(service, sources),
  };
}

const HOUR_MS = 3_600_000;

/** Of what is kept of it, from when on it had which status within the last hour: first the one that it began the hour with, since whenever. */
function hourOf(service: ServiceName, { events, wallClock }: RowSources): [number, Status][] {
  const began = wallClock() - HOUR_MS;
  const hour: [number, Status][] = [];
  const note = ({ kind, at, to }: Happened) => {
    if (kind !== 'service' || to === undefined) return;
    const status = STATUS_OF[to as Standing];
    if (status === undefined) return;
    if (at < began) hour[0] = [at, status];
    else hour.push([at, status]);
  };
  const standing = events.standingOf(service);
  const last = events.lastOf(service);
  // By what it became what it is, which may be longer ago than what is kept of it.
  if (standing !== undefined && !last.some(({ seq }) => seq === standing.seq)) note(standing);
  for (const happened of last) note(happened);
  return hour;
}
