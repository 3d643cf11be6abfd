/** Clients of Nacos 2.x: what a connection takes, and what it takes to tell a thousand of a change. */

import { Subscribers } from '../loads/subscribers.js';
import { call, hold } from '../peers/instances.js';
import { beatbridge, SERVICE } from '../peers/peers.js';
import { rNacos } from '../peers/r-nacos.js';
import { median } from '../rounds.js';
import { atRest } from '../use.js';

const CONNECTIONS = 10_000;
const SUBSCRIBERS = 1_000;
const PUSHES = 6;
const HOSTS = 10;
/** They all come from one address. */
const ROOM = ['--max-connections-per-peer', '20000'];

/** Without garbage collection: peers do not say when theirs is. */
const memory = async (peer) => {
  (await Subscribers.open(peer.nacosPort, 10)).close();
  await atRest(peer);
  const before = peer.process.rssBytes();
  const subscribers = await Subscribers.open(peer.nacosPort, CONNECTIONS);
  try {
    await atRest(peer);
    const after = peer.process.rssBytes();
    return { rssBytes: (after - before) / CONNECTIONS, rssMB: after / 1e6 };
  } finally {
    subscribers.close();
  }
};

const subscribersOf = new WeakMap();

async function subscribed(peer) {
  if (!subscribersOf.has(peer)) {
    const subscribers = await Subscribers.open(peer.nacosPort, SUBSCRIBERS);
    await subscribers.subscribe(SERVICE);
    subscribersOf.set(peer, subscribers);
  }
  await atRest(peer);
  return subscribersOf.get(peer);
}

const push = async (peer) => {
  const subscribers = await subscribed(peer);
  const cpus = [];
  const walls = [];
  for (let i = 0; i < PUSHES; i++) {
    const before = peer.process.used().ns;
    const began = performance.now();
    const pushed = subscribers.pushed();
    const change = i % 2 === 0 ? hold(peer.httpPort, SERVICE, '10.253.0.1', 80) : gone(peer);
    const [last] = await Promise.all([pushed, change]);
    walls.push(last - began);
    await atRest(peer);
    cpus.push((peer.process.used().ns - before) / 1e6);
  }
  return { cpuMs: median(cpus), wallMs: median(walls) };
};

function gone(peer) {
  return call(peer.httpPort, 'DELETE', `instance?serviceName=${SERVICE}&ip=10.253.0.1&port=80`);
}

async function withHosts(peer) {
  for (let i = 0; i < HOSTS; i++) await hold(peer.httpPort, SERVICE, `10.252.0.${i}`, 80);
  return peer;
}

export const connections = {
  name: 'nacos-2',
  subjects: {
    beatbridge: async () => withHosts(await beatbridge(ROOM)),
    'r-nacos': async () => withHosts(await rNacos()),
  },
  works: [
    {
      name: 'connection',
      title: 'memory of a connection of 2.x, 10,000 of them',
      fresh: true,
      take: memory,
      lines: [
        { figure: 'rssBytes', peer: 'r-nacos' },
        { figure: 'rssMB', atMost: 600 },
      ],
    },
    {
      name: 'push',
      title: 'one change to 1,000 subscribers of 2.x',
      take: push,
      lines: [
        { figure: 'cpuMs', peer: 'r-nacos' },
        { figure: 'wallMs', peer: 'r-nacos' },
      ],
    },
  ],
};
