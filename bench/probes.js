/**
 * What active checks cost those who are served meanwhile. Two beatbridges hold 10,000 persistent instances at addresses of 127.0.0.0/8
 * each, 3,000 of which accept a connection and never answer; one of the two checks them. Beats (HTTP/1.1) and Checks (gRPC over one
 * HTTP/2 connection) are counted against both in turn, in the same run, while the other one is stopped (SIGSTOP). Run with
 * `npm run bench:probes`, or `node bench/probes.js ROUNDS SECONDS MAX_PROBES_PER_SECOND` after a build; prints the medians, their
 * ratio, and the memory of both. Who asks and who is checked are on the same machine, and compete with both.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { beats, checks, makeAll, median } from './load.js';

const SERVICES = 100;
const INSTANCES = 10_000;
/** Of ten instances so many hang. */
const HANGING_OF_TEN = 3;
/** How long the checks may take to find those that hang, and a stopped process to be itself again. */
const FOUND_WITHIN_S = 60;
const COME_TO_MS = 2_000;
const IDLE_MS = 5_000;

const [role, ...rest] = process.argv.slice(2);
// The processes that this one starts end with it, however it ends.
process.on('disconnect', () => process.exit());
if (role === 'bridge') await bridge(rest[0] === 'true', rest[1]);
else if (role === 'targets') await targets();
else await measure(Number(role ?? 7), Number(rest[0] ?? 2), rest[1]);

/** A process: beatbridge, which answers each message with what it uses. */
async function bridge(probes, perSecond) {
  const { createServer } = await import('../dist/index.js');
  const options = { host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0, probes, probeAllow: 'loopback' };
  if (perSecond !== undefined) options.maxProbesPerSecond = Number(perSecond);
  const { listeners } = await createServer(options);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  process.on('message', (said) => {
    if (said === 'begin') return delay.reset();
    const delayMs = delay.percentile(99) / 1e6;
    globalThis.gc();
    process.send({ ...process.memoryUsage(), delayMs, cpu: process.cpuUsage() });
  });
  process.send(listeners);
}

/** A process: a port that takes every connection, and one that also reads and never answers, each at all of 127.0.0.0/8. */
async function targets() {
  let accepted = 0;
  const port = async (each) => {
    const server = createTcpServer((socket) => {
      accepted++;
      socket.on('error', () => {});
      each(socket);
    });
    server.listen({ port: 0, host: '0.0.0.0', backlog: 4_096 });
    await once(server, 'listening');
    return server.address().port;
  };
  const answers = await port((socket) => socket.resume());
  const hangs = await port((socket) => socket.resume());
  process.on('message', () => process.send(accepted));
  process.send({ answers, hangs });
}

