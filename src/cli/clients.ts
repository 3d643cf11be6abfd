import type { Client, ClientFlags } from './client/connection-flags.ts';
import { inWords } from './client/duration.ts';
import { CallError, EXIT, type ExitCode } from './client/failures.ts';
import { type Fields, fieldsOf, numberIn, textIn, withoutUsualGroup } from './client/fields.ts';
import { type HttpCall, jsonFrom } from './client/http.ts';

/** What `beatbridge clients` is told. */
export interface ClientsFlags extends ClientFlags {
  readonly all?: boolean;
}

/** Who is connected; of one, what it has registered and whom it is told about. */
export async function clients(client: Client, id: string | undefined, flags: ClientsFlags): Promise<ExitCode> {
  if (id !== undefined) await one(client, id);
  else await everybody(client, flags.all === true);
  return EXIT.ok;
}

const NS = '/nacos/v3/admin/ns/client';

async function everybody(client: Client, withAddresses: boolean): Promise<void> {
  const { output, now } = client;
  const connections = Object.values(fieldsOf(await dataOf(client, '/nacos/v3/admin/core/loader/current'))).map((one) =>
    fieldsOf(fieldsOf(one).metaInfo),
  );
  const ids = withAddresses ? await dataOf(client, `${NS}/list`) : [];
  const held = new Set(connections.map((one) => textIn(one, 'connectionId')));
  const others = Array.isArray(ids) ? ids.map(String).filter((id) => !held.has(id)) : [];
  if (output.isJson) {
    output.json([...connections.map(viewOf), ...others.map(addressView)]);
    return;
  }
  if (connections.length + others.length === 0)
    output.note(withAddresses ? 'there are no clients' : 'no client is connected (--all: those that beat too)');
  else
    output.table(COLUMNS, [
      ...connections.map((one) => rowOf(one, now())),
      ...others.sort().map((each) => [each, ...Object.values(addressView(each)).slice(1).map(String)]),
    ]);
}

const COLUMNS = [
  { name: 'CLIENT' },
  { name: 'ADDRESS' },
  { name: 'KIND' },
  { name: 'VERSION' },
  { name: 'APP' },
  { name: 'CONNECTED', isNumber: true },
  { name: 'HEARD', isNumber: true },
] as const;

function viewOf(meta: Fields) {
  const iso = (key: string) => {
    const at = numberIn(meta, key);
    return at === undefined ? undefined : new Date(at).toISOString();
  };
  return {
    client: textIn(meta, 'connectionId') ?? '',
    address: `${textIn(meta, 'remoteIp') ?? textIn(meta, 'clientIp') ?? '?'}:${numberIn(meta, 'remotePort') ?? '?'}`,
    kind: 'connection',
    version: textIn(meta, 'version') ?? '',
    app: textIn(meta, 'appName') ?? '',
    connectedAt: iso('createTime'),
    heardAt: iso('lastActiveTime'),
  };
}

function rowOf(meta: Fields, now: number): readonly string[] {
  const { client, address, kind, version, app } = viewOf(meta);
  const ago = (key: string) => {
    const at = numberIn(meta, key);
    return at === undefined ? '' : inWords(now - at);
  };
  return [client, address, kind, version, app, ago('createTime'), ago('lastActiveTime')];
}

/** What stands behind an address: `IP:PORT#true` registers ephemeral instances there. */
function addressView(id: string) {
  return { client: id, address: id.replace(/#\w+$/, ''), kind: id.endsWith('#false') ? 'persistent' : 'beats' };
}

async function one(client: Client, clientId: string): Promise<void> {
  const { output } = client;
  const query = { clientId };
  const [published, subscribed] = [
    await dataOf(client, `${NS}/publish/list`, query),
    await dataOf(client, `${NS}/subscribe/list`, query),
  ].map((data) => (Array.isArray(data) ? data.map(fieldsOf) : []));
  if (output.isJson) {
    output.json({ client: clientId, publishes: published, subscribes: subscribed });
    return;
  }
  output.line(
    `${clientId} has registered ${published?.length ?? 0} instances, and is told of ${subscribed?.length ?? 0} services`,
  );
  if ((published?.length ?? 0) + (subscribed?.length ?? 0) === 0) return;
  output.line();
  output.table(PARTS, [...(published ?? []).map(publishedRow), ...(subscribed ?? []).map(subscribedRow)]);
}

const PARTS = [{ name: 'DOES' }, { name: 'NAMESPACE' }, { name: 'SERVICE' }, { name: 'INSTANCE' }, { name: 'CLUSTER' }] as const;

function publishedRow(part: Fields): readonly string[] {
  const info = fieldsOf(part.publisherInfo);
  return [
    'publishes',
    textIn(part, 'namespaceId') ?? '',
    nameOf(part),
    `${textIn(info, 'ip') ?? ''}:${numberIn(info, 'port') ?? ''}`,
    textIn(info, 'clusterName') ?? '',
  ];
}

function subscribedRow(part: Fields): readonly string[] {
  return ['subscribes', textIn(part, 'namespaceId') ?? '', nameOf(part), '', ''];
}

function nameOf(part: Fields): string {
  return withoutUsualGroup(`${textIn(part, 'groupName') ?? ''}@@${textIn(part, 'serviceName') ?? ''}`);
}

/** What is in the envelope. */
async function dataOf({ target }: Client, path: string, query: HttpCall['query'] = {}): Promise<unknown> {
  const answer = fieldsOf(await jsonFrom(target, { method: 'GET', path, query }));
  if (numberIn(answer, 'code') !== 0)
    throw new CallError(`${target.addr} answers ${String(answer.code)}: ${textIn(answer, 'message') ?? ''}`);
  return answer.data;
}
