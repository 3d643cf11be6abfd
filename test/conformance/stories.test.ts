import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';
import { healthOf } from './estate.ts';
import { NACOS_CLIENTS, startClient } from './nacos-clients.ts';

/**
 * Who stopped, when and why: the story of each cause, with real clients, as it is told by `/events`, `/health/NAME`, the log, the metrics
 * and the command `why`, which must agree.
 */

interface Told {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly cause: string;
  readonly service?: string;
  readonly instances?: readonly Whom[];
  readonly count?: number;
  readonly from?: string;
  readonly to?: string;
  readonly by?: Readonly<Record<string, string>>;
  readonly detail?: Readonly<Record<string, unknown>>;
}

interface Whom {
  readonly ip: string;
  readonly port: number;
  readonly lastBeatAt?: string;
  readonly heardFrom?: string;
  readonly client?: string;
}

interface Explained {
  readonly status: string;
  readonly services: readonly { readonly since?: string; readonly events?: readonly Told[] }[];
  /** Left out where nobody does. */
  readonly failing?: readonly (Whom & { readonly cause: string; readonly reason?: string })[];
}

const HOST = '127.0.0.1';

async function eventsOf(bridge: Process, query: string): Promise<Told[]> {
  const answer = await fetch(`http://${bridge.listeners.main}/events?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function explained(bridge: Process, service: string): Promise<Explained> {
  return (await (await fetch(`http://${bridge.listeners.health}/health/${service}`)).json()) as Explained;
}

async function metricsOf(bridge: Process): Promise<string> {
  return (await fetch(`http://${bridge.listeners.main}/metrics`)).text();
}

/** The value of the series with all of these labels; undefined: there is none. */
function seriesOf(metrics: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = metrics
    .split('\n')
    .find((text) => (text.startsWith(`${name}{`) || text.startsWith(`${name} `)) && wanted.every((pair) => text.includes(pair)));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

function why(bridge: Process, service: string, ...flags: readonly string[]) {
  return run(['why', service, '--addr', bridge.listeners.main, ...flags]);
}

interface Story {
  readonly cause: string;
  readonly who: { readonly ip: string; readonly port: number };
  /** What `/health/NAME` calls it, where that is the state and not the deed. */
  readonly failingBy?: string;
}

/**
 * All who tell of a service that is NOT_SERVING now tell the same story: the record of who it was, the record of the service, what health
 * says, the line of the log, the metrics, and the command. Answers with the first.
 */
async function agreed(bridge: Process, service: string, { cause, who, failingBy = cause }: Story): Promise<Told> {
  const events = await eventsOf(bridge, `service=${service}`);
  const deed = events.findLast((event) => event.kind === 'instance' && event.cause === cause);
  expect(deed?.instances, 'who in /events').toContainEqual(expect.objectContaining(who));
  const standing = events.findLast((event) => event.kind === 'service' && event.to !== undefined);
  expect(standing).toMatchObject({ cause, from: 'serving', to: 'not-serving' });

  const health = await explained(bridge, service);
  expect(health.status).toBe('NOT_SERVING');
  expect(health.failing, 'who in /health').toContainEqual(expect.objectContaining({ ...who, cause: failingBy }));
  expect(health.services[0]?.since, 'since when').toBe(standing?.at);
  expect(health.services[0]?.events?.map(({ seq }) => seq)).toContain(deed?.seq);

  const lines = bridge
    .log()
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text));
  const line = lines.find(({ seq }) => seq === standing?.seq);
  expect(line, 'the line of the log').toMatchObject({
    level: expect.stringMatching(/info|warn/),
    cause,
    service: `DEFAULT_GROUP@@${service}`,
  });
  expect(JSON.stringify(line)).toContain(`${who.ip}:${who.port}`);

  const metrics = await metricsOf(bridge);
  expect(seriesOf(metrics, 'beatbridge_service_serving', { service })).toBe(0);
  expect(seriesOf(metrics, 'beatbridge_transitions_total', { to: 'not-serving', cause })).toBeGreaterThanOrEqual(1);
  expect(seriesOf(metrics, 'beatbridge_events_total', { cause })).toBeGreaterThanOrEqual(1);

  const said = await why(bridge, service);
  expect(said.code).toBe(4);
  expect(said.stdout).toContain('NOT_SERVING');
  expect(said.stdout).toContain(`${who.ip}:${who.port}`);
  const json = await why(bridge, service, '-o', 'json');
  expect(JSON.parse(json.stdout)).toMatchObject({ failing: [expect.objectContaining({ ...who, cause: failingBy })] });
  if (deed === undefined) throw new Error('nothing happened');
  return deed;
}

const stopsFor = {
  'preserved.heart.beat.interval': '1000',
  'preserved.heart.beat.timeout': '3000',
  'preserved.ip.delete.timeout': '60000',
};

let bridge: Process;
beforeAll(async () => {
  bridge = await startProcess([...FREE_PORTS, '--probe-allow', 'loopback', '--log-format', 'json']);
});
afterAll(() => bridge[Symbol.asyncDispose]());

