import { expect } from 'vitest';
import { NOT_KEPT } from './crashes.ts';
import { HEALTH_CLIENTS } from './health-clients.ts';
import { NacosGrpc } from './nacos-grpc.ts';
import { fixedPorts } from './ports.ts';
import { type Process, startProcess } from './process.ts';
import { answerOf, nacos } from './server.ts';

/** How a disk becomes full, and gets space again. */
export interface Disk {
  readonly dataDir: string;
  readonly fill: (server: Process) => void;
  readonly free: (server: Process) => void;
}

const TROUBLE = 'the store cannot be written, trying again';
const WELL = 'the store can be written again';
/** The longest pause between two of its attempts, and some more. */
const CATCHES_UP = { timeout: 20_000, interval: 50 };

const says = ({ log }: Process, msg: string) => log().split(msg).length - 1;
const at = (serviceName: string) => ({ serviceName, ip: '10.0.0.1', port: 80 });
const persistent = (name: string) => ({ ...at(name), ephemeral: 'false' });
const ID = { dataId: 'settings', group: 'G' };

/** What is said and done while the disk is full, and what there is once it has space again and everything is started anew. */
export async function liveThroughFullDisk({ dataDir, fill, free }: Disk): Promise<void> {
  const args = [...(await fixedPorts()), '--data-dir', dataDir];
  {
    await using server = await startProcess(args);
    expect(await answerOf(nacos(server, 'POST', '/instance', persistent('before')))).toMatchObject({ status: 200 });
    fill(server);
    await useUp(server);
    await expectRefusals(server);
    await expectServing(server);
    expect(says(server, TROUBLE)).toBe(1);
    free(server);
    await expect.poll(() => says(server, WELL), CATCHES_UP).toBe(1);
    const events = await (await fetch(`http://${server.listeners.main}/events?cause=store-failing,store-recovered`)).text();
    expect([...events.matchAll(/"cause":"([\w-]+)"/g)].map(([, cause]) => cause)).toEqual(['store-failing', 'store-recovered']);
    // As good as new, and what was refused is on disk with it.
    expect(await answerOf(nacos(server, 'POST', '/instance', persistent('after')))).toMatchObject({ status: 200 });
    expect(says(server, TROUBLE)).toBe(1);
    await server.stop('SIGKILL');
  }
  await using server = await startProcess(args);
  using health = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
  for (const service of ['before', 'refused', 'refused-by-grpc', 'after', 'beating'])
    expect(await health.check(service), service).toBe('SERVING');
  expect(await answerOf(nacos(server, 'GET', '/nacos/v1/cs/configs', ID))).toMatchObject({ body: 'refused' });
}

/** A file may have space left in its last page, however full the disk is. */
async function useUp(server: Process): Promise<void> {
  for (let page = 0; page < 20; page++) {
    const answer = await answerOf(nacos(server, 'POST', '/nacos/v1/cs/configs', { ...ID, content: 'x'.repeat(1_000) }));
    if (answer.status !== 200) return;
  }
}

/** Whoever must be sure is told that it is not; it is in force all the same. */
async function expectRefusals(server: Process): Promise<void> {
  using grpc = await NacosGrpc.connect(server.listeners.grpc);
  const refused = { status: 503, body: expect.stringContaining(NOT_KEPT) };
  expect(await answerOf(nacos(server, 'POST', '/instance', persistent('refused')))).toMatchObject(refused);
  // Whoever repeats himself is told no better.
  for (let i = 0; i < 2; i++)
    expect(await answerOf(nacos(server, 'DELETE', '/instance', persistent('refused')))).toMatchObject(refused);
  expect(await answerOf(nacos(server, 'POST', '/instance', persistent('refused')))).toMatchObject(refused);
  expect(await answerOf(nacos(server, 'POST', '/nacos/v1/cs/configs', { ...ID, content: 'refused' }))).toMatchObject(refused);
  const drained = await fetch(`http://${server.listeners.main}/drains/10.0.0.1:80?reason=release`, { method: 'PUT' });
  expect([drained.status, await drained.json()]).toMatchObject([503, { reason: expect.stringContaining('would not survive') }]);
  await fetch(`http://${server.listeners.main}/drains/10.0.0.1:80`, { method: 'DELETE' });
  const instance = { ip: '10.0.0.1', port: 80, ephemeral: false, healthy: true, weight: 1, enabled: true };
  const { body } = await grpc.ask('PersistentInstanceRequest', {
    namespace: 'public',
    groupName: 'DEFAULT_GROUP',
    serviceName: 'refused-by-grpc',
    type: 'registerInstance',
    instance,
  });
  expect(body).toMatchObject({ resultCode: 500, message: expect.stringContaining(NOT_KEPT) });
  expect(await answerOf(nacos(server, 'GET', '/nacos/v1/cs/configs', ID))).toMatchObject({ status: 200, body: 'refused' });
}

/** Nobody else notices. */
async function expectServing(server: Process): Promise<void> {
  using health = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
  expect(await answerOf(nacos(server, 'POST', '/instance', at('beating')))).toMatchObject({ status: 200 });
  expect(await answerOf(nacos(server, 'PUT', '/instance/beat', at('beating')))).toMatchObject({ status: 200 });
  for (const service of ['before', 'refused', 'beating', '']) expect(await health.check(service)).toBe('SERVING');
  expect(await answerOf(nacos(server, 'DELETE', '/instance', at('beating')))).toMatchObject({ status: 200 });
  expect(await answerOf(nacos(server, 'POST', '/instance', at('beating')))).toMatchObject({ status: 200 });
}
