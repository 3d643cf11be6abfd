import { describe, expect, inject, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { Driver } from './driver.ts';
import { healthOf, startBridge } from './estate.ts';

/** Dubbo, with beatbridge as the only registry, configuration and metadata centre that it has. */

const tools = inject('tools');

const GO = tools.dubboGoGreeter.path === undefined ? undefined : [tools.dubboGoGreeter.path];
const JAVA =
  tools.javaDubbo.path === undefined
    ? undefined
    : ['java', '-XX:TieredStopAtLevel=1', '-cp', `${tools.javaDubbo.path}/classes:${tools.javaDubbo.path}/lib/*`, 'DubboDriver'];

const INTERFACE = 'com.example.Greeter';
const KEY = `blue/${INTERFACE}:1.0.0`;
const OF_THE_SERVICE = ['--interface', INTERFACE, '--version', '1.0.0', '--group', 'blue'];

/** A provider that was killed is found out by its connection. */
const AT_ONCE_MS = 1_000;

const call = (consumer: Driver) => consumer.call('call', { name: 'you' });

describe.each([
  ['dubbo-go', 'interface', GO],
  ['dubbo-go', 'service', GO],
  ['Java Dubbo', 'interface', JAVA],
  ['Java Dubbo', 'instance', JAVA],
])('%s at the level of %s', (_, mode, command) => {
  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  const missing = command === undefined;
  const start = async (role: 'provider' | 'consumer', server: string) => {
    const [port] = role === 'provider' ? await freePorts(1) : [];
    const options = ['--mode', mode, '--application', `greeter-${role}`, ...(port === undefined ? [] : ['--port', `${port}`])];
    return Driver.start([...(command ?? []), role, ...options, ...OF_THE_SERVICE], server);
  };

  it.skipIf(missing)('a provider has health, by its key and by its interface, for as long as it lives', async () => {
    await using bridge = await startBridge();
    using byKey = healthOf(bridge, KEY);
    using byInterface = healthOf(bridge, INTERFACE);
    expect([await byKey.next(), await byInterface.next()]).toEqual(['SERVICE_UNKNOWN', 'SERVICE_UNKNOWN']);

    await using first = await start('provider', bridge.listeners.main);
    await Promise.all([byKey.becomes('SERVING'), byInterface.becomes('SERVING')]);
    await using consumer = await start('consumer', bridge.listeners.main);
    await expect.poll(() => call(consumer).catch(String), { timeout: 30_000 }).toMatch(/^hello you/);

    const killed = performance.now();
    await first.kill();
    await Promise.all([byKey.becomes('NOT_SERVING'), byInterface.becomes('NOT_SERVING')]);
    expect(performance.now() - killed).toBeLessThan(AT_ONCE_MS);
    await expect(call(consumer)).rejects.toThrow();

    await using second = await start('provider', bridge.listeners.main);
    await Promise.all([byKey.becomes('SERVING'), byInterface.becomes('SERVING')]);
    await expect.poll(() => call(consumer).catch(String), { timeout: 30_000 }).toMatch(/^hello you/);

    // It says goodbye first, and so there is no need to find out.
    second.terminate();
    await Promise.all([byKey.becomes('NOT_SERVING'), byInterface.becomes('NOT_SERVING')]);
  });

  it.skipIf(missing)('calls succeed all the while that beatbridge is killed and started again', async () => {
    await using before = await startBridge();
    await using _provider = await start('provider', before.listeners.main);
    await using consumer = await start('consumer', before.listeners.main);
    await expect.poll(() => call(consumer).catch(String), { timeout: 30_000 }).toMatch(/^hello you/);

    await before.stop('SIGKILL');
    expect(await call(consumer)).toMatch(/^hello you/);
    await using after = await startBridge(before.ports);
    // By the name that needs no mapping: nothing of that is kept as long as there is no store.
    using health = healthOf(after, mode === 'interface' ? KEY : 'greeter-provider');
    let back = false;
    const returned = (async () => {
      const first = await health.next();
      expect(first === 'SERVICE_UNKNOWN' ? await health.next() : first).toBe('SERVING');
      back = true;
    })();
    while (!back) expect(await call(consumer)).toMatch(/^hello you/);
    await returned;
    // The consumer has had all that there is to be told by the time that it is told of another provider.
    await using _another = await start('provider', after.listeners.main);
    for (let i = 0; i < 20; i++) expect(await call(consumer)).toMatch(/^hello you/);
  });
});
