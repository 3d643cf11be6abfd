import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { nacos } from '../support/server.ts';
import { Driver } from './driver.ts';
import { healthOf } from './estate.ts';
import { MAINTAINERS, NACOS_2_CLIENTS, startClient } from './nacos-clients.ts';

/** What operators of 3.x have: Java's maintainer client, which steers a server over HTTP alone. */

const OK = 'ok';
/** Nobody is dialled there. */
const IP = '127.0.0.1';
const md5Of = (text: string) => createHash('md5').update(text).digest('hex');
const at = { ip: IP, port: 8080 };

let bridge: Process;
beforeAll(async () => {
  // It checks, so that operators may not say how an instance is.
  bridge = await startProcess(FREE_PORTS);
});
afterAll(() => bridge[Symbol.asyncDispose]());

describe.concurrent.each(Object.entries(MAINTAINERS))('the maintainer client %s', (version, command) => {
  // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  const missing = command === undefined;
  let maintainer: Driver;
  const named = (name: string) => `${name}-${version}`;
  const call = (op: string, params: Readonly<Record<string, unknown>> = {}) => maintainer.call(op, params);

  beforeAll(async () => {
    if (command !== undefined) maintainer = await Driver.start(command, bridge.listeners.main);
  });
  afterAll(() => maintainer?.kill());

  it.skipIf(missing)('creates, lists, edits and removes services', async () => {
    const service = named('made');
    const said = { service, protectThreshold: 0.5, metadata: { a: '1' } };
    expect(await call('service.create', said)).toBe(OK);
    await expect(call('service.create', said)).rejects.toThrow(/specified service DEFAULT_GROUP@@made-.* already exists!/);
    expect(await call('service.get', { service })).toMatchObject({
      serviceName: service,
      protectThreshold: 0.5,
      metadata: { a: '1' },
    });
    expect(await call('service.update', { service, metadata: { b: '2' } })).toBe(OK);
    expect(await call('service.get', { service })).toMatchObject({ protectThreshold: 0, metadata: { b: '2' } });
    const listed = { totalCount: 1, pageNumber: 1, pagesAvailable: 1, pageItems: [expect.objectContaining({ name: service })] };
    expect(await call('service.list', { like: service })).toEqual(listed);
    expect(await call('service.list', { like: service, ignoreEmpty: true })).toMatchObject({ totalCount: 0, pageItems: [] });
    expect(await call('service.remove', { service })).toBe(OK);
    await expect(call('service.get', { service })).rejects.toThrow('service not found, namespace: public');
  });

  it.skipIf(missing)('registers, lists, edits, puts offline and deregisters instances, as health sees', async () => {
    const service = named('steered');
    using health = healthOf(bridge, service);
    expect(await health.next()).toBe('SERVICE_UNKNOWN');
    // Persistent, unless told otherwise.
    expect(await call('instance.registerByDefault', { service, ...at })).toBe(OK);
    await health.becomes('SERVING');
    const one = async () => (await call('instance.get', { service, ...at })) as object;
    expect(await one()).toMatchObject({ ...at, weight: 1, enabled: true, healthy: true, ephemeral: false, metadata: {} });

    const edit = { service, ...at, ephemeral: false };
    expect(await call('instance.update', { ...edit, weight: 3, metadata: { colour: 'red' } })).toBe(OK);
    expect(await one()).toMatchObject({ weight: 3, enabled: true, metadata: { colour: 'red' } });
    expect(await call('instance.partialUpdate', { ...edit, weight: 3, enabled: false, metadata: { colour: 'blue' } })).toBe(OK);
    expect(await one()).toMatchObject({ weight: 3, enabled: false, metadata: { colour: 'blue' } });
    await health.becomes('NOT_SERVING');
    expect(await call('instance.list', { service })).toEqual([expect.objectContaining({ ...at, enabled: false })]);
    expect(await call('service.listWithDetail', { like: service })).toMatchObject({
      pageItems: [{ serviceName: service, clusterMap: { DEFAULT: { hosts: [{ ...at, weight: 3 }] } } }],
    });

    const batch = { service, ephemeral: false, instances: [{ ...at, ephemeral: false }], metadata: { zone: 'z1' } };
    const updated = { updated: [`${IP}:8080:unknown:DEFAULT:persistent`] };
    expect(await call('instance.addMetadata', batch)).toEqual(updated);
    expect(await one()).toMatchObject({ metadata: { colour: 'blue', zone: 'z1' } });
    expect(await call('instance.removeMetadata', batch)).toEqual(updated);
    expect(await one()).toMatchObject({ metadata: { colour: 'blue' } });

    expect(await call('instance.update', { ...edit, weight: 3 })).toBe(OK);
    await health.becomes('SERVING');
    await expect(call('service.remove', { service })).rejects.toThrow('is not empty');
    expect(await call('instance.deregister', edit)).toBe(OK);
    await health.becomes('NOT_SERVING');
    expect(await call('instance.list', { service })).toEqual([]);
    await expect(one()).rejects.toThrow('no ips found for cluster DEFAULT');
  });

  it.skipIf(missing)('sets health where no checker does', async () => {
    const service = named('checked');
    await call('instance.registerByDefault', { service, ...at });
    const verdict = { service, ...at, ephemeral: false };
    await expect(call('naming.setHealth', verdict)).rejects.toThrow('health check is still working');
    expect(await call('naming.setChecker', { service, path: '/up', checkPort: 81, useInstancePort: false })).toBe(OK);
    expect(await call('service.get', { service })).toMatchObject({
      clusterMap: {
        DEFAULT: { healthChecker: { type: 'HTTP', path: '/up' }, healthyCheckPort: 81, useInstancePortForCheck: false },
      },
    });
    expect(await call('naming.setChecker', { service })).toBe(OK);
    expect(await call('naming.setHealth', { ...verdict, healthy: false })).toBe(OK);
    expect(await call('instance.list', { service })).toMatchObject([{ healthy: false }]);
    expect(await call('instance.list', { service, healthyOnly: true })).toEqual([]);
  });

  it.skipIf(missing)('reads who is a client, and what of', async () => {
    const service = named('owned');
    const port = version === 'java-3.0.2' ? 9_002 : 9_021;
    const clientId = `${IP}:${port}#true`;
    await nacos(bridge, 'POST', '/instance', { serviceName: service, ip: IP, port });
    expect(await call('client.get', { clientId })).toMatchObject({ clientId, ephemeral: true, clientType: 'ipPort' });
    expect(await call('client.published', { clientId })).toMatchObject([
      { serviceName: service, publisherInfo: { ip: IP, port } },
    ]);
    expect(await call('client.subscribed', { clientId })).toEqual([]);
    expect(await call('client.publishers', { service })).toMatchObject([{ clientId, ip: IP, port, clusterName: 'DEFAULT' }]);
    expect(await call('client.subscribers', { service })).toEqual([]);
    expect(await call('service.subscribers', { service })).toMatchObject({ totalCount: 0, pageItems: [] });
    await expect(call('client.get', { clientId: 'nobody' })).rejects.toThrow('clientId [ nobody ] not exist');
  });

  it.skipIf(missing)('makes, reads, renames and deletes namespaces', async () => {
    const namespace = named('ns').replaceAll('.', '-');
    expect(await call('namespace.check', { namespace })).toBe(false);
    expect(await call('namespace.create', { namespace, name: 'One', description: 'for us' })).toBe(true);
    expect(await call('namespace.check', { namespace })).toBe(true);
    const made = { namespace, namespaceShowName: 'One', namespaceDesc: 'for us', configCount: 0, type: 1 };
    expect(await call('namespace.get', { namespace })).toMatchObject(made);
    expect(await call('namespace.update', { namespace, name: 'Two' })).toBe(true);
    const listed = [
      expect.objectContaining({ namespace: 'public', type: 0 }),
      expect.objectContaining({ namespaceShowName: 'Two' }),
    ];
    expect(await call('namespace.list')).toEqual(expect.arrayContaining(listed));
    expect(await call('namespace.delete', { namespace })).toBe(true);
    await expect(call('namespace.get', { namespace })).rejects.toThrow(`namespaceId [ ${namespace} ] not exist`);
  });

  it.skipIf(missing)('asks after the server and its cluster', async () => {
    const { main } = bridge.listeners;
    expect(await call('core.state')).toMatchObject({ startup_mode: 'standalone', function_mode: null });
    expect(await call('core.liveness')).toBe(true);
    // At a path that Nacos itself does not have.
    expect(await call('core.readiness')).toBe(true);
    expect(await call('core.nodes')).toMatchObject([{ address: main, state: 'UP' }]);
    expect(await call('core.nodes', { state: 'DOWN' })).toEqual([]);
    expect(await call('core.load')).toMatchObject({ memberCount: 1, completed: true, detail: [{ address: main }] });
    expect(await call('core.ids')).toEqual([]);
    expect(await call('core.setLookup')).toBe(true);
    expect(await call('naming.metrics')).toMatchObject({
      status: 'UP',
      serviceCount: expect.any(Number),
      clientCount: expect.any(Number),
    });
    expect(await call('naming.metrics', { onlyStatus: true })).toEqual({ status: 'UP' });
    expect(await call('naming.setLogLevel')).toBe(OK);
    for (const op of ['core.setLogLevel', 'core.raft', 'core.smartReload', 'core.reload'])
      expect(await call(op, { count: 1_000 })).toBeNull();
    expect(await call('core.reloadOne', { connectionId: 'nobody' })).toBeNull();
  });

  it.skipIf(missing)('publishes, reads, lists and removes texts, and sees who listens', async ({ expect }) => {
    const id = { dataId: named('settings.yaml'), group: 'G' };
    const said = { dataId: id.dataId, groupName: id.group, namespaceId: 'public' };
    expect(await call('config.publish', { ...id, content: 'a: 1' })).toBe(true);
    const found = { ...said, content: 'a: 1', type: 'text' };
    expect(await call('config.get', id)).toMatchObject(found);
    expect(await call('config.list', id)).toMatchObject({ totalCount: 1, pageItems: [said] });
    expect(await call('config.search', { ...id, dataId: `*${id.dataId.slice(3)}` })).toMatchObject({ pageItems: [said] });
    expect(await call('config.ofNamespace')).toEqual(expect.arrayContaining([expect.objectContaining(said)]));
    expect(await call('config.history', id)).toMatchObject({ totalCount: 0, pageItems: [] });

    const listening = { 'Listening-Configs': `${id.dataId}\u0002G\u0002${md5Of('a: 1')}\u0001` };
    const headers = { 'Long-Pulling-Timeout': '30000' };
    const told = nacos(bridge, 'POST', '/nacos/v1/cs/configs/listener', listening, { headers }).then((r) => r.text());
    await expect
      .poll(() => call('config.listeners', id))
      .toMatchObject({ queryType: 'config', listenersStatus: { '127.0.0.1': md5Of('a: 1') } });
    expect(await call('config.listenedFrom', { ip: '127.0.0.1' })).toMatchObject({
      listenersStatus: { [`${id.dataId}+G`]: md5Of('a: 1') },
    });

    expect(await call('config.delete', id)).toBe(true);
    expect(await told).toContain('%02G%01');
    await expect(call('config.get', id)).rejects.toThrow(/Config not exist/);
    await call('config.publish', { ...id, content: 'again' });
    const again = (await call('config.get', id)) as { readonly id: string };
    expect(await call('config.deleteById', { configId: String(again.id) })).toBe(true);
    await expect(call('config.get', id)).rejects.toThrow(/Config not exist/);
  });
});