describe('a client of 1.x stops', () => {
  // Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(NACOS_CLIENTS['go-1.1.6']?.command === undefined)(
    'and its last beat is told, from whom and of which client',
    async () => {
      const service = 'story-silent';
      const who = { ip: '10.0.0.1', port: 8080 };
      using health = healthOf(bridge, service);
      expect(await health.next()).toBe('SERVICE_UNKNOWN');
      await using client = await startClient('go-1.1.6', bridge.listeners);
      const started = Date.now();
      await client.call('register', { service, ...who, metadata: stopsFor });
      await health.becomes('SERVING');
      await client.kill();
      await health.becomes('NOT_SERVING');

      const deed = await agreed(bridge, service, { cause: 'silent', who });
      const [silent] = deed.instances ?? [];
      expect(silent).toMatchObject({ heardFrom: HOST, client: expect.stringMatching(/^Nacos-Go-Client/) });
      const last = Date.parse(silent?.lastBeatAt ?? '');
      expect(last).toBeGreaterThanOrEqual(started - 1_000);
      expect(last).toBeLessThan(Date.parse(deed.at));
      expect((await why(bridge, service)).stdout).toContain(HOST);
      const { failing } = await explained(bridge, service);
      expect(failing?.[0]).toMatchObject({ heardFrom: HOST, lastBeatAt: silent?.lastBeatAt });
    },
  );

  // Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(NACOS_CLIENTS['java-1.4.8']?.command === undefined)('with a goodbye, and that is told as one', async () => {
    const service = 'story-goodbye';
    const who = { ip: '10.0.0.2', port: 8080 };
    using health = healthOf(bridge, service);
    expect(await health.next()).toBe('SERVICE_UNKNOWN');
    await using client = await startClient('java-1.4.8', bridge.listeners);
    await client.call('register', { service, ...who });
    await health.becomes('SERVING');
    await client.call('deregister', { service, ...who });
    await health.becomes('NOT_SERVING');
    const deed = await agreed(bridge, service, { cause: 'deregistered', who });
    expect(deed.by).toMatchObject({ peer: HOST, agent: expect.stringMatching(/^Nacos-Java-Client/) });
  });
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(NACOS_CLIENTS['java-2.5.1']?.command === undefined)(
  'a client of 2.x is killed, and its connection names its version and all that it held',
  async () => {
    const services = ['story-held-1', 'story-held-2'];
    const who = { ip: '10.0.0.3', port: 8080 };
    using first = healthOf(bridge, 'story-held-1');
    using second = healthOf(bridge, 'story-held-2');
    for (const health of [first, second]) expect(await health.next()).toBe('SERVICE_UNKNOWN');
    await using client = await startClient('java-2.5.1', bridge.listeners);
    for (const service of services) await client.call('register', { service, ...who });
    for (const health of [first, second]) await health.becomes('SERVING');
    await client.kill();
    for (const health of [first, second]) await health.becomes('NOT_SERVING');

    const deeds = [];
    for (const service of services) deeds.push(await agreed(bridge, service, { cause: 'connection-ended', who }));
    for (const { by } of deeds)
      expect(by).toMatchObject({ peer: HOST, agent: expect.stringMatching(/2\.5\.1/), connection: expect.any(String) });
    expect(new Set(deeds.map(({ by }) => by?.connection)).size).toBe(1);
    const whole = (await eventsOf(bridge, 'cause=connection-ended')).filter(
      ({ kind }) => kind === 'bridge' || kind === 'registry',
    );
    expect(whole).toContainEqual(
      expect.objectContaining({ by: expect.objectContaining({ connection: deeds[0]?.by?.connection }) }),
    );
    expect(seriesOf(await metricsOf(bridge), 'beatbridge_connections_ended_total')).toBeGreaterThanOrEqual(1);
  },
);

it('an operator takes an instance out, and who did it, by which call and what was before is told', async () => {
  const service = 'story-edited';
  const who = { ip: '10.0.0.4', port: 8080 };
  await register(bridge, service, who);
  const answer = await nacos(
    bridge,
    'PUT',
    '/instance',
    { serviceName: service, ...who, enabled: 'false' },
    {
      headers: { 'User-Agent': 'an-operators-script/1.0' },
    },
  );
  expect(answer.status).toBe(200);
  const deed = await agreed(bridge, service, { cause: 'edited', who, failingBy: 'disabled' });
  expect(deed.by).toMatchObject({ peer: HOST, agent: 'an-operators-script/1.0' });
  expect(JSON.stringify(deed.detail)).toMatch(/enabled/);
});

it('a check fails, and which and why is told', async () => {
  const service = 'story-probe';
  const [port = 0] = await freePorts(1);
  const peer = createServer((_, response) => response.end()).listen(port, HOST);
  await once(peer, 'listening');
  const metadata = JSON.stringify({ 'health.check': 'http:/', 'health.check.interval': '500ms' });
  using health = healthOf(bridge, service);
  expect(await health.next()).toBe('SERVICE_UNKNOWN');
  await register(bridge, service, { ip: HOST, port, ephemeral: 'false', metadata });
  await health.becomes('SERVING');
  peer.close();
  peer.closeAllConnections();
  await health.becomes('NOT_SERVING');
  const deed = await agreed(bridge, service, { cause: 'probe', who: { ip: HOST, port } });
  expect(deed.detail).toMatchObject({ check: 'http', reason: 'refused' });
  expect((await why(bridge, service)).stdout).toContain('refused');
});

