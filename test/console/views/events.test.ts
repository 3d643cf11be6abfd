import { describe, expect, it } from 'vitest';
import { CAUSES } from '../../../src/events/causes.ts';
import { lookAt } from '../../support/console-looks.ts';
import { ConsoleStream } from '../../support/console-streams.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { deregister, register, startServer } from '../../support/server.ts';

failOnLeaks();

type Reachable = Parameters<typeof lookAt>[0];

async function causesOf(server: Reachable, params: Record<string, string> = {}): Promise<readonly string[]> {
  const { facts } = await lookAt(server, 'events', params);
  return facts.events.map(({ kind, cause, service }) => `${kind} ${cause} ${service ?? ''}`.trim());
}

describe('the page of events', () => {
  it('tells the last that are asked for, the oldest first', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'orders', { ip: '10.0.0.2', namespaceId: 'team-a', groupName: 'G1' });
    await deregister(server, 'orders');
    expect(await causesOf(server)).toEqual([
      'bridge started',
      'instance registered orders',
      'service registered orders',
      'instance registered orders',
      'service registered orders',
      'instance deregistered orders',
      'service deregistered orders',
    ]);
    expect(await causesOf(server, { namespace: 'team-a' })).toHaveLength(2);
    expect(await causesOf(server, { service: 'orders' })).toHaveLength(6);
    expect(await causesOf(server, { service: 'G1@@orders' })).toHaveLength(2);
    expect(await causesOf(server, { service: 'order' })).toEqual([]);
    expect(await causesOf(server, { cause: 'started,deregistered' })).toHaveLength(3);
    expect(await causesOf(server, { instance: '10.0.0.2:80' })).toHaveLength(2);
    expect(await causesOf(server, { instance: '10.0.0.2' })).toHaveLength(2);
    expect(await causesOf(server, { instance: '10.0.0.2:8' })).toEqual([]);
    expect(await causesOf(server, { text: 'TEAM-A' })).toHaveLength(2);
    expect(await causesOf(server, { text: '10.0.0.1:80', cause: 'registered' })).toHaveLength(2);
    expect(await causesOf(server, { since: '1h' })).toHaveLength(7);
    expect(await causesOf(server, { since: '2100-01-01' })).toEqual([]);
    const { facts } = await lookAt(server, 'events');
    expect(facts.causes).toEqual(Object.keys(CAUSES));
  });

  it('refuses what nothing can be meant by', async () => {
    await using server = await startServer();
    await expect(lookAt(server, 'events', { cause: 'silent,tired' })).rejects.toThrow('cause must not be \\"tired\\"');
    await expect(lookAt(server, 'events', { since: 'yesterday' })).rejects.toThrow('since must be a time');
    await expect(lookAt(server, 'events', { limit: '1' })).rejects.toThrow('is not known');
  });

  it('tells no more than so many, each once', async () => {
    await using server = await startServer();
    for (let n = 0; n < 201; n++) await register(server, `s${n}`);
    const { facts } = await lookAt(server, 'events');
    expect([facts.most, facts.events.length]).toEqual([200, 200]);
    expect(facts.events.at(-1)).toMatchObject({ service: 's200' });
    const seqs = facts.events.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  });

  it('tells a page the last of them once, and from then on what happens, as it is asked for', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    using stream = await ConsoleStream.open(server.listeners.main, 'view=events&service=orders');
    const first = await stream.heard(({ event }) => event === 'view');
    expect(first.data.facts.events).toHaveLength(2);
    await register(server, 'billing');
    await deregister(server, 'orders');
    const last = await stream.heard(({ event, data }) => event === 'happened' && data.kind === 'service');
    expect(last.data).toMatchObject({ cause: 'deregistered', service: 'orders', to: 'not-serving' });
    const told = stream.told.filter(({ event }) => event === 'happened').map(({ data }) => `${data.kind} ${data.service}`);
    expect(told).toEqual(['instance orders', 'service orders']);
    expect(stream.told.filter(({ event, data }) => event === 'view' && data.facts !== undefined)).toHaveLength(1);
    // Who comes back has all of it at once, and nothing twice.
    using again = await ConsoleStream.open(server.listeners.main, 'view=events&service=orders', { 'last-event-id': '1' });
    const whole = await again.heard(({ event }) => event === 'view');
    expect(whole.data.facts.events).toHaveLength(4);
    await register(server, 'orders');
    const next = await again.heard(({ event }) => event === 'happened');
    expect(next.data.seq).toBeGreaterThan(whole.data.facts.events.at(-1).seq);
    expect(again.told.filter(({ event }) => event === 'missed')).toEqual([]);
  });

  it('tells a reader of his services alone', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a', writer: 'writer' });
    const accessToken = await server.tokenOf('writer');
    await register(server, 'orders', { accessToken });
    await register(server, 'stock', { namespaceId: 'team-a', accessToken });
    const token = await server.tokenOf('reader');
    const { facts } = await lookAt(server, 'events', {}, token);
    expect(facts.events.map(({ service }) => service)).toEqual(['stock', 'stock']);
    expect((await lookAt(server, 'events', { text: 'orders' }, token)).facts.events).toEqual([]);
    using stream = await ConsoleStream.open(server.listeners.main, 'view=events', { authorization: `Bearer ${token}` });
    await stream.heard(({ event }) => event === 'view');
    await register(server, 'orders', { port: 81, accessToken });
    await register(server, 'stock', { port: 81, namespaceId: 'team-a', accessToken });
    const { data } = await stream.heard(({ event }) => event === 'happened');
    expect(data).toMatchObject({ service: 'stock' });
  });
});
