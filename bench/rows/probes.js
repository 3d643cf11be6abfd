/**
 * What active checks cost those who are served meanwhile. Two beatbridges hold 10,000 persistent instances each, at addresses of
 * 127.0.0.0/8, 3,000 of which accept a connection and never answer; one of the two checks them, as often in a second as
 * MAX_PROBES_PER_SECOND in the environment allows. Who is checked is on the core of those that load.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { healthRequest } from '../loads/grpc-frames.js';
import { makeAll } from '../loads/http1.js';
import { h2load } from '../loads/programs.js';
import { ON_LOAD_CORE } from '../machine.js';
import { beatbridge, SERVICE } from '../peers/peers.js';
import { ServerProcess } from '../server-process.js';
import { costOf, memoryOf } from '../use.js';
import { calls, filled } from './registry.js';

const SERVICES = 100;
const INSTANCES = 10_000;
const BEATING = 1_000;
/** Of ten instances so many hang. */
const HANGING_OF_TEN = 3;
/** How long the checks may take to find those that hang. */
const FOUND_WITHIN_S = 180;
const TARGETS = join(import.meta.dirname, '../loads/targets.js');
const { MAX_PROBES_PER_SECOND } = process.env;

let targets;

async function startTargets() {
  targets ??= ServerProcess.start([process.execPath, TARGETS], { channel: 'ipc', where: ON_LOAD_CORE });
  return (await targets).said;
}

const bridge = (probes) => async () => {
  const { answers, hangs } = await startTargets();
  const perSecond = MAX_PROBES_PER_SECOND === undefined ? [] : ['--max-probes-per-second', MAX_PROBES_PER_SECOND];
  const peer = await beatbridge(['--probes', String(probes), '--probe-allow', 'loopback', ...perSecond]);
  await filled(peer, BEATING);
  await fill(peer.httpPort, answers, hangs);
  if (probes) await untilFound(peer.httpPort);
  return peer;
};

/** Registers all that are to be checked, and the check of those that hang. */
async function fill(port, answers, hangs) {
  const checker = encodeURIComponent(JSON.stringify({ type: 'HTTP', path: '/health', headers: '', expectedResponseCode: 200 }));
  const cluster = `clusterName=HANGING&checkPort=80&useInstancePort4Check=true&healthChecker=${checker}`;
  await makeAll(port, SERVICES, (i) => `POST /nacos/v1/ns/service?serviceName=checked-${i}`);
  await makeAll(port, SERVICES, (i) => `PUT /nacos/v1/ns/cluster?serviceName=checked-${i}&${cluster}`);
  await makeAll(port, INSTANCES, (i) => {
    const ip = `127.${1 + (i >> 14)}.${(i >> 7) & 127}.${1 + (i & 127)}`;
    // Of the ten in a row of one service.
    const hanging = Math.floor(i / SERVICES) % 10 < HANGING_OF_TEN;
    const at = hanging ? `port=${hangs}&clusterName=HANGING` : `port=${answers}`;
    return `POST /nacos/v1/ns/instance?serviceName=checked-${i % SERVICES}&ip=${ip}&ephemeral=false&${at}`;
  });
}

/** A beatbridge that does not find out who hangs makes no checks, and is no comparison. */
async function untilFound(port) {
  const expected = (INSTANCES / SERVICES / 10) * HANGING_OF_TEN;
  let down = 0;
  for (let second = 0; second < FOUND_WITHIN_S && down < expected; second++) {
    await pause(1_000);
    const answer = await fetch(`http://127.0.0.1:${port}/nacos/v1/ns/instance/list?serviceName=checked-0`);
    down = (await answer.json()).hosts.filter(({ healthy }) => !healthy).length;
  }
  if (down !== expected) throw new Error(`checks have found ${down} of the ${expected} instances of a service that hang`);
}

const accepted = async () => (await targets).ask('accepted');

/** And how long what arrives waits meanwhile, and how many checks are made all the same. */
const underChecks = (work) => async (peer, options) => {
  const [before, began] = [await accepted(), performance.now()];
  await peer.process.ask('watchLoop');
  const figures = await work(peer, options);
  const { p99Ms } = await peer.process.ask('loop');
  const checksPerSecond = ((await accepted()) - before) / ((performance.now() - began) / 1_000);
  return { ...figures, p99Ms, checksPerSecond };
};

const check = (peer, { seconds }) =>
  costOf(peer, () => {
    const call = { path: '/grpc.health.v1.Health/Check', message: healthRequest(SERVICE) };
    return h2load({ port: peer.grpcPort, ...call, connections: 10, streams: 10, seconds });
  });

/** When nobody asks. */
const idle = async (peer, { seconds }) => {
  const [before, acceptedBefore, began] = [peer.process.used().ns, await accepted(), performance.now()];
  await pause(seconds * 1_000);
  const ms = performance.now() - began;
  const cpuShare = (peer.process.used().ns - before) / 1e6 / ms;
  const checksPerSecond = (((await accepted()) - acceptedBefore) / ms) * 1_000;
  const { heldBytes, rssBytes } = await memoryOf(peer);
  return { cpuShare, checksPerSecond, heldMB: heldBytes / 1e6, rssMB: rssBytes / 1e6 };
};

const beside = (...figures) => figures.map((figure) => ({ figure, peer: 'without checks' }));

export const probes = {
  name: 'probes',
  apart: true,
  alone: true,
  end: async () => (await targets)?.end(),
  subjects: { beatbridge: bridge(true), 'without checks': bridge(false) },
  works: [
    {
      name: 'beat',
      title: 'beats while 10,000 instances are checked',
      take: underChecks(calls('beat', BEATING)),
      lines: [...beside('perSecond', 'cpuUs', 'p99Ms'), { figure: 'checksPerSecond' }],
    },
    {
      name: 'check',
      title: 'Checks while 10,000 instances are checked',
      take: underChecks(check),
      lines: [...beside('perSecond', 'cpuUs', 'p99Ms'), { figure: 'checksPerSecond' }],
    },
    {
      name: 'idle',
      title: 'nothing but checks of 10,000 instances',
      cold: true,
      take: idle,
      lines: [{ figure: 'checksPerSecond' }, ...beside('cpuShare', 'heldMB', 'rssMB')],
    },
  ],
};
