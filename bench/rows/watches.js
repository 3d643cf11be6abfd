/** What an open Watch takes of memory: a stream among many on a connection, and a connection that has but one. */
import { Watchers } from '../loads/watchers.js';
import { beatbridge, PEERS, SERVICE } from '../peers/peers.js';
import { memoryOf } from '../use.js';

const open = (connections, calls) => async (peer) => {
  // What a first call loads and sets up is not what one more takes.
  (await Watchers.open(peer.grpcPort, SERVICE, { connections: 10, calls: 10 })).close();
  const before = await memoryOf(peer);
  const watchers = await Watchers.open(peer.grpcPort, SERVICE, { connections, calls });
  try {
    const after = await memoryOf(peer);
    const each = (name) => (after[name] - before[name]) / (connections * calls);
    return { heldBytes: each('heldBytes'), rssBytes: each('rssBytes') };
  } finally {
    watchers.close();
  }
};

const RSS = [
  { figure: 'rssBytes', peer: 'grpc-go' },
  { figure: 'rssBytes', peer: 'grpc-js' },
  { figure: 'rssBytes', peer: 'node:http2' },
];

export const watches = {
  name: 'watch',
  subjects: { beatbridge: () => beatbridge(), ...PEERS },
  works: [
    {
      name: 'stream',
      title: 'memory of a Watch, 10 connections x 1,000',
      fresh: true,
      take: open(10, 1_000),
      lines: [
        { figure: 'heldBytes', peer: 'grpc-go', atMost: 0.05 },
        { figure: 'heldBytes', peer: 'node:http2' },
        { figure: 'heldBytes', peer: 'grpc-js' },
        ...RSS,
      ],
    },
    {
      name: 'connection',
      title: 'memory of a connection with one Watch, 1,000 of them',
      fresh: true,
      take: open(1_000, 1),
      lines: [{ figure: 'heldBytes', peer: 'grpc-go', atMost: 0.3 }, ...RSS],
    },
  ],
};