/** A client whose connection is looked at; whichever can be had. */
const connected = Object.entries(NACOS_2_CLIENTS).find(([, { command }]) => command !== undefined)?.[0];
const [someMaintainer] = Object.values(MAINTAINERS).filter((command) => command !== undefined);

// No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(connected === undefined || someMaintainer === undefined)(
  'a client of 2.x is a connection, that is told to connect anew',
  async () => {
    await using own = await startProcess();
    await using maintainer = await Driver.start(someMaintainer ?? [], own.listeners.main);
    await using client = await startClient(connected ?? '', own.listeners);
    await client.call('register', { service: 'held', ...at });
    await client.call('subscribe', { service: 'held' });
    await client.told('held', ([instance]) => instance?.port === at.port);

    const [before = ''] = Object.keys((await maintainer.call('core.connections')) as object);
    expect(await maintainer.call('client.get', { clientId: before })).toMatchObject({
      clientType: 'connection',
      connectType: 'GRPC',
    });
    expect(await maintainer.call('client.published', { clientId: before })).toMatchObject([{ serviceName: 'held' }]);
    expect(await maintainer.call('client.subscribed', { clientId: before })).toMatchObject([{ serviceName: 'held' }]);
    expect(await maintainer.call('client.publishers', { service: 'held' })).toMatchObject([{ clientId: before }]);
    expect(await maintainer.call('service.subscribers', { service: 'held' })).toMatchObject({ totalCount: 1 });

    await maintainer.call('core.reloadOne', { connectionId: before });
    await expect
      .poll(async () => Object.keys((await maintainer.call('core.connections')) as object), { timeout: 60_000 })
      .toSatisfy((ids: readonly string[]) => ids.length > 0 && !ids.includes(before));
    await expect.poll(() => client.instances('held', { fresh: true }), { timeout: 60_000 }).toMatchObject([{ port: at.port }]);
  },
);
