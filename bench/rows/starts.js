/** From the start of the process until it listens. */
import { beatbridge, PEERS } from '../peers/peers.js';

const start = async (peer) => {
  const { readyMs } = peer.process;
  return { readyMs, rssMB: peer.process.rssBytes() / 1e6 };
};

/** All but the one that is no program of anybody's. */
const { 'node:http2': _, ...programs } = PEERS;

export const starts = {
  name: 'start',
  subjects: { beatbridge: () => beatbridge(), ...programs },
  works: [
    {
      name: 'ready',
      title: 'from its start until it listens',
      fresh: true,
      take: start,
      lines: Object.keys(programs).flatMap((peer) => [
        { figure: 'readyMs', peer },
        { figure: 'rssMB', peer },
      ]),
    },
  ],
};
