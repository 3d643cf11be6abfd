/** Everything at once: how long what arrives waits for its turn, while beats come at a steady pace and very many are told of flips. */
import { setTimeout as pause } from 'node:timers/promises';
import { makeSteadily } from '../loads/http1.js';
import { NOT_SERVING, SERVING, Watchers } from '../loads/watchers.js';
import { beatbridge, SERVICE } from '../peers/peers.js';
import { addressOf, filled } from './registry.js';

const INSTANCES = 100_000;
const BEATS_PER_SECOND = 20_000;
const FLIP_EVERY_MS = 1_000;
const MIN_FLIPS = 6;

const watchersOf = new WeakMap();

const together = async (peer, { seconds }) => {
  if (!watchersOf.has(peer)) watchersOf.set(peer, await Watchers.open(peer.grpcPort, SERVICE, { connections: 10, calls: 1_000 }));
  const watchers = watchersOf.get(peer);
  const stop = await makeSteadily(
    peer.httpPort,
    BEATS_PER_SECOND,
    (i) => `PUT /nacos/v1/ns/instance/beat?${addressOf(i % INSTANCES)}`,
  );
  await pause(FLIP_EVERY_MS);
  await peer.process.ask('watchLoop');
  // Down and up again.
  const flips = Math.max(MIN_FLIPS, 2 * Math.ceil(seconds / 2));
  for (let i = 0; i < flips; i++) {
    const isServing = i % 2 === 1;
    const told = watchers.told(isServing ? SERVING : NOT_SERVING);
    await Promise.all([told, peer.setServing(isServing), pause(FLIP_EVERY_MS)]);
  }
  const { p99Ms, longestMs } = await peer.process.ask('loop');
  const { perSecond } = await stop();
  return { p99Ms, longestMs, perSecond };
};

export const allTogether = {
  name: 'together',
  subjects: { beatbridge: async () => filled(await beatbridge(), INSTANCES) },
  works: [
    {
      name: 'loop',
      title: 'wait for the event loop, 20,000 beats/s and a flip to 10,000 each second',
      take: together,
      lines: [{ figure: 'p99Ms', atMost: 20 }, { figure: 'longestMs' }, { figure: 'perSecond', atLeast: 19_000 }],
    },
  ],
};
