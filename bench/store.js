/**
 * What keeping things costs. Run with `npm run bench:store`, or `node bench/store.js INSTANCES ROUNDS SECONDS` after a build; prints
 * - how long a start takes with so many ephemeral instances in the store, what memory it takes, and for how long the event loop was
 *   blocked at most from then on: while nobody beats, and when all fall silent at once after 15 s;
 * - the slowest Check, of those that follow one another, while 100,000 changes are written, and while nothing is;
 * - beats (HTTP/1.1) and Checks (gRPC over one HTTP/2 connection) a second with and without a store, in turn, in the same run, while
 *   the other one is stopped (SIGSTOP): medians, and their ratio; and the processor time that each call takes, which says more on a
 *   machine that has other things to do.
 * Who asks is on the same machine, and competes with who is asked.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { beats, checks, makeAll, median, slowestCheck } from './load.js';

const SERVICES_OF_A_MILLION = 10_000;
const SERVICES = 100;
const CHANGES = 100_000;
const COME_TO_MS = 2_000;
/** Of histograms, and of what is measured without any load: what the machine adds by itself. */
const RESOLUTION_MS = 1;

const [role, ...rest] = process.argv.slice(2);
// The processes that this one starts end with it, however it ends.
process.on('disconnect', () => process.exit());
if (role === 'fill') await fill(rest[0], Number(rest[1]));
else if (role === 'bridge') await bridge(rest[0]);
else await measure(Number(role ?? 1_000_000), Number(rest[0] ?? 7), Number(rest[1] ?? 2));

/** A process: puts the instances into a store, and ends. */
async function fill(dir, instances) {
  const { registry, keeping } = await kept(dir);
  const metadata = { 'preserved.register.source': 'SPRING_CLOUD', version: '1.0.0', zone: 'eu-1' };
  for (let i = 0; i < instances; i++) {
    const name = `com.example.shop.Service${i % SERVICES_OF_A_MILLION}`;
    const ip = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    const instance = { ip, port: 20880, cluster: 'DEFAULT', ephemeral: true, weight: 1, enabled: true, healthy: true, metadata };
    registry.register({ namespace: 'public', group: 'DEFAULT_GROUP', name }, instance);
    if (i % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await keeping.close();
  process.exit();
}

async function kept(dir) {
  const { Registry } = await import('../dist/registry/registry.js');
  const { Keeping } = await import('../dist/store/keeping.js');
  const { systemScheduler: scheduler } = await import('../dist/wire/scheduler.js');
  const { pino } = await import('pino');
  const log = pino({ level: 'warn' });
  const registry = new Registry(() => performance.now());
  const keeping = await Keeping.open(dir, { scheduler, wallClock: () => Date.now(), log });
  await keeping.begin(registry, [], { heldMs: 45_000, rememberForMs: 3_600_000 });
  return { registry, keeping };
}

/** A process: beatbridge, which answers each message with what it uses, once it has done what it was told. */
async function bridge(dataDir) {
  const { createServer } = await import('../dist/index.js');
  const { listeners } = await createServer({ host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0, dataDir, probes: false });
  const readyMs = performance.now();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let workedMs = 0;
  let before = workMs();
  setInterval(() => {
    const now = workMs();
    workedMs = Math.max(workedMs, now - before);
    before = now;
  }, RESOLUTION_MS);
  process.on('message', async ({ said, dir, urgent }) => {
    if (said === 'batch') await batch(dir, urgent);
    const blockedMs = Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
    process.send({ memory: process.memoryUsage(), cpu: process.cpuUsage(), blockedMs, workedMs });
    if (said !== 'begin') return;
    delay.reset();
    workedMs = 0;
  });
  process.send({ listeners, readyMs, memory: process.memoryUsage() });
}

/** How long the thread of the event loop has had a processor, where Linux says it: what others take from it is not of it. */
function workMs() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6;
  } catch {
    return 0;
  }
}

/** For one turn of the event loop or a few. */
function blocked({ blockedMs, workedMs }) {
  return `the event loop was blocked for ${blockedMs.toFixed(1)} ms at most, and itself at work for ${workedMs.toFixed(1)} of them at most`;
}

