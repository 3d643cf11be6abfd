/**
 * What one instance costs in memory, when a million are registered as requests bring them: names, ip and cluster cut from a request
 * line. Run with `npm run bench:memory`; prints bytes of heap and array buffers per instance, after garbage collection.
 */
import { Registry } from '../dist/registry/registry.js';

const INSTANCES = 1_000_000;

function measure(title, services) {
  const used = () => {
    globalThis.gc();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    return { held: heapUsed + arrayBuffers, rss };
  };
  const before = used();
  const registry = new Registry(() => 0);
  for (let i = 0; i < INSTANCES; i++) {
    const line = `serviceName=com.example.shop.Service${i % services}&ip=10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}&port=20880&clusterName=DEFAULT`;
    const [name, ip, port, cluster] = line.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
    const instance = { ip, port: Number(port), cluster, ephemeral: true, weight: 1, enabled: true, healthy: true, metadata: {} };
    registry.register({ namespace: 'public', group: 'DEFAULT_GROUP', name }, instance);
  }
  const after = used();
  const start = process.hrtime.bigint();
  registry.postpone(0);
  const scanned = Number(process.hrtime.bigint() - start) / 1e6;
  console.log(
    `${title}: ${((after.held - before.held) / INSTANCES).toFixed(0)} bytes per instance, rss ${(after.rss / 2 ** 20).toFixed(0)} MiB, one pass over all ${scanned.toFixed(1)} ms (${registry.instanceCount} instances, ${registry.serviceCount} services)`,
  );
}

measure(process.argv[2] ?? 'instances', Number(process.argv[3] ?? 10_000));
