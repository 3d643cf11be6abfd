import type { Address } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import type { ClientRow, ClientsFacts, EventLine, Keyed } from '../api.ts';
import { addressIn, agentOf, isAddressId, ofConnection, seeingOf } from '../client-rows.ts';
import type { ConnectionSeen } from '../client-sources.ts';
import { endOf, isEnd } from '../ends.ts';
import { Lately } from '../lately.ts';
import { AT_ONCE, known, type Look, type LookRoom, paged, type View } from '../look.ts';
import type { Happened, Reader } from '../sources.ts';
import { maySee } from '../stream.ts';

/**
 * Who is a client: connections, and what stands behind addresses, in the order in which they came. Of a client a reader may see what he may
 * see of its services; of one that has none of these, only who may see everything knows.
 */
export const clients: View = {
  open(params, room) {
    const asked = known(params, ['search', 'kind', 'page']);
    if (typeof asked === 'string') return asked;
    const { kind } = asked;
    if (kind !== undefined && kind !== 'connection' && kind !== 'address') return 'kind must be connection or address';
    // Whoever looks at the same sees as much.
    let ended: Lately | undefined;
    return {
      *look(reader) {
        ended ??= new Lately(MOST_END_EVENTS, (happened) => isEnd(happened) && maySee(reader, happened));
        // What he may see can be less by now.
        const ends = (yield* ended.look(room.events)).filter((one) => maySee(reader, one));
        return yield* look({ ...asked, kind }, reader, { ...room, ends });
      },
    };
  },
};

interface Asked {
  readonly search?: string;
  readonly kind: ClientRow['kind'] | undefined;
  readonly page?: string;
}

type Room = LookRoom & { readonly ends: readonly Happened[] };

function* look({ search, kind, page: asked }: Asked, reader: Reader, room: Room): Look<'clients'> {
  const { clients: source, ends } = room;
  const text = search?.toLowerCase();
  const found: Found[] = [];
  let [connections, addresses, looks] = [0, 0, 0];
  for (const client of (yield* gathered(reader, room)).values()) {
    if (++looks % AT_ONCE === 0) yield undefined;
    const isConnection = client.connection !== undefined;
    if (client.registered + client.subscribed === 0 && !reader.maySeeAll) continue;
    if (isConnection) connections++;
    else addresses++;
    if (kind !== undefined && isConnection !== (kind === 'connection')) continue;
    if (text === undefined || isLike(client, text, room)) found.push(client);
  }
  const { page, pages } = paged(asked, found.length, ON_A_PAGE);
  const rows = found.slice((page - 1) * ON_A_PAGE, page * ON_A_PAGE).map((client) => rowOf(client, room));
  const facts: ClientsFacts = {
    found: found.length,
    connections,
    addresses,
    page,
    pages,
    ended: endedOf(ends, room),
    ...(reader.maySeeAll && { endedBy: Object.fromEntries(source.endedBy()) }),
  };
  return { facts, rows };
}

/** A client, with as much of it as is known before it stands on the screen. */
interface Found {
  readonly id: string;
  readonly connection?: ConnectionSeen;
  registered: number;
  subscribed: number;
  /** Where it is heard of, if that is by what it has registered. */
  at?: ServiceName;
  /** What it has subscribed to last: of one service all come one after the other. */
  last?: ServiceName;
  agent?: string;
  app?: string;
}

/** All of them, by id. */
function* gathered(reader: Reader, { clients: source, registry }: LookRoom): Generator<undefined, Map<string, Found>> {
  const found = new Map<string, Found>();
  const sees = seeingOf(reader);
  const behind = (id: string) => {
    const client: Found = found.get(id) ?? { id, registered: 0, subscribed: 0 };
    found.set(id, client);
    return client;
  };
  let looks = 0;
  for (const connection of source.connections()) {
    if (++looks % AT_ONCE === 0) yield undefined;
    const client: Found = { id: connection.id, connection, registered: 0, subscribed: 0 };
    for (const { service, instances } of connection.slots.all()) if (sees(service)) client.registered += instances.length;
    found.set(client.id, client);
  }
  for (const { clientId, service, agent, app } of source.subscribers()) {
    if (++looks % AT_ONCE === 0) yield undefined;
    const client = sees(service) ? (isAddressId(clientId) ? behind(clientId) : found.get(clientId)) : undefined;
    if (client === undefined || client.last === service) continue;
    client.subscribed++;
    Object.assign(client, { last: service, agent, app });
  }
  for (const namespace of [...registry.namespaces()])
    for (const service of registry.services(namespace)) {
      if (++looks % AT_ONCE === 0) yield undefined;
      if (!sees(service)) continue;
      for (const { clientId } of source.publishedIn(service)) {
        if (++looks % AT_ONCE === 0) yield undefined;
        if (!isAddressId(clientId)) continue;
        const client = behind(clientId);
        client.registered++;
        client.at ??= service;
      }
    }
  return found;
}

function isLike(client: Found, text: string, room: LookRoom): boolean {
  if (client.id.toLowerCase().includes(text)) return true;
  const { client: agent = '', app = '' } = rowOf(client, room);
  return agent.toLowerCase().includes(text) || app.toLowerCase().includes(text);
}

function rowOf({ id, connection, registered, subscribed, at, agent, app }: Found, { registry }: LookRoom): ClientRow & Keyed {
  if (connection !== undefined) return { key: id, ...ofConnection(connection, { registered, subscribed }) };
  const address: Address = addressIn(id) ?? { ip: id, port: 0 };
  const heard = at && registry.heardOf(at, address);
  return { key: id, id, kind: 'address', ...address, ...agentOf(heard?.agent ?? agent, app), registered, subscribed };
}

/** A line for each connection, the last first, however many services it was in. */
function endedOf(ends: readonly Happened[], { events }: LookRoom): EventLine[] {
  const byConnection = new Map<string, Happened[]>();
  for (const happened of ends.toReversed()) {
    const id = happened.by?.connection ?? '';
    const others = byConnection.get(id);
    if (others !== undefined) others.push(happened);
    else if (byConnection.size < MOST_ENDED) byConnection.set(id, [happened]);
  }
  return [...byConnection.values()].flatMap(
    (those) => endOf(those.toReversed().map((happened) => events.viewOf(happened))) ?? [],
  );
}

const ON_A_PAGE = 100;
const MOST_ENDED = 20;
/** One in several services has one in each of these, and one more. */
const MOST_END_EVENTS = 200;
