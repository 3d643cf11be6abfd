/**
 * How late silence is told: services with one instance each, which fall silent one after the other while everything else is alive, and
 * a Watch on each. It counts from when the last sign of life was sent, so that the way there is lateness too.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { healthRequest } from '../loads/grpc-frames.js';
import { Http2Connection } from '../loads/http2-connection.js';
import { NOT_SERVING, WATCH } from '../loads/watchers.js';
import { call } from '../peers/instances.js';
import { percentile } from '../rounds.js';

const SERVICES = 500;
const OVER_MS = 2_000;
const TIMEOUT_MS = 1_000;
const TOLD_WITHIN_MS = 60_000;
const SILENCE = JSON.stringify({
  'preserved.heart.beat.interval': String(TIMEOUT_MS / 2),
  'preserved.heart.beat.timeout': String(TIMEOUT_MS),
  'preserved.ip.delete.timeout': '600000',
});

/** Of services that nobody has spoken of before. */
let rounds = 0;

export async function lateness(peer) {
  rounds++;
  const services = Array.from({ length: SERVICES }, (_, i) => `silent-${rounds}-${i}`);
  const connection = await Http2Connection.open(peer.grpcPort);
  const told = toldOf(connection, services);
  const late = services.map(async (service, i) => {
    await pause((i * OVER_MS) / SERVICES);
    const dueAt = performance.now() + TIMEOUT_MS;
    const at = `instance?serviceName=${service}&ip=10.254.0.1&port=80`;
    await call(peer.httpPort, 'POST', `${at}&metadata=${encodeURIComponent(SILENCE)}`);
    const toldAt = await told[i];
    await call(peer.httpPort, 'DELETE', at);
    return toldAt - dueAt;
  });
  try {
    const all = await Promise.all(late);
    return { p99Ms: percentile(all, 99), longestMs: percentile(all, 100) };
  } finally {
    connection.close();
  }
}

/** When the watcher of each service is told that it does not serve. */
function toldOf(connection, services) {
  const settle = new Map();
  const told = services.map(
    (service) =>
      new Promise((resolve, reject) => {
        settle.set(connection.call(WATCH, healthRequest(service)), resolve);
        setTimeout(() => reject(new Error(`the watcher of ${service} was not told`)), TOLD_WITHIN_MS).unref();
      }),
  );
  connection.onMessage = (stream, [, status]) => {
    if (status === NOT_SERVING) settle.get(stream)(performance.now());
  };
  return told;
}
