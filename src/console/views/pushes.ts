import { serviceKey } from '../../registry/service-name.ts';
import type { Keyed, PushCounts, PushesFacts, SubscriberRow } from '../api.ts';
import { agentOf, isAddressId, seeingOf } from '../client-rows.ts';
import type { Pushed, SubscriberSeen } from '../client-sources.ts';
import { AT_ONCE, known, type Look, type LookRoom, paged, type View } from '../look.ts';
import { refOf } from '../service-rows.ts';
import type { Reader } from '../sources.ts';

/** Whoever is told of changes: by datagrams, and then over connections, service by service. What became of it, for who may see everything. */
export const pushes: View = {
  open(params, room) {
    const asked = known(params, ['search', 'by', 'page']);
    if (typeof asked === 'string') return asked;
    const { by } = asked;
    if (by !== undefined && by !== 'connection' && by !== 'datagrams') return 'by must be connection or datagrams';
    return { look: (reader) => look(asked, reader, room) };
  },
};

interface Asked {
  readonly search?: string;
  readonly by?: string;
  readonly page?: string;
}

function* look({ search, by, page: asked }: Asked, reader: Reader, { clients }: LookRoom): Look<'pushes'> {
  const text = search?.toLowerCase();
  const sees = seeingOf(reader);
  const found: SubscriberSeen[] = [];
  let [overConnections, byDatagrams, looks] = [0, 0, 0];
  for (const subscriber of clients.subscribers()) {
    if (++looks % AT_ONCE === 0) yield undefined;
    if (!sees(subscriber.service)) continue;
    const way = wayOf(subscriber);
    if (way === 'connection') overConnections++;
    else byDatagrams++;
    if (by !== undefined && by !== way) continue;
    if (text === undefined || isLike(subscriber, text)) found.push(subscriber);
  }
  const { page, pages } = paged(asked, found.length, ON_A_PAGE);
  const rows = found.slice((page - 1) * ON_A_PAGE, page * ON_A_PAGE).map(rowOf);
  const told = reader.maySeeAll ? clients.pushes() : undefined;
  const facts: PushesFacts = {
    found: found.length,
    page,
    pages,
    overConnections: countsOf(overConnections, told?.grpc),
    byDatagrams: countsOf(byDatagrams, told?.udp),
  };
  return { facts, rows };
}

export function rowOf(subscriber: SubscriberSeen): SubscriberRow & Keyed {
  const { clientId, service, ip, port, agent, app, clustersVerbatim } = subscriber;
  const key = `${serviceKey(service)} ${clientId} ${clustersVerbatim}`;
  return { key, ...refOf(service), clientId, ip, port, ...agentOf(agent, app), by: wayOf(subscriber) };
}

function wayOf({ clientId }: SubscriberSeen): SubscriberRow['by'] {
  return isAddressId(clientId) ? 'datagrams' : 'connection';
}

function isLike({ service, clientId, agent, app }: SubscriberSeen, text: string): boolean {
  return [service.name, service.group, clientId, agent, app].some((part) => part.toLowerCase().includes(text));
}

function countsOf(subscribers: number, pushed: Pushed | undefined): PushCounts {
  if (pushed === undefined) return { subscribers };
  const { sent, acknowledged, failed } = pushed;
  return { subscribers, sent, acknowledged, failed };
}

const ON_A_PAGE = 100;