it('an address is drained by the command, and when it ends and why is told, until it is resumed', async () => {
  const service = 'story-drained';
  const who = { ip: '10.0.0.5', port: 8080 };
  await register(bridge, service, who);
  const drained = await run([
    'drain',
    '10.0.0.5:8080',
    '--for',
    '10m',
    '--reason',
    'a new kernel',
    '--addr',
    bridge.listeners.main,
  ]);
  expect(drained).toMatchObject({ code: 0 });
  const deed = await agreed(bridge, service, { cause: 'drained', who });
  expect(deed.detail).toMatchObject({ reason: 'a new kernel', until: expect.any(String) });
  expect(Date.parse(String(deed.detail?.until))).toBeGreaterThan(Date.parse(deed.at));
  expect((await why(bridge, service)).stdout).toContain('a new kernel');
  expect((await run(['resume', '10.0.0.5:8080', '--addr', bridge.listeners.main])).code).toBe(0);
  expect(await eventsOf(bridge, `service=${service}&cause=resumed`)).toMatchObject([
    { kind: 'instance', instances: [who] },
    { kind: 'service', to: 'serving' },
  ]);
  expect((await explained(bridge, service)).failing).toBeUndefined();
});

it('very many fall silent at once: a record for each service, one for all, and no flood in the log', async () => {
  await using crowded = await startProcess([...FREE_PORTS, '--probes', 'false', '--log-format', 'json']);
  const metadata = JSON.stringify({ ...stopsFor, 'preserved.heart.beat.timeout': '2500' });
  const services = ['crowd-1', 'crowd-2', 'crowd-3'];
  // Side by side, so that all are silent within one of the moments in which is looked.
  await Promise.all(
    services.flatMap((service) =>
      Array.from({ length: 100 }, (_, i) => register(crowded, service, { ip: '10.1.0.1', port: 1_000 + i, metadata })),
    ),
  );
  for (const service of services) {
    using health = healthOf(crowded, service);
    while ((await health.next()) !== 'NOT_SERVING');
  }
  const massive = await eventsOf(crowded, 'cause=mass-silence');
  expect(massive).toMatchObject([{ kind: 'registry', detail: { count: expect.any(Number) } }]);
  const silent = await eventsOf(crowded, 'cause=silent');
  for (const service of services) {
    const ofIt = silent.filter((event) => event.kind === 'instance' && event.service === service);
    expect(ofIt.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(100);
    expect(new Set(ofIt.flatMap(({ instances = [] }) => instances.map(({ port }) => port))).size).toBe(100);
    expect((await why(crowded, service)).code).toBe(4);
  }
  const lines = crowded
    .log()
    .split('\n')
    .filter((line) => line.includes('"cause":"silent"'));
  expect(lines.length).toBeLessThanOrEqual(services.length + 1);
  const metrics = await metricsOf(crowded);
  expect(seriesOf(metrics, 'beatbridge_events_total', { cause: 'mass-silence' })).toBe(1);
});

it('the process stands still: nobody is silent by that, and how long it stood is told', async () => {
  await using stopped = await startProcess([...FREE_PORTS, '--probes', 'false', '--log-format', 'json']);
  await register(stopped, 'story-stalled', { metadata: JSON.stringify({ ...stopsFor, 'preserved.heart.beat.timeout': '5000' }) });
  const stalled = async () => await eventsOf(stopped, 'cause=stalled');
  stopped.child.kill('SIGSTOP');
  // What is measured is that it stood still: nothing can be waited for in a process that does not run.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  stopped.child.kill('SIGCONT');
  await expect.poll(stalled, { timeout: 10_000 }).toMatchObject([{ kind: 'bridge', detail: { gapMs: expect.any(Number) } }]);
  const [event] = await stalled();
  expect(event?.detail?.gapMs).toBeGreaterThan(3_000);
  expect(await eventsOf(stopped, 'cause=silent')).toEqual([]);
  expect((await explained(stopped, 'story-stalled')).status).toBe('SERVING');
  expect((await why(stopped, 'story-stalled')).code).toBe(0);
  expect(
    stopped
      .log()
      .split('\n')
      .filter((line) => line.includes('"cause":"stalled"')),
  ).toHaveLength(1);
  expect(seriesOf(await metricsOf(stopped), 'beatbridge_stalls_total')).toBe(1);
});

it('the bridge drains, and tells so until its end', async () => {
  await using ending = await startProcess([...FREE_PORTS, '--probes', 'false', '--log-format', 'json', '--drain-delay', '1000']);
  const stream = await fetch(`http://${ending.listeners.main}/events?follow&cause=draining`);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  const ended = ending.stop('SIGTERM');
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) told += part.value;
  expect(told).toContain('"cause":"draining"');
  expect(await ended).toBe(0);
  expect(ending.log()).toContain('"cause":"draining"');
});