/** All in one act, as the largest that there is: each has the value of an instance. */
async function batch(dir, urgent) {
  const { Store } = await import('../dist/store/store.js');
  const { systemScheduler: scheduler } = await import('../dist/wire/scheduler.js');
  const { pino } = await import('pino');
  const log = pino({ level: 'warn' });
  const store = await Store.open(dir, { scheduler, wallClock: () => Date.now(), log });
  const service = { namespace: 'public', group: 'DEFAULT_GROUP', name: 'com.example.shop.Orders' };
  const metadata = { 'preserved.register.source': 'SPRING_CLOUD', version: '1.0.0', zone: 'eu-1' };
  for (let i = 0; i < CHANGES; i++) {
    const read = () => [
      {
        kind: 'instance',
        service,
        registration: { ip: `10.0.0.${i}`, port: 80, metadata },
        silentMs: 0,
        held: false,
        trouble: null,
      },
    ];
    store.touch(`registry ${i}`, read, urgent);
    // As requests would touch them.
    if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (urgent) await store.settled();
  await store.close();
}

async function measure(instances, rounds, seconds) {
  const root = mkdtempSync(join(tmpdir(), 'beatbridge-bench-store-'));
  const children = [];
  const start = async (...args) => {
    const child = fork(import.meta.filename, args, { execArgv: ['--expose-gc'] });
    children.push(child);
    if (args[0] === 'fill') return once(child, 'exit');
    const [said] = await once(child, 'message');
    const port = Number(said.listeners.main.split(':').at(-1));
    return { child, port, ...said, beats: [], checks: [], us: { beats: [], checks: [] } };
  };
  const end = async ({ child }) => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  try {
    const full = join(root, 'full');
    await start('fill', full, String(instances));
    await measureStart(await start('bridge', full), instances).then(end);
    await measureBatches(await start('bridge', 'none'), root).then(end);
    const without = await start('bridge', 'none');
    const withStore = await start('bridge', join(root, 'with'));
    await measureLoad([without, withStore], rounds, seconds);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(root, { recursive: true, force: true });
  }
}

function mib(bytes) {
  return (bytes / 2 ** 20).toFixed(0);
}

async function ask({ child }, message) {
  child.send(message);
  return (await once(child, 'message'))[0];
}

async function measureStart(one, instances) {
  const { rss, heapUsed, arrayBuffers } = one.memory;
  const memory = `rss ${mib(rss)} MiB, heap and arrays ${mib(heapUsed + arrayBuffers)} MiB`;
  console.log(`start with ${instances} instances: ready after ${one.readyMs.toFixed(0)} ms, ${memory}`);
  await pause(10_000);
  const quiet = await ask(one, { said: 'begin' });
  console.log(
    `  in the 10 s that follow, nobody beating, the event loop was blocked for ${quiet.blockedMs.toFixed(1)} ms at most`,
  );
  await pause(15_000);
  const silent = await ask(one, { said: 'use' });
  const after = `rss ${mib(silent.memory.rss)} MiB`;
  console.log(`  while all of them fell silent at once, ${blocked(silent)}; ${after}`);
  return one;
}

async function measureBatches(one, root) {
  await register(one);
  const slowest = async (what, during) => {
    await ask(one, { said: 'begin' });
    const done = during();
    const { ms, count } = await slowestCheck(one.port, done, SERVICES);
    const { blockedMs } = await ask(one, { said: 'use' });
    console.log(
      `${what}: slowest of ${count} Checks ${ms.toFixed(1)} ms, event loop blocked for ${blockedMs.toFixed(1)} ms at most`,
    );
  };
  // Warm.
  await checks(one.port, 2, SERVICES);
  for (let round = 0; round < 3; round++) {
    await slowest('nothing written for 2 s', () => pause(2_000));
    await slowest(`${CHANGES} changes written`, () =>
      ask(one, { said: 'batch', dir: join(root, `later-${round}`), urgent: false }),
    );
    await slowest(`${CHANGES} changes that must survive written`, () =>
      ask(one, { said: 'batch', dir: join(root, `urgent-${round}`), urgent: true }),
    );
  }
  return one;
}

function register(one) {
  const calls = [...Array(SERVICES).keys()].flatMap((i) => [
    `POST /nacos/v1/ns/instance?serviceName=beating&ip=10.0.0.${i}&port=8080`,
    `POST /nacos/v1/ns/instance?serviceName=bench-${i}&ip=10.0.0.1&port=8080&ephemeral=false`,
  ]);
  return makeAll(one.port, calls.length, (i) => calls[i]);
}

async function measureLoad(bridges, rounds, seconds) {
  for (const one of bridges) {
    await register(one);
    one.child.kill('SIGSTOP');
  }
  for (let round = 0; round < rounds; round++)
    // Who is first has the quieter machine, or the colder one.
    for (const one of round % 2 === 0 ? bridges : bridges.toReversed()) {
      one.child.kill('SIGCONT');
      await pause(COME_TO_MS);
      for (const [what, load] of Object.entries({ beats, checks })) {
        const before = await ask(one, { said: 'use' });
        const perSecond = await load(one.port, seconds, SERVICES);
        const after = await ask(one, { said: 'use' });
        const usedUs = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
        one[what].push(perSecond);
        one.us[what].push(usedUs / (perSecond * seconds));
      }
      one.child.kill('SIGSTOP');
    }
  for (const what of ['beats', 'checks']) {
    const [without, withStore] = bridges.map((one) => median(one[what]));
    console.log(
      `${what}/s: ${without.toFixed(0)} without a store, ${withStore.toFixed(0)} with; ratio ${(withStore / without).toFixed(3)}`,
    );
    const [usWithout, usWithStore] = bridges.map((one) => median(one.us[what]));
    const ofCpu = (usWithout / usWithStore).toFixed(3);
    console.log(
      `  us of all its threads for each: ${usWithout.toFixed(1)} without, ${usWithStore.toFixed(1)} with; ratio ${ofCpu}`,
    );
    for (const [i, one] of bridges.entries())
      console.log(`  ${i === 0 ? 'without' : 'with'}: ${one[what].map((count) => count.toFixed(0)).join(' ')}`);
  }
}
