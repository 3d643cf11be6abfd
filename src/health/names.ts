import { groupedName, parseServiceName, type ServiceName } from '../registry/service-name.ts';
import { type DubboKey, parseDubboKey } from './dubbo.ts';

/** Whom a health name speaks of: the bridge itself, or one service and perhaps only a part of it. */
export type HealthName = 'bridge' | ServiceSelector;

export interface ServiceSelector {
  /** The name read as one of Nacos. Where such a service is known, it is meant. */
  readonly service: ServiceName;
  /** The name read as a key of Dubbo, if it has that form. */
  readonly dubbo: DubboKey | undefined;
  /** Only the instances of this cluster count. */
  readonly cluster: string | undefined;
  /** Only this instance counts. */
  readonly instance: { readonly ip: string; readonly port: number } | undefined;
}

/** Where a name belongs that does not say it itself. */
export interface Home {
  readonly namespace: string;
  readonly group: string;
}

/** In UTF-8. Longer names are refused, so that nothing unbounded is looked up, kept or echoed. */
export const MAX_NAME_BYTES = 1024;

/** What may follow a name, each once, with what stands for its value in `NAME_FORM`. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ['namespace', 'N'],
  ['group', 'G'],
  ['cluster', 'C'],
  ['instance', 'IP:PORT'],
]);

/** The form of a name, for whoever is told that his is none. */
export const NAME_FORM = `NAME[?${[...PARTS].map(([part, value]) => `${part}=${value}`).join('&')}]`;

/**
 * Reads a name of the form `NAME_FORM`, where NAME is `orders`, `G1@@orders` or a Dubbo key `[group/]interface[:version]`, and "" is
 * the bridge. Undefined for what is too long or not of this form.
 */
export function parseHealthName(text: string, home: Home): HealthName | undefined {
  if (text === '') return 'bridge';
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) return undefined;
  const at = text.indexOf('?');
  if (at < 0) return plainSelectorOf(text, home);
  return selectorOf(text.slice(0, at), new URLSearchParams(text.slice(at + 1)), home);
}

/** The shortest name that `parseHealthName` reads back as the service, which is one of the home namespace. */
export function formatHealthName(service: ServiceName, home: Home): string {
  return service.group === home.group ? service.name : groupedName(service);
}

/** The same of any namespace, and of a part of a service too. */
export function writeHealthName({ service, cluster, instance }: ServiceSelector, home: Home): string {
  const parts = new URLSearchParams();
  if (service.namespace !== home.namespace) parts.set('namespace', service.namespace);
  if (cluster !== undefined) parts.set('cluster', cluster);
  if (instance !== undefined) parts.set('instance', `${instance.ip}:${instance.port}`);
  // A colon need not be escaped, and is easier to read.
  const query = parts.toString().replaceAll('%3A', ':');
  return formatHealthName(service, home) + (query === '' ? '' : `?${query}`);
}

/** All of exactly this service. */
export function selectAll(service: ServiceName): ServiceSelector {
  return { service, dubbo: undefined, cluster: undefined, instance: undefined };
}

/** Of a name that nothing follows. */
function plainSelectorOf(text: string, { namespace, group }: Home): ServiceSelector | undefined {
  const service = parseServiceName(text, namespace, group);
  if (service === undefined) return undefined;
  return { service, dubbo: text.includes('@@') ? undefined : parseDubboKey(text), cluster: undefined, instance: undefined };
}

function selectorOf(text: string, parts: URLSearchParams, home: Home): ServiceSelector | undefined {
  const names = [...parts.keys()];
  if (names.some((name) => !PARTS.has(name)) || new Set(names).size < names.length) return undefined;
  const service = parseServiceName(text, parts.get('namespace') || home.namespace, parts.get('group') || home.group);
  if (service === undefined) return undefined;
  const grouped = text.includes('@@');
  // The group cannot be said twice, unless it is the same.
  if (grouped && parts.get('group') && parts.get('group') !== service.group) return undefined;
  const address = parts.get('instance');
  const instance = address ? addressOf(address) : undefined;
  if (address && instance === undefined) return undefined;
  return { service, dubbo: grouped ? undefined : parseDubboKey(text), cluster: parts.get('cluster') || undefined, instance };
}

/** `IP:PORT`; the ip may itself hold colons. */
function addressOf(text: string): { readonly ip: string; readonly port: number } | undefined {
  const [, ip = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  return ip === '' || Number(port) > 65_535 ? undefined : { ip: ip.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
