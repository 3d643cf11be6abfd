/**
 * A process that registers a million instances in as many services as it is told, as requests bring them: names, ip and cluster cut
 * from a request line. Prints bytes of heap and array buffers per instance after garbage collection, and how long one pass over all
 * of them takes.
 */
import { Registry } from '../dist/registry/registry.js';

const INSTANCES = 1_000_000;
const [services] = process.argv.slice(2).map(Number);

function heldBytes() {
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const before = heldBytes();
const registry = new Registry(() => 0);
for (let i = 0; i < INSTANCES; i++) {
  const line = `serviceName=com.example.shop.Service${i % services}&ip=10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}&port=20880&clusterName=DEFAULT`;
  const [name, ip, port, cluster] = line.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const instance = { ip, port: Number(port), cluster, ephemeral: true, weight: 1, enabled: true, healthy: true, metadata: {} };
  registry.register({ namespace: 'public', group: 'DEFAULT_GROUP', name }, instance);
}
const held = (heldBytes() - before) / INSTANCES;
const began = performance.now();
registry.postpone(0);
const scanMs = performance.now() - began;
if (registry.instanceCount !== INSTANCES) throw new Error(`${registry.instanceCount} instances are registered`);
process.stdout.write(`${JSON.stringify({ ports: { heldBytes: held, scanMs } })}\n`);
// Whoever has started it ends it.
process.stdin.resume();
