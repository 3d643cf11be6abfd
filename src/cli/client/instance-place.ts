import { CallError, UsageError } from './failures.ts';
import { jsonFrom } from './http.ts';
import type { Target } from './target.ts';

/** Which instance is meant: where it is, in which service. */

export interface Address {
  readonly ip: string;
  readonly port: number;
}

/** `10.0.0.1:8080`, `[::1]:8080`. Throws `UsageError`. */
export function addressIn(text: string): Address {
  const [, v6, name, digits] = /^(?:\[([^\]\s]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const ip = v6 ?? name;
  const port = Number(digits);
  if (ip === undefined || port > 65_535)
    throw new UsageError([`an instance must be IP:PORT, or [IPV6]:PORT, got ${JSON.stringify(text.slice(0, 200))}`]);
  return { ip, port };
}

/** As it is written. */
export function addressText({ ip, port }: Address): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** How Nacos's calls name a service. */
export interface ServiceParams {
  readonly namespaceId: string;
  readonly serviceName: string;
}

/** By the name, which may say its group itself. Throws `UsageError`. */
export function serviceIn(name: string, flags: { readonly namespace?: string; readonly group?: string }): ServiceParams {
  const { namespace = 'public', group } = flags;
  if (name.includes('@@') && group !== undefined && !name.startsWith(`${group}@@`))
    throw new UsageError([`the name says another group than --group: ${JSON.stringify(name.slice(0, 200))}`]);
  return { namespaceId: namespace, serviceName: name.includes('@@') ? name : `${group ?? 'DEFAULT_GROUP'}@@${name}` };
}

/** As people read it: what is as it is by default is left out. */
export function serviceText({ namespaceId, serviceName }: ServiceParams): string {
  const name = serviceName.replace(/^DEFAULT_GROUP@@/, '');
  return namespaceId === 'public' ? name : `${name} in namespace ${namespaceId}`;
}

/** An instance as the server shows it. */
export interface Shown extends Address {
  readonly service: ServiceParams;
  readonly cluster: string;
  readonly enabled: boolean;
  readonly weight: number;
  readonly healthy: boolean;
}

/** All at the address, of one namespace if it is given. Rejects with `CallError`. */
export async function instancesAt(target: Target, { ip, port }: Address, namespaceId?: string): Promise<readonly Shown[]> {
  const path = '/nacos/v3/admin/ns/instance/everywhere';
  const data = dataIn(await jsonFrom(target, { method: 'GET', path, query: { ip, port, namespaceId } }));
  if (!Array.isArray(data)) throw new CallError(`${target.addr} does not say what is at ${ip}:${port}`);
  return data.map((one) => shownIn(target, one));
}

/** The one that is meant. Rejects with `CallError` when there is none. */
export async function instanceOf(target: Target, service: ServiceParams, { ip, port }: Address): Promise<Shown> {
  const found = (await instancesAt(target, { ip, port }, service.namespaceId)).find(
    (one) => one.service.serviceName === service.serviceName,
  );
  if (found === undefined) throw new CallError(`${addressText({ ip, port })} is not registered in ${serviceText(service)}`);
  return found;
}

function dataIn(answer: unknown): unknown {
  return isObject(answer) ? answer.data : undefined;
}

function shownIn(target: Target, one: unknown): Shown {
  const isShown = isObject(one) && typeof one.ip === 'string' && typeof one.serviceName === 'string';
  if (!isShown) throw new CallError(`${target.addr} does not say what an instance is like`);
  return {
    ip: String(one.ip),
    port: Number(one.port),
    service: { namespaceId: String(one.namespaceId), serviceName: String(one.serviceName) },
    cluster: String(one.clusterName),
    enabled: one.enabled === true,
    weight: Number(one.weight),
    healthy: one.healthy === true,
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
