import type { Registry } from '../../registry/registry.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import type { ListText } from '../list-text.ts';
import type { Lists } from '../lists.ts';
import { strictlyRising } from '../pushes.ts';
import type { Switches } from '../switches.ts';
import type { ClusterQuery } from './bodies.ts';
import { ServiceInfo } from './messages.ts';

/** Makes the lists that clients of 2.x and 3.x read, each with a time of its own: they drop what is not newer than what they have. */
export class ServiceInfos {
  readonly #rooms: ServiceInfosRooms;
  readonly #nextRefTime: () => number;

  constructor(rooms: ServiceInfosRooms) {
    this.#rooms = rooms;
    // Never the same twice: Go's and Python's clients drop what is not newer.
    this.#nextRefTime = strictlyRising(rooms.wallClock);
  }

  /** At once, but for a list that is too long to be made in one turn of the event loop. */
  of(
    service: ServiceName,
    { clusters, clustersVerbatim }: ClusterQuery,
    healthyOnly: boolean,
  ): ServiceInfo | Promise<ServiceInfo> {
    const { registry, lists, switches } = this.#rooms;
    const cacheMillis = switches.values.defaultPushCacheMillis;
    // Where nobody has come back yet, it cannot harm those who have a list.
    const lastRefTime = registry.isIgnorantOf(service) ? 0 : this.#nextRefTime();
    const made = (list: ListText) => new ServiceInfo(...list.infoAt({ cacheMillis, lastRefTime }));
    const text = lists.of(service, { clusters, clustersVerbatim, healthyOnly, grouped: true });
    return text instanceof Promise ? text.then(made) : made(text);
  }
}

export interface ServiceInfosRooms {
  readonly registry: Registry;
  readonly lists: Lists;
  readonly switches: Switches;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
}
