import type { Address } from '../../registry/instance.ts';
import type { ClientFacts, ClientRow } from '../api.ts';
import { addressIn, agentOf, conditionOf, ofConnection, seeingOf } from '../client-rows.ts';
import type { ConnectionSeen, PublicationSeen, SubscriberSeen } from '../client-sources.ts';
import { briefly, endOf, isEnd } from '../ends.ts';
import { Lately } from '../lately.ts';
import { known, type Look, type LookRoom, paused, type View } from '../look.ts';
import { refOf } from '../service-rows.ts';
import type { Happened, Reader } from '../sources.ts';
import { maySee } from '../stream.ts';

/** One client: what it has registered and subscribed to, what has happened on its word or at its address, and how it ended. */
export const client: View = {
  open(params, room) {
    const asked = known(params, ['id']);
    if (typeof asked === 'string') return asked;
    const { id } = asked;
    if (id === undefined) return 'id says which client is meant';
    const isOf = isOfClient(id);
    // Whoever looks at the same sees as much.
    let events: Lately | undefined;
    return {
      *look(reader) {
        events ??= new Lately(MOST_EVENTS, (happened) => isOf(happened) && maySee(reader, happened));
        // What he may see can be less by now.
        const happened = (yield* events.look(room.events)).filter((one) => maySee(reader, one));
        return yield* look(id, reader, { ...room, happened });
      },
    };
  },
};

type Room = LookRoom & { readonly happened: readonly Happened[] };

function* look(id: string, reader: Reader, room: Room): Look<'client'> {
  const { clients, registry, events, happened } = room;
  const sees = seeingOf(reader);
  const connection = clients.called(id);
  const registered = (yield* paused(clients.publishedBy(id))).filter(({ service }) => sees(service));
  const subscribed = (yield* paused(clients.subscribedBy(id))).filter(({ service }) => sees(service));
  const services = [...new Set(subscribed.map(({ service }) => service))];
  const isSeen = registered.length + services.length > 0 || (connection !== undefined && reader.maySeeAll);
  const ends = happened.filter(isEnd).map((one) => events.viewOf(one));
  const facts: ClientFacts = {
    client: isSeen ? rowOf({ id, connection, registered, subscribed, subscribedCount: services.length }, room) : null,
    labels: isSeen ? (connection?.labels ?? {}) : {},
    registered: registered.slice(0, MOST_LISTED).flatMap(({ service, ip, port }) => {
      const instance = registry.instance(service, { ip, port });
      return instance === undefined ? [] : [{ ...refOf(service), ip, port, ...conditionOf(instance) }];
    }),
    subscribed: services.slice(0, MOST_LISTED).map(refOf),
    ended: connection === undefined ? (endOf(ends) ?? null) : null,
    events: happened.map((one) => briefly(events.viewOf(one))),
  };
  return { facts, rows: [] };
}

interface Found {
  readonly id: string;
  readonly connection: ConnectionSeen | undefined;
  readonly registered: readonly PublicationSeen[];
  readonly subscribed: readonly SubscriberSeen[];
  /** Services. */
  readonly subscribedCount: number;
}

function rowOf({ id, connection, registered, subscribed, subscribedCount }: Found, { registry }: LookRoom): ClientRow {
  const counts = { registered: registered.length, subscribed: subscribedCount };
  if (connection !== undefined) return ofConnection(connection, counts);
  const address = addressIn(id) ?? { ip: id, port: 0 };
  const [[first], [listening]] = [registered, subscribed];
  const agent = (first && registry.heardOf(first.service, first)?.agent) ?? listening?.agent;
  return { id, kind: 'address', ...address, ...agentOf(agent, listening?.app), ...counts };
}

/** On its word; or about what is at its address. */
function isOfClient(id: string): (happened: Happened) => boolean {
  const address = addressIn(id);
  if (address === undefined) return ({ by }) => by?.connection === id;
  const isThere = ({ ip, port }: Address) => port === address.port && ip === address.ip;
  return ({ instances }) => instances?.some(isThere) === true;
}

const MOST_EVENTS = 50;
const MOST_LISTED = 500;
