import type { Options } from '../options.ts';
import type { Registry } from '../registry/registry.ts';
import type { Totals } from '../wire/http2/totals.ts';
import type { Refused } from '../wire/refused.ts';
import type { Look } from './readiness.ts';

/** How much of a limit is used. */
export interface Use {
  readonly name: string;
  readonly used: number;
  readonly most: number;
}

/** Whatever uses something of which there is a limit in all. */
export interface Users {
  readonly options: Options;
  readonly registry: Pick<Registry, 'accounts'>;
  readonly seats: { readonly count: number; readonly most: number };
  readonly watches: { readonly count: number };
  readonly events: { readonly streams: { readonly count: number } };
  readonly nacos: { readonly uses: () => readonly Use[] };
  readonly bodies: { readonly bytes: number };
  readonly http2Totals: Pick<Totals, 'unreadBytes' | 'unsentBytes' | 'counts'>;
  readonly refused: Refused;
}

/** All limits in a line: what is used of each, and what has been refused since the start, by which limit. Well as long as none is used up. */
export function lookAtLimits(users: Users): Look {
  const uses = usesOf(users);
  const refused = [...users.refused.counts, ...users.http2Totals.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const used = uses.map(({ name, used, most }) => `${name} ${used} of ${most}`).join(', ');
  const told = refused.map(([reason, count]) => `${reason} ${count}`).join(', ');
  return {
    ok: uses.every(({ used, most }) => used < most),
    says: `${used}; refused: ${told === '' ? 'nothing' : told}`,
  };
}

/** How much of each limit in all is used. */
export function usesOf({
  options,
  registry,
  seats,
  watches,
  events,
  nacos,
  bodies,
  http2Totals,
}: Omit<Users, 'refused'>): readonly Use[] {
  const { services, instances, metadataSize } = registry.accounts.all;
  return [
    { name: 'connections', used: seats.count, most: seats.most },
    { name: 'watches', used: watches.count, most: options.maxWatches },
    { name: 'event streams', used: events.streams.count, most: options.maxEventStreams },
    { name: 'services', used: services, most: options.maxServices },
    { name: 'instances', used: instances, most: options.maxInstances },
    { name: 'characters of metadata', used: metadataSize, most: options.maxMetadataInAll },
    ...nacos.uses(),
    { name: 'bytes held', used: bodies.bytes, most: options.maxHeldBytesInAll },
    { name: 'bytes unread', used: http2Totals.unreadBytes, most: options.maxUnreadBytesInAll },
    { name: 'bytes unsent', used: http2Totals.unsentBytes, most: options.maxUnsentBytesInAll },
  ];
}
