/** A service that stops serving, and is up again, with very many watching: what it takes to tell them all, and how late they hear. */

import { NOT_SERVING, SERVING, Watchers } from '../loads/watchers.js';
import { hold, remove } from '../peers/instances.js';
import { beatbridge, PEERS, SERVICE } from '../peers/peers.js';
import { median, percentile } from '../rounds.js';
import { atRest } from '../use.js';

/** Up and down again, an even number. */
const FLIPS = 6;
const DEREGISTRATIONS = 30;
/** The first are for compilers. */
const WARM_UP = 5;
const WATCHERS = 1_000;
const INSTANCE = ['10.255.0.2', 8080];
const MANY = ['--max-watches', '200000', '--max-watches-per-peer', '200000'];
/** Of each connection, in all of these. */
const CALLS = 1_000;

/** They are opened once for each server, and stay. */
const watchersOf = new WeakMap();

async function watched(peer, connections, calls) {
  if (!watchersOf.has(peer)) watchersOf.set(peer, await Watchers.open(peer.grpcPort, SERVICE, { connections, calls }));
  await atRest(peer);
  return watchersOf.get(peer);
}

const flip = (connections) => async (peer) => {
  const watchers = await watched(peer, connections, CALLS);
  const walls = [];
  const cpus = [];
  for (let i = 0; i < FLIPS; i++) {
    const isServing = i % 2 === 1;
    const before = peer.process.used().ns;
    const told = watchers.told(isServing ? SERVING : NOT_SERVING);
    const began = performance.now();
    const [last] = await Promise.all([told, peer.setServing(isServing)]);
    walls.push(last - began);
    await atRest(peer);
    cpus.push((peer.process.used().ns - before) / 1e6);
  }
  return { cpuMs: median(cpus), wallMs: median(walls) };
};

/** From the request that takes the last instance to what each watcher hears of it. */
const deregister = (connections) => async (peer) => {
  const watchers = await watched(peer, connections, WATCHERS / connections);
  const lateness = [];
  for (let i = -WARM_UP; i < DEREGISTRATIONS; i++) {
    const times = [];
    const told = watchers.told(NOT_SERVING, times);
    const began = performance.now();
    await Promise.all([told, remove(peer.httpPort, SERVICE, ...INSTANCE)]);
    if (i >= 0) for (const time of times) lateness.push(time - began);
    await Promise.all([watchers.told(SERVING), hold(peer.httpPort, SERVICE, ...INSTANCE)]);
  }
  return { p99Ms: percentile(lateness, 99), longestMs: percentile(lateness, 100) };
};

/** The service of an instance that comes and goes. */
async function withOneInstance() {
  const peer = await beatbridge();
  await hold(peer.httpPort, SERVICE, ...INSTANCE);
  await remove(peer.httpPort, SERVICE, '10.255.0.1', 8080);
  return peer;
}

const wallsAndCpu = (peers) =>
  peers.flatMap((peer) => [
    { figure: 'cpuMs', peer },
    { figure: 'wallMs', peer },
  ]);

export const flips = {
  name: 'flip',
  subjects: { beatbridge: () => beatbridge(), ...PEERS },
  works: [
    {
      name: '10k',
      title: 'one flip to 10,000 watchers on 10 connections',
      take: flip(10),
      lines: [
        { figure: 'cpuMs', peer: 'grpc-js', atMost: 0.6 },
        { figure: 'wallMs', peer: 'grpc-js' },
        ...wallsAndCpu(['node:http2', 'grpc-go']),
      ],
    },
  ],
};

/** connect-node would take more memory for so many than there may be. */
const { 'connect-node': _, ...frugal } = PEERS;

export const largeFlips = {
  name: 'flip',
  subjects: { beatbridge: () => beatbridge(MANY), ...frugal },
  works: [
    {
      name: '100k',
      title: 'one flip to 100,000 watchers on 100 connections',
      cold: true,
      take: flip(100),
      lines: [
        { figure: 'cpuMs', peer: 'grpc-go', atMost: 0.25 },
        { figure: 'wallMs', peer: 'grpc-go' },
        ...wallsAndCpu(['grpc-js', 'node:http2']),
      ],
    },
  ],
};

export const deregistrations = {
  name: 'deregister',
  subjects: { beatbridge: withOneInstance },
  works: [
    { connections: 10, title: '1,000 watchers on 10 connections' },
    { connections: 1_000, title: '1,000 watchers, each on its own connection' },
  ].map(({ connections, title }) => ({
    name: `${connections}x${WATCHERS / connections}`,
    title: `from DELETE to the frame, ${title}`,
    fresh: true,
    take: deregister(connections),
    lines: [{ figure: 'p99Ms', atMost: 20 }, { figure: 'longestMs' }],
  })),
};
