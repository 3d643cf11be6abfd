import type { Logger } from 'pino';
import type { Connection } from '../../src/nacos/grpc/connection.ts';
import type { Limits } from '../../src/options.ts';
import type { Peer } from '../../src/wire/exchange.ts';
import { emptyNacos } from './nacos-room.ts';

export const SETUP = { clientVersion: 'Test:v1', labels: {}, negotiates: false };

/** What the calls over gRPC work on, and clients to join it. */
export function grpcRoom(options: { readonly graceMs?: number; readonly log?: Logger; readonly limits?: Limits } = {}) {
  const { rooms, scheduler } = emptyNacos(options);
  const { connections } = rooms;
  /** The names of the peers that were cut, in that order. */
  const cut: string[] = [];
  const peer = (name: string, ip = '127.0.0.1'): Peer => ({ connection: { name }, ip, port: 1, cut: () => void cut.push(name) });
  const join = (name = 'a', ip?: string): Connection => {
    const connection = connections.setUp(peer(name, ip), SETUP, () => {});
    if (connection === undefined) throw new Error('refused');
    return connection;
  };
  return { ...rooms, scheduler, cut, peer, join };
}
