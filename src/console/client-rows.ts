import { isAvailable } from '../registry/available.ts';
import type { Address, Instance } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { ClientRow, InstanceRow } from './api.ts';
import type { ConnectionSeen } from './client-sources.ts';
import type { Reader } from './sources.ts';

/** Clients as they stand in lists, and on pages of their own. */

/** How much of a client somebody may see. */
export type Counts = Pick<ClientRow, 'registered' | 'subscribed'>;

export function ofConnection({ id, peer, clientVersion, labels, since }: ConnectionSeen, counts: Counts): ClientRow {
  const { ip, port } = peer;
  return { id, kind: 'connection', ip, port, ...agentOf(clientVersion, labels.AppName), since, ...counts };
}

/** What it calls itself, where it does. */
export function agentOf(client: string | undefined, app: string | undefined): Pick<ClientRow, 'client' | 'app'> {
  return {
    ...(client !== undefined && client !== '' && { client }),
    ...(app !== undefined && app !== '' && app !== 'unknown' && { app }),
  };
}

/** The address in an id like `10.0.0.1:80#true`; undefined of one that is a connection's. */
export function addressIn(clientId: string): Address | undefined {
  const [, ip, port] = /^(.+):(\d{1,5})#(?:true|false)$/.exec(clientId) ?? [];
  return ip === undefined ? undefined : { ip, port: Number(port) };
}

export function isAddressId(clientId: string): boolean {
  return clientId.includes('#');
}

export function conditionOf(instance: Instance): Pick<InstanceRow, 'healthy' | 'available'> {
  return { healthy: instance.healthy, available: isAvailable(instance) };
}

/** Which services a reader may see: of those that follow one another each is asked about once. */
export function seeingOf(reader: Reader): (service: ServiceName) => boolean {
  if (reader.maySeeAll) return () => true;
  let last: ServiceName | undefined;
  let may = false;
  return (service) => {
    if (service !== last) [last, may] = [service, reader.maySee(service)];
    return may;
  };
}