async function measure(rounds, seconds, perSecond) {
  const children = [];
  const start = async (...args) => {
    const child = fork(import.meta.filename, args, { execArgv: ['--expose-gc'] });
    children.push(child);
    const [said] = await once(child, 'message');
    return { child, said };
  };
  try {
    const checked = await start('targets');
    const bridges = [];
    for (const probes of [false, true]) {
      const { child, said } = await start('bridge', String(probes), ...(perSecond === undefined ? [] : [perSecond]));
      const one = { probes, child, port: Number(said.main.split(':').at(-1)), beats: [], checks: [], delays: [] };
      await fill(one.port, checked.said);
      bridges.push(one);
    }
    const [without, withProbes] = bridges;
    await found(withProbes.port);
    for (const { child } of bridges) child.kill('SIGSTOP');
    let begun = 0;
    for (let round = 0; round < rounds; round++)
      // Who is first has the quieter machine, or the colder one.
      for (const one of round % 2 === 0 ? [without, withProbes] : [withProbes, without])
        begun += await take(one, checked.child, seconds);
    await report(without, withProbes, begun / (rounds * 2 * seconds));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

/** Registers all instances, and the check of those that hang. */
async function fill(port, { answers, hangs }) {
  const checker = encodeURIComponent(JSON.stringify({ type: 'HTTP', path: '/health', headers: '', expectedResponseCode: 200 }));
  const cluster = `clusterName=HANGING&checkPort=80&useInstancePort4Check=true&healthChecker=${checker}`;
  await makeAll(port, SERVICES, (i) => `POST /nacos/v1/ns/service?serviceName=bench-${i}`);
  await makeAll(port, SERVICES, (i) => `PUT /nacos/v1/ns/cluster?serviceName=bench-${i}&${cluster}`);
  await makeAll(port, SERVICES, (i) => `POST /nacos/v1/ns/instance?serviceName=beating&ip=10.0.0.${i}&port=8080`);
  await makeAll(port, INSTANCES, (i) => {
    const ip = `127.${1 + (i >> 14)}.${(i >> 7) & 127}.${1 + (i & 127)}`;
    // Of the ten in a row of one service.
    const at = Math.floor(i / SERVICES) % 10 < HANGING_OF_TEN ? `port=${hangs}&clusterName=HANGING` : `port=${answers}`;
    return `POST /nacos/v1/ns/instance?serviceName=bench-${i % SERVICES}&ip=${ip}&ephemeral=false&${at}`;
  });
}

/** Waits until those of one service that hang have been found, and says so when they are not. */
async function found(port) {
  const expected = (INSTANCES / SERVICES / 10) * HANGING_OF_TEN;
  let down = 0;
  for (let second = 0; second < FOUND_WITHIN_S && down < expected; second++) {
    await pause(1_000);
    const answer = await fetch(`http://127.0.0.1:${port}/nacos/v1/ns/instance/list?serviceName=bench-0`);
    down = (await answer.json()).hosts.filter(({ healthy }) => !healthy).length;
  }
  console.log(`checks have found ${down} of the ${expected} instances of a service that hang`);
  if (down === expected) return;
  console.log('no comparison: this beatbridge does not check its instances');
  process.exitCode = 1;
}

/** One round against one of them. Answers how many checks it has begun meanwhile. */
async function take(one, checked, seconds) {
  const acceptedSoFar = async () => {
    checked.send('count');
    return (await once(checked, 'message'))[0];
  };
  one.child.kill('SIGCONT');
  await pause(COME_TO_MS);
  one.child.send('begin');
  const before = await acceptedSoFar();
  one.beats.push(await beats(one.port, seconds, SERVICES));
  one.checks.push(await checks(one.port, seconds, SERVICES));
  const begun = (await acceptedSoFar()) - before;
  const used = await use(one);
  one.delays.push(used.delayMs);
  one.child.kill('SIGSTOP');
  return begun;
}

async function use({ child }) {
  child.send('use');
  return (await once(child, 'message'))[0];
}

/** Machines that do something else as well slow everybody down, and leave this figure alone. */
async function cpuShare(one) {
  const { cpu: before } = await use(one);
  const start = performance.now();
  await pause(IDLE_MS);
  const { cpu: after } = await use(one);
  const usedMs = (after.user + after.system - before.user - before.system) / 1_000;
  return `${((100 * usedMs) / (performance.now() - start)).toFixed(1)} %`;
}

async function report(without, withProbes, begunPerSecond) {
  for (const what of ['beats', 'checks']) {
    const [one, other] = [median(without[what]), median(withProbes[what])];
    console.log(`${what}/s: ${one.toFixed(0)} without probes, ${other.toFixed(0)} with; ratio ${(other / one).toFixed(3)}`);
    for (const { probes, [what]: counts } of [without, withProbes])
      console.log(`  ${probes ? 'with' : 'without'}: ${counts.map((count) => count.toFixed(0)).join(' ')}`);
  }
  console.log(
    `event loop delay, 99 of 100, ms: ${median(without.delays).toFixed(1)} without, ${median(withProbes.delays).toFixed(1)} with`,
  );
  console.log(`checks of instances begun meanwhile: ${begunPerSecond.toFixed(0)}/s`);
  for (const one of [without, withProbes]) {
    one.child.kill('SIGCONT');
    await pause(COME_TO_MS);
    const { heapUsed, arrayBuffers, rss } = await use(one);
    const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
    const idle = await cpuShare(one);
    const which = one.probes ? 'with' : 'without';
    console.log(
      `${which} probes: heap ${mib(heapUsed + arrayBuffers)} MiB, rss ${mib(rss)} MiB, ${idle} of a core when nobody asks`,
    );
    one.child.kill('SIGSTOP');
  }
}
