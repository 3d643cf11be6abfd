import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import { MOST_CALLS } from './api.ts';
import { inOrder } from './in-order.ts';
import { compare, END, type Head, type InstanceSaid, type Line, type NamespaceLine, SCHEMA, sorted } from './lines.ts';
import type { FoundService, Peer } from './peer.ts';

/** What there is, as lines, always in the same order: so that two exports of the same state differ in nothing but their heads. */

export interface Wanted {
  /** One namespace alone, without switches; undefined: everything. */
  readonly namespace: string | undefined;
  /** Instances that live by beats or connections too. */
  readonly ephemeral: boolean;
}

/** Everything that a server tells. Rejects with `MovingError` or `RefusedError`. */
export async function* linesOf(peer: Peer, wanted: Wanted): AsyncGenerator<Line> {
  const { namespace: only } = wanted;
  const named = [...(await peer.namespaces())].sort(byId);
  yield* named.filter(({ id }) => only === undefined || id === only);
  const all = [...new Set(['public', ...named.map(({ id }) => id), ...(await peer.usedNamespaces())])].sort(compare);
  const namespaces = only === undefined ? all : [only];
  const withEdit = new Set<string>();
  for (const namespace of namespaces) {
    const services = distinct(await peer.services(namespace));
    const found = inOrder(services, MOST_CALLS, async (name) => ({ name, found: await peer.service(name) }));
    for await (const { name, found: service } of found) {
      for (const line of service === undefined ? [] : serviceLines(name, service, wanted)) {
        if (line.kind === 'instance' && line.edit !== undefined) withEdit.add(addressKey(name, line));
        yield line;
      }
    }
  }
  for (const edit of [...(await peer.edits(only))].sort(byAddress)) {
    const { namespace, group, service: name } = edit;
    if (!withEdit.has(addressKey({ namespace, group, name }, edit))) yield edit;
  }
  for (const namespace of namespaces) {
    const names = [...(await peer.texts(namespace))].sort((a, b) => compare(textKey(a), textKey(b)));
    for await (const text of inOrder(names, MOST_CALLS, (name) => peer.text(namespace, name))) if (text !== undefined) yield text;
  }
  if (only === undefined) yield* [...(await peer.switches())].sort((a, b) => compare(a.entry + a.value, b.entry + b.value));
}

/** Of one service and its instances. */
export function serviceLines(service: ServiceName, { said, instances }: FoundService, { ephemeral }: Wanted): readonly Line[] {
  const { namespace, group, name } = service;
  const shown = instances.filter((instance) => ephemeral || !instance.ephemeral).sort(byAddressAlone);
  return [
    ...(said === undefined ? [] : [{ kind: 'service', namespace, group, name, ...said } as const]),
    ...shown.map((instance) => ({ kind: 'instance', namespace, group, service: name, ...instance }) as const),
  ];
}

/** As texts, with head and end. `at`: milliseconds since 1970. */
export async function* written(lines: AsyncIterable<Line>, from: string, at: number): AsyncGenerator<string> {
  const head: Head = { beatbridge: 'export', schema: SCHEMA, at: new Date(at).toISOString(), from };
  // Where nothing can be read, nothing is begun.
  let before = `${JSON.stringify(head)}\n`;
  for await (const line of lines) {
    yield `${before}${JSON.stringify(line)}\n`;
    before = '';
  }
  yield `${before}${END}\n`;
}

/** Names move between pages while services come and go: none is told twice. */
function distinct(services: readonly ServiceName[]): readonly ServiceName[] {
  const byKey = sorted(Object.fromEntries(services.map((service) => [serviceKey(service), service])));
  return Object.values(byKey);
}

export function byId(a: NamespaceLine, b: NamespaceLine): number {
  return compare(a.id, b.id);
}

export function byAddress(a: EditPlace, b: EditPlace): number {
  return compare(placeKey(a), placeKey(b)) || byAddressAlone(a, b);
}

interface EditPlace extends Pick<InstanceSaid, 'ip' | 'port'> {
  readonly namespace: string;
  readonly group: string;
  readonly service: string;
}

function placeKey({ namespace, group, service: name }: EditPlace): string {
  return serviceKey({ namespace, group, name });
}

function byAddressAlone(a: Pick<InstanceSaid, 'ip' | 'port'>, b: Pick<InstanceSaid, 'ip' | 'port'>): number {
  return compare(a.ip, b.ip) || a.port - b.port;
}

export function addressKey(service: ServiceName, { ip, port }: Pick<InstanceSaid, 'ip' | 'port'>): string {
  return `${serviceKey(service)} ${port} ${ip}`;
}

export function textKey({ group, dataId }: { readonly group: string; readonly dataId: string }): string {
  return `${group} ${dataId}`;
}
