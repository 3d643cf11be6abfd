import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { pino } from 'pino';
import { checkOptions, type GivenOptions } from '../../src/options.ts';
import { everything, healthOnly } from '../../src/server/dispatch.ts';
import { drain } from '../../src/server/drain.ts';
import { drainableOf } from '../../src/server/drainable.ts';
import { closeRooms, furnish, houseOf, roomsIn } from '../../src/server/rooms.ts';
import { surfacesOf } from '../../src/server/surfaces.ts';
import type { TlsIdentity } from '../../src/wire/identity.ts';
import type { Lanes } from '../../src/wire/lanes.ts';
import { listen } from '../../src/wire/listener.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { exchange } from './raw.ts';

/**
 * One house with two doors: through one of them the lane of health answers what it can, through the other everything goes the usual
 * way. For `await using`.
 */
export async function twoDoors(given: GivenOptions = {}, port: 'all' | 'health' = 'health', tls?: TlsIdentity) {
  const options = checkOptions({ probes: false, ...given });
  const logged: string[] = [];
  const house = houseOf(options, pino({}, { write: (line: string) => void logged.push(line) }), tls !== undefined);
  const rooms = await roomsIn(house);
  await furnish(house, rooms);
  const surfaces = surfacesOf(house, rooms);
  /** How many requests went the usual way through the door of the lane, less those that only end a connection. */
  const usual = { count: 0 };
  const lanes = port === 'all' ? everything(surfaces, house.log) : healthOnly(surfaces, house.log);
  const counted: Lanes['request'] = (req, res) => {
    if (req.url !== LAST_PATH) usual.count++;
    return lanes.request(req, res);
  };
  const how = { limits: options, scheduler: systemScheduler, wallClock: house.wallClock, tls };
  const withLane = await listen('127.0.0.1', 0, { ...lanes, request: counted }, how);
  const without = await listen('127.0.0.1', 0, { request: lanes.request }, how);
  const closePorts = async (deadline: AbortSignal) => {
    await Promise.all([withLane.close(deadline), without.close(deadline)]);
  };
  let drained: Promise<void> | undefined;
  const close = (withinMs: number) => {
    drained ??= drain(drainableOf(house, rooms, closePorts), { delayMs: 0, withinMs }, systemScheduler).finally(() => {
      house.seats.close();
      return closeRooms(rooms);
    });
    return drained;
  };
  return {
    registry: house.registry,
    health: rooms.health,
    watches: rooms.watches,
    openAnswers: house.openAnswers,
    usual,
    logged,
    /** Its addresses: that of the lane, and the other. */
    doors: [withLane.address, without.address] as const,
    close,
    [Symbol.asyncDispose]: () => close(200),
  };
}

const LAST_PATH = '/livez';

/** What a client of HTTP/2 sees of one call, in its order. */
export type Seen = readonly [what: string, ...facts: unknown[]][];

/** A date has its name only. */
export function undated(raw: readonly string[]): readonly string[] {
  return raw.map((text, i) => (i % 2 === 1 && raw[i - 1] === 'date' ? 'DATE' : text));
}

/** Instead of a value: the field is left out. */
export const WITHOUT = 'WITHOUT';

export interface Asked {
  readonly headers: Readonly<Record<string, string>>;
  /** Each is sent in a round of the event loop of its own. */
  readonly pieces?: readonly Buffer[];
  /** Resets the stream after so many pieces, instead of ending it. */
  readonly resets?: boolean;
  readonly isHeaderOnly?: boolean;
}

/** Everything that comes back of the stream, as soon as it has been closed. */
export async function seenOf(session: ClientHttp2Session, asked: Asked): Promise<Seen> {
  const headers = Object.entries({ ':method': 'POST', te: 'trailers', ...asked.headers }).filter(
    ([, value]) => value !== WITHOUT,
  );
  const stream = session.request(Object.fromEntries(headers), { endStream: asked.isHeaderOnly === true });
  const seen = noted(stream);
  for (const piece of asked.pieces ?? []) {
    if (stream.destroyed) break;
    stream.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (asked.resets) stream.close(constants.NGHTTP2_CANCEL);
  else if (!asked.isHeaderOnly) stream.end();
  if (!stream.closed) await once(stream, 'close').catch(() => {});
  return seen;
}

/** Everything that comes back of the stream, as it comes; data that follow one another are one. */
export function noted(stream: ClientHttp2Stream): Seen {
  const seen: [string, ...unknown[]][] = [];
  stream.on('error', (error) => seen.push(['error', error.message]));
  stream.on('continue', () => seen.push(['continue']));
  stream.on('response', (_headers, _flags, raw?: string[]) => seen.push(['response', undated(raw ?? [])]));
  stream.on('trailers', (_headers, _flags, raw?: string[]) => seen.push(['trailers', raw]));
  stream.on('data', (chunk: Buffer) => {
    const last = seen.at(-1);
    if (last?.[0] === 'data') last[1] += chunk.toString('latin1');
    else seen.push(['data', chunk.toString('latin1')]);
  });
  stream.on('end', () => seen.push(['end']));
  stream.on('close', () => seen.push(['close', stream.rstCode]));
  return seen;
}

export async function overHttp2(address: string, ca?: Buffer): Promise<ClientHttp2Session> {
  const session = connectHttp2(`${ca === undefined ? 'http' : 'https'}://${address}`, { ...(ca && { ca }) });
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  return session;
}

/** All bytes that come back of what is sent, and of a last request that has the connection closed: it is in its right state then. */
export async function heardOver1(address: string, pieces: readonly (string | Buffer)[]): Promise<string> {
  const last = `GET ${LAST_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const heard = await exchange(address, [...pieces, last]);
  return heard.replaceAll(/\r\nDate: [^\r]+/g, '\r\nDate: DATE');
}
