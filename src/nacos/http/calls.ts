import { adminClientCalls } from './admin-clients.ts';
import { adminCoreCalls } from './admin-core.ts';
import { adminInstanceCalls } from './admin-instances.ts';
import { adminServiceCalls } from './admin-services.ts';
import { clientCalls } from './clients.ts';
import { clusterCalls } from './cluster.ts';
import { configCalls } from './configs.ts';
import { configCallsV3 } from './configs-v3.ts';
import { consoleCalls } from './console.ts';
import { discoveryCalls } from './discovery.ts';
import { instanceCalls } from './instances.ts';
import { operatorCalls } from './operator.ts';
import type { HttpRooms } from './route.ts';
import { serviceCalls } from './services.ts';
import { userCalls } from './users.ts';

/** Who answers the calls of all versions, by what they are about. */
export function callsOf(rooms: HttpRooms) {
  return {
    instances: instanceCalls(rooms),
    services: serviceCalls(rooms),
    clients: clientCalls(rooms),
    operator: operatorCalls(rooms),
    console: consoleCalls(rooms),
    configs: configCalls(rooms),
    configsV3: configCallsV3(rooms),
    cluster: clusterCalls(rooms),
    users: userCalls(rooms),
    discovery: discoveryCalls(rooms),
    admin: {
      instances: adminInstanceCalls(rooms),
      services: adminServiceCalls(rooms),
      clients: adminClientCalls(rooms),
      core: adminCoreCalls(rooms),
    },
  };
}

/** By what they are about, and by name. */
export type Calls = ReturnType<typeof callsOf>;
