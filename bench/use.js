/** What work costs the process that does it. */

/**
 * Requests in a second, and what each took of a processor, in all threads: the steadier figure where a machine has other things to do.
 * @param {import('./peers/peers.js').Peer} peer
 * @param {() => Promise<{ done: number, perSecond: number }>} load
 */
export async function costOf(peer, load) {
  const [before, began] = [peer.process.used(), performance.now()];
  const { done, perSecond } = await load();
  const [after, wall] = [peer.process.used(), (performance.now() - began) / 1_000];
  const seconds = (after.ns - before.ns) / 1e9;
  const waited = (after.waitedNs - before.waitedNs) / 1e9;
  const shares = { waitedShare: waited / (seconds + waited), loadedShare: (seconds + waited) / wall };
  return { perSecond, cpuUs: (seconds / done) * 1e6, perCpuSecond: done / seconds, ...shares };
}

/** What a process holds after garbage collection, where it can say so, and what the kernel has given it. */
export async function memoryOf(peer) {
  const { heldBytes } = await peer.process.ask('memory');
  return { heldBytes, rssBytes: peer.process.rssBytes() };
}

const LOOK_EVERY_MS = 50;
/** What a server does that does nothing. */
const IDLE_SHARE = 0.05;
const RESTS_WITHIN_MS = 30_000;

/** Resolves when the process has nothing left to do. */
export async function atRest(peer) {
  const until = performance.now() + RESTS_WITHIN_MS;
  for (let before = peer.process.used().ns; performance.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const { ns } = peer.process.used();
    if (ns - before < LOOK_EVERY_MS * 1e6 * IDLE_SHARE) return;
    before = ns;
  }
  throw new Error('the server does not come to rest');
}
