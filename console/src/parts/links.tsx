import type { InstanceRef, ServiceRef } from '../../../src/console/api.ts';
import { href } from '../route.ts';

/** Names without what everybody has: the public namespace and the default group go without saying. */
export function shortName({ namespace, group, service }: ServiceRef): string {
  const inGroup = group === 'DEFAULT_GROUP' ? service : `${group}/${service}`;
  return namespace === 'public' ? inGroup : `${namespace}/${inGroup}`;
}

export function serviceHref({ namespace, group, service }: ServiceRef): string {
  return href('service', { namespace, group, service });
}

export function instanceHref({ namespace, group, service, ip, port }: InstanceRef): string {
  return href('instance', { namespace, group, service, ip, port });
}

/** `10.0.0.1:8080`, and an address of IPv6 in brackets. */
export function addressOf({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** A service by its name, and small where it is: `<Name of={row} />`. */
export function Name({ of }: { readonly of: ServiceRef }) {
  const { namespace, group, service } = of;
  const where = [namespace !== 'public' && namespace, group !== 'DEFAULT_GROUP' && group].filter(Boolean).join(' / ');
  return (
    <span class="name">
      <a href={serviceHref(of)}>{service}</a>
      {where !== '' && <small>{where}</small>}
    </span>
  );
}

/** An instance by its address: `<InstanceLink of={{ ...service, ip, port }} />`. */
export function InstanceLink({ of }: { readonly of: InstanceRef }) {
  return (
    <a class="mono" href={instanceHref(of)}>
      {addressOf(of)}
    </a>
  );
}

/** A client by its id: `<ClientLink id={row.connection} />`. */
export function ClientLink({ id }: { readonly id: string }) {
  return (
    <a class="mono" href={href('client', { id })}>
      {id}
    </a>
  );
}

interface SoftwareProps {
  readonly of: { readonly client?: string; readonly app?: string };
}

/** What a client calls itself, and its application. */
export function Software({ of: { client, app } }: SoftwareProps) {
  if ((client ?? app) === undefined) return null;
  return (
    <span>
      {client} {app !== undefined && <small>{app}</small>}
    </span>
  );
}
