/**
 * Loaded into a beatbridge: writes 100,000 changes into a store of its own when it is told to, all in one act, the largest that there
 * is; each has the value of an instance. Told `write:FOLDER`, it answers when they are handed over; `write-urgent:FOLDER`, when they
 * are on disk.
 */
import { pino } from 'pino';
import { Store } from '../dist/store/store.js';
import { systemScheduler as scheduler } from '../dist/wire/scheduler.js';

const CHANGES = 100_000;
const SERVICE = { namespace: 'public', group: 'DEFAULT_GROUP', name: 'com.example.shop.Orders' };
const METADATA = { 'preserved.register.source': 'SPRING_CLOUD', version: '1.0.0', zone: 'eu-1' };

process.on('message', async (word) => {
  const [what, folder] = word.split(':', 2);
  if (what !== 'write' && what !== 'write-urgent') return;
  await write(folder, what === 'write-urgent');
  process.send({});
});

async function write(folder, urgent) {
  const store = await Store.open(folder, { scheduler, wallClock: () => Date.now(), log: pino({ level: 'warn' }) });
  for (let i = 0; i < CHANGES; i++) {
    const registration = { ip: `10.0.0.${i}`, port: 80, metadata: METADATA };
    const read = () => [{ kind: 'instance', service: SERVICE, registration, silentMs: 0, held: false, trouble: null }];
    store.touch(`registry ${i}`, read, urgent);
    // As requests would touch them.
    if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (urgent) await store.settled();
  await store.close();
}
