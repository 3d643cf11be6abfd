/** A process that puts so many ephemeral instances into a store, and ends: node fill-store.js FOLDER INSTANCES */
import { pino } from 'pino';
import { Registry } from '../../dist/registry/registry.js';
import { Keeping } from '../../dist/store/keeping.js';
import { RisingClock } from '../../dist/wire/rising-clock.js';
import { systemScheduler as scheduler } from '../../dist/wire/scheduler.js';

const SERVICES_OF_A_MILLION = 10_000;
const METADATA = { 'preserved.register.source': 'SPRING_CLOUD', version: '1.0.0', zone: 'eu-1' };

const [folder, instances] = process.argv.slice(2);
const registry = new Registry(() => performance.now());
const keeping = await Keeping.open(folder, { scheduler, wallClock: () => Date.now(), log: pino({ level: 'warn' }) });
await keeping.begin(registry, [], { heldMs: 45_000, rememberForMs: 3_600_000, risingClock: new RisingClock(() => Date.now()) });
for (let i = 0; i < Number(instances); i++) {
  const name = `com.example.shop.Service${i % SERVICES_OF_A_MILLION}`;
  const ip = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
  const said = { weight: 1, enabled: true, healthy: true, metadata: METADATA };
  registry.register(
    { namespace: 'public', group: 'DEFAULT_GROUP', name },
    { ip, port: 20880, cluster: 'DEFAULT', ephemeral: true, ...said },
  );
  // So that what waits to be written does not pile up.
  if (i % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
await keeping.close();
