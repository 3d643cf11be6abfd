import { isIP, isIPv4, isIPv6 } from 'node:net';
import { addressBytes, addressText as spelt } from '../../wire/addresses.ts';
import { CallError, UsageError } from './failures.ts';
import { jsonFrom } from './http.ts';
import { partsOf } from './names.ts';
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
  const isAddress = v6 === undefined || isIPv6(v6);
  if (ip === undefined || !isAddress || port > 65_535)
    throw new UsageError([`an instance must be IP:PORT, or [IPV6]:PORT, got ${JSON.stringify(text.slice(0, 200))}`]);
  return { ip, port };
}

/** Where an instance can be: what looks like an address is one, and somebody can listen there. Throws `UsageError`. */
export function newAddressIn(text: string): Address {
  const { ip, port } = addressIn(text);
  const said = JSON.stringify(text.slice(0, 200));
  if (port === 0) throw new UsageError([`the port of an instance must be 1..65535, got ${said}`]);
  if (/^[\d.]+$/.test(ip) && !isIPv4(ip)) throw new UsageError([`an instance must be IP:PORT, or [IPV6]:PORT, got ${said}`]);
  return { ip: isIP(ip) === 6 ? shortest(ip) : ip, port };
}

/** As most programs write it: in lower case, the longest run of zeros left out. With a zone it stays as it is. */
function shortest(ip: string): string {
  return ip.includes('%') ? ip : new URL(`http://[${ip}]`).hostname.slice(1, -1);
}

/** A server keeps an address as its client has written it, and there are several ways to write one of IPv6. */
function spellingsOf(ip: string): readonly string[] {
  const bytes = ip.includes('%') || !isIPv6(ip) ? undefined : addressBytes(ip);
  return bytes === undefined ? [ip] : [...new Set([ip, shortest(ip), spelt(bytes)])];
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
  const { service, namespace, group } = plainName(name, flags);
  return {
    namespaceId: namespace || 'public',
    serviceName: service.includes('@@') ? service : `${group || 'DEFAULT_GROUP'}@@${service}`,
  };
}

/** What a name says, where a service is meant and nothing of what is in it. Throws `UsageError`. */
export function plainName(name: string, flags: { readonly namespace?: string; readonly group?: string }) {
  const { service, namespace, group, others } = partsOf(name, flags);
  const said = JSON.stringify(name.slice(0, 200));
  const [other] = others.keys();
  if (other !== undefined)
    throw new UsageError([`behind the name of a service only ?namespace=N&group=G may stand here, got ${said}`]);
  if (/(^|@@)$/.test(service)) throw new UsageError([`the name of a service must not be empty, got ${said}`]);
  return { service, namespace, group };
}

/** The same for calls that take `service` and `namespace`. Throws `UsageError`. */
export function scopeIn({ service: name, namespace }: { readonly service?: string; readonly namespace?: string }) {
  if (name === undefined) return { namespace };
  const said = plainName(name, namespace === undefined ? {} : { namespace });
  const { service, group } = said;
  return { service: group === undefined || service.includes('@@') ? service : `${group}@@${service}`, namespace: said.namespace };
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
  /** Once no drain lies over it; undefined where that is not told. */
  readonly enabled: boolean | undefined;
  readonly weight: number;
  readonly healthy: boolean;
  /** Until when it is out, whatever it is else. */
  readonly drainedUntil: string | undefined;
}

/** All at the address, of one namespace if it is given. Rejects with `CallError`. */
export async function instancesAt(target: Target, { ip, port }: Address, namespaceId?: string): Promise<readonly Shown[]> {
  const path = '/nacos/v3/admin/ns/instance/everywhere';
  const found: Shown[] = [];
  for (const spelling of spellingsOf(ip)) {
    const data = dataIn(await jsonFrom(target, { method: 'GET', path, query: { ip: spelling, port, namespaceId } }));
    if (!Array.isArray(data)) throw new CallError(`${target.addr} does not say what is at ${addressText({ ip, port })}`);
    found.push(...data.map((one) => shownIn(target, one)));
  }
  return found;
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
  const [drain, edit] = [one.drain, one.edit];
  const own = isObject(edit) && typeof edit.enabled === 'boolean' ? edit.enabled : undefined;
  return {
    ip: String(one.ip),
    port: Number(one.port),
    service: { namespaceId: String(one.namespaceId), serviceName: String(one.serviceName) },
    cluster: String(one.clusterName),
    enabled: isObject(drain) ? own : one.enabled === true,
    weight: Number(one.weight),
    healthy: one.healthy === true,
    drainedUntil: isObject(drain) ? timeText(drain.until) : undefined,
  };
}

function timeText(said: unknown): string {
  const at = typeof said === 'number' ? said : Date.parse(String(said));
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'a time that is not told';
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
