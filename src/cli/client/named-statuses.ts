import { setMaxListeners } from 'node:events';
import { BEGUN } from './again.ts';
import type { Told } from './every-status.ts';
import { CallError } from './failures.ts';
import { GrpcConnection } from './grpc.ts';
import { watchHealth } from './health-calls.ts';
import type { Target } from './target.ts';

/** How often a server is asked whether it is there, by PINGs. */
export class Pulse {
  everyMs = 10_000;

  /** Most servers but ours take one in five minutes, and end the connection of who sends more. */
  slow(): void {
    this.everyMs = 310_000;
  }
}

/** An answer to a PING is no work. */
const MOST_PING_MS = 10_000;
/** Of one connection: more are taken by no beatbridge, unless it is told to. */
const MOST_WATCHES = 1_000;

/** A Watch for each name, over as few connections as will do, until one of them ends. Begun is it with the first answer. */
export async function* namedStatuses(
  target: Target,
  names: readonly string[],
  pulse: Pulse,
  signal: AbortSignal,
): AsyncGenerator<Told | typeof BEGUN, void> {
  // Each Watch listens to it.
  setMaxListeners(0, signal);
  const connections: GrpcConnection[] = [];
  const queue: Told[] = [];
  let failure: unknown;
  let wake = () => {};
  const follow = async (connection: GrpcConnection, name: string) => {
    try {
      for await (const status of watchHealth(connection, name, signal)) {
        queue.push({ name, status });
        wake();
      }
      failure ??= new CallError(`${target.addr} has ended the watch`);
    } catch (error) {
      failure ??= error;
    }
    wake();
  };
  try {
    for (let next = 0; next < names.length && !signal.aborted; ) {
      const connection = await GrpcConnection.open(target);
      connections.push(connection);
      connection.askWhetherThere(pulse.everyMs, Math.min(target.rpcTimeoutMs, MOST_PING_MS));
      const room = Math.min(MOST_WATCHES, connection.mostCalls);
      for (const name of names.slice(next, next + room)) void follow(connection, name);
      next += room;
    }
    let hasBegun = false;
    while (!signal.aborted) {
      const told = queue.shift();
      if (told !== undefined) {
        if (!hasBegun) yield BEGUN;
        hasBegun = true;
        yield told;
      } else if (failure !== undefined) throw failure;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    if (connections.some(({ wantsCalm }) => wantsCalm)) pulse.slow();
    for (const connection of connections) connection[Symbol.dispose]();
  }
}
