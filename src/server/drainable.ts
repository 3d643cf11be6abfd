import { Code, ConnectError } from '@connectrpc/connect';
import type { Drainable } from './drain.ts';
import type { House } from './house.ts';
import type { Rooms } from './rooms.ts';

/** What each step of a drain means to the rooms. */
export function drainableOf(house: House, { health, watches, nacos }: Rooms, closePorts: Drainable['closePorts']): Drainable {
  return {
    announce: () => health.drain(),
    sendAway: () => {
      nacos.freeze();
      return watches.told('bridge');
    },
    endCalls: () => {
      // The stream of a connection says all that is meant for its client before it ends.
      house.shutdown.abort(new ConnectError('the bridge is shutting down', Code.Unavailable));
      return house.openAnswers.ended();
    },
    closePorts: (deadline) => {
      const closed = closePorts(deadline);
      // Only now, when no connection is taken any more: whoever is answered asks again at once.
      nacos.endPolls();
      return closed;
    },
    // Python's client notices nothing less than the end of its transport.
    cut: () => nacos.cut(),
  };
}
