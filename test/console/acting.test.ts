import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Action, EventLine, InstanceRef, ServiceRef } from '../../src/console/api.ts';
import type { Server } from '../../src/index.ts';
import { startGuarded } from '../support/guarded.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { answerOf, nacos, register, startServer } from '../support/server.ts';
import { Page, say } from './page.ts';

failOnLeaks();

const orders: ServiceRef = { namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders' };
const one: InstanceRef = { ...orders, ip: '10.0.0.1', port: 80 };

/** As operators of 3.x see it: what is registered with what is laid over it, and what that is. */
async function seen(server: Server) {
  const [instance, edits] = await Promise.all([
    answerOf(nacos(server, 'GET', '/nacos/v3/admin/ns/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80 })),
    answerOf(nacos(server, 'GET', '/nacos/v3/admin/ns/overlay', { pageNo: 1, pageSize: 10 })),
  ]);
  const { body } = edits as { body: { data: { pageItems: readonly { readonly edit: object }[] } } };
  const { metadata, weight, enabled } = (instance.body as { data: Record<string, unknown> }).data;
  return { metadata, weight, enabled, edit: body.data.pageItems[0]?.edit };
}

async function check(server: Server, name: string): Promise<string> {
  const [path, headers] = ['/grpc.health.v1.Health/Check', { 'content-type': 'application/json' }];
  return (await say(server, 'POST', path, headers, JSON.stringify({ service: name }))).body.status;
}

async function happened(server: Server, query: string): Promise<readonly EventLine[]> {
  const text = await (await fetch(`http://${server.listeners.main}/events?${query}`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('an edit from the page', () => {
  it('takes an instance out of service, with its author and his reason, and puts it back', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    const page = new Page(server);
    const before = await seen(server);
    const undo = await page.act({ do: 'disable', ...one, reason: 'leaks memory' });
    expect(await seen(server)).toMatchObject({ enabled: false, edit: { enabled: false } });
    expect(await check(server, 'orders')).toBe('NOT_SERVING');
    await expect.poll(() => happened(server, 'cause=edited')).not.toHaveLength(0);
    const [edited] = await happened(server, 'cause=edited');
    expect(edited).toMatchObject({
      by: { peer: '127.0.0.1', agent: 'Mozilla/5.0 (a page)' },
      detail: { field: 'enabled', before: true, after: false, reason: 'leaks memory' },
      instances: [{ ip: '10.0.0.1', port: 80 }],
    });
    expect(edited?.by).not.toHaveProperty('reason');
    const again = await page.act(undo as Action);
    expect([await seen(server), await check(server, 'orders')]).toEqual([before, 'SERVING']);
    await page.act(again as Action);
    expect(await seen(server)).toMatchObject({ enabled: false, edit: { enabled: false } });
  });

  it('is taken back to the letter, whatever the client says by then, and what others have edited meanwhile stays', async () => {
    await using server = await startServer();
    await register(server, 'orders', { metadata: '{"zone":"a"}' });
    const page = new Page(server);
    await page.act({ do: 'metadata', ...one, metadata: { zone: 'b' } });
    const undo = await page.act({ do: 'metadata', ...one, metadata: { zone: null, gray: 'true' } });
    expect(await seen(server)).toMatchObject({ metadata: { gray: 'true' }, edit: { metadata: { zone: null, gray: 'true' } } });
    await page.act({ do: 'weight', ...one, weight: 5 });
    // Which is what was edited before: it is the operator's word all the same.
    await register(server, 'orders', { metadata: '{"zone":"b"}', weight: 3 });
    await page.act(undo as Action);
    expect(await seen(server)).toMatchObject({ weight: 5, edit: { weight: 5, metadata: { zone: 'b' } } });
    await register(server, 'orders', { metadata: '{"zone":"c"}' });
    expect(await seen(server)).toMatchObject({ metadata: { zone: 'b' } });
  });

  it('of the weight is taken back to what the client says by then', async () => {
    await using server = await startServer();
    await register(server, 'orders', { weight: 2 });
    const page = new Page(server);
    const undo = await page.act({ do: 'weight', ...one, weight: 0 });
    expect([(await seen(server)).weight, await check(server, 'orders')]).toEqual([0, 'NOT_SERVING']);
    await register(server, 'orders', { weight: 7 });
    await page.act(undo as Action);
    expect(await seen(server)).toMatchObject({ weight: 7, edit: undefined });
  });

  it('of everything ends, and comes back as a whole', async () => {
    await using server = await startServer();
    await register(server, 'orders', { metadata: '{"zone":"a"}' });
    const page = new Page(server);
    await page.act({ do: 'disable', ...one });
    await page.act({ do: 'metadata', ...one, metadata: { zone: null, __proto__: 'x' } });
    const before = await seen(server);
    const undo = await page.act({ do: 'unedit', ...one });
    expect(await seen(server)).toMatchObject({ enabled: true, metadata: { zone: 'a' }, edit: undefined });
    await page.act(undo as Action);
    expect(await seen(server)).toEqual(before);
  });

  it.each<[string, Action, number, RegExp]>([
    ['to too high a weight', { do: 'weight', ...one, weight: 10_001 }, 400, /range from 0.0 to 10000.0/],
    ['to a weight below zero', { do: 'weight', ...one, weight: -1 }, 400, /range from 0.0 to 10000.0/],
    ['to too much of metadata', { do: 'metadata', ...one, metadata: { a: 'x'.repeat(60_000) } }, 400, /--max-metadata-length/],
    [
      'to a patience that makes no sense',
      { do: 'metadata', ...one, metadata: { 'preserved.heart.beat.timeout': '60000' } },
      400,
      /must be below/,
    ],
    ['of who is not there', { do: 'disable', ...one, port: 81 }, 404, /instance not exist: 10.0.0.1:81/],
    ['that is not there, taken back', { do: 'unedit', ...one }, 404, /there is no edit of 10.0.0.1:80/],
    ['for too long a reason', { do: 'disable', ...one, reason: 'x'.repeat(201) }, 400, /at most 200 characters/],
    ['for a reason of two lines', { do: 'disable', ...one, reason: 'a\nb' }, 400, /one line/],
  ])('%s is refused as its call is', async (_, action, status, reason) => {
    await using server = await startServer();
    await register(server, 'orders');
    const before = await seen(server);
    const said = await new Page(server).post('act', action);
    expect([said.status, said.body.reason]).toEqual([status, expect.stringMatching(reason)]);
    expect(await seen(server)).toEqual(before);
  });
});

describe('a drain from the page', () => {
  it('takes an instance out for a time, and back in', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'shop');
    const page = new Page(server);
    const undo = await page.act({ do: 'drain', ...one, forMs: 600_000, reason: 'new release' });
    expect(undo).toEqual({ do: 'resume', ...one });
    expect([await check(server, 'orders'), await check(server, 'shop')]).toEqual(['NOT_SERVING', 'SERVING']);
    await expect.poll(() => happened(server, 'cause=drained')).not.toHaveLength(0);
    const [drained] = await happened(server, 'cause=drained');
    expect(drained).toMatchObject({
      by: { peer: '127.0.0.1', agent: 'Mozilla/5.0 (a page)' },
      detail: { reason: 'new release', forMs: 600_000 },
    });
    const again = await page.act(undo as Action);
    expect(await check(server, 'orders')).toBe('SERVING');
    expect(again).toMatchObject({ do: 'drain', ...one, reason: 'new release' });
    const { forMs } = again as Extract<Action, { do: 'drain' }>;
    expect([forMs > 590_000, forMs <= 600_000]).toEqual([true, true]);
    await page.act(again as Action);
    expect(await check(server, 'orders')).toBe('NOT_SERVING');
  });

  it('of an address takes it out of all services', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'shop');
    const page = new Page(server);
    const undo = await page.act({ do: 'drain', ...one, forMs: 60_000, everywhere: true });
    expect([await check(server, 'orders'), await check(server, 'shop')]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
    await page.act(undo as Action);
    expect([await check(server, 'orders'), await check(server, 'shop')]).toEqual(['SERVING', 'SERVING']);
  });

  it.each<[Action, number, RegExp]>([
    [{ do: 'drain', ...one, forMs: 999 }, 400, /1 s to 7 days/],
    [{ do: 'drain', ...one, forMs: 7 * 86_400_000 + 1 }, 400, /1 s to 7 days/],
    [{ do: 'drain', ...one, port: 81, forMs: 60_000 }, 404, /no instance is at 10.0.0.1:81/],
    [{ do: 'resume', ...one }, 404, /nothing is drained at 10.0.0.1:80/],
  ])('%j is refused', async (action, status, reason) => {
    await using server = await startServer();
    await register(server, 'orders');
    const said = await new Page(server).post('act', action);
    expect([said.status, said.body.reason]).toEqual([status, expect.stringMatching(reason)]);
  });
});

describe('from the page', () => {
  it('an instance is deregistered, for good', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    expect(await new Page(server).act({ do: 'deregister', ...one })).toBeUndefined();
    await expect
      .poll(() => happened(server, 'cause=deregistered'))
      .toMatchObject([
        { kind: 'instance', by: { agent: 'Mozilla/5.0 (a page)' } },
        { kind: 'service', to: 'not-serving', detail: { because: 'no-instances' } },
      ]);
  });

  it('one that a connection holds stays, and its operator is told so', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    const instance = { ip: '10.0.0.1', port: 80 };
    await client.ask('InstanceRequest', { type: 'registerInstance', serviceName: 'orders', instance });
    const { status, body } = await new Page(server).post('act', { do: 'deregister', ...one });
    expect([status, body.reason]).toEqual([409, expect.stringContaining('is held by the connection')]);
  });

  it('a service is created and deleted', async () => {
    await using server = await startServer();
    const page = new Page(server);
    const undo = await page.act({ do: 'create-service', ...orders });
    expect(await check(server, 'orders')).toBe('NOT_SERVING');
    const twice = await page.post('act', { do: 'create-service', ...orders });
    expect([twice.status, twice.body.reason]).toEqual([400, 'specified service DEFAULT_GROUP@@orders already exists!']);
    const again = await page.act(undo as Action);
    expect((await happened(server, 'cause=dropped')).length).toBeLessThan(3);
    await page.act(again as Action);
    expect(await check(server, 'orders')).toBe('NOT_SERVING');
  });

  it('a service that has instances is not deleted', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    const { status, body } = await new Page(server).post('act', { do: 'delete-service', ...orders });
    expect([status, body.reason]).toEqual([400, expect.stringContaining("is not empty, can't be delete")]);
  });

  it('one that was told more than its name does not come back as it was, and so nobody is offered that', async () => {
    await using server = await startServer();
    await nacos(server, 'POST', '/service', { serviceName: 'orders', metadata: '{"health.min-available":"2"}' });
    expect(await new Page(server).act({ do: 'delete-service', ...orders })).toBeUndefined();
  });

  it.each([
    ['a@@b', 400],
    ['a b', 400],
    ['x'.repeat(600), 400],
  ])('no service is called %j', async (service, status) => {
    await using server = await startServer();
    expect((await new Page(server).post('act', { do: 'create-service', ...orders, service })).status).toBe(status);
  });
});

describe('what is to be done is read strictly', () => {
  it.each([
    [[], 'an action must be a JSON object, got []'],
    [{ do: 'toString' }, /^do must be one of disable, enable/],
    [{ ...one }, /^do must be one of .*, got nothing$/],
    [{ do: 'disable', ...one, port: '80' }, 'port must be 0..65535, got "80"'],
    [{ do: 'disable', ...one, ip: undefined }, 'ip must be a text of 1..1024 characters, got nothing'],
    [{ do: 'disable', ...one, namespace: '' }, 'namespace must be a text of 1..1024 characters, got ""'],
    [{ do: 'disable', ...one, weight: 1 }, /^"weight" is not known: do,/],
    [{ do: 'weight', ...one, weight: '5' }, 'weight must be a number, got "5"'],
    [{ do: 'weight', ...one }, 'weight must be a number, got nothing'],
    [{ do: 'metadata', ...one, metadata: { a: 1 } }, 'metadata must be an object of texts and null, got {"a":1}'],
    [{ do: 'edit', ...one, edit: { ip: 'x' }, ended: [] }, /^edit must be an object of enabled, weight and metadata/],
    [{ do: 'edit', ...one, edit: {}, ended: ['ip'] }, /^ended must be of enabled, weight and metadata.KEY/],
    [{ do: 'drain', ...one, forMs: 60_000, everywhere: 'yes' }, 'everywhere must be true or false, got "yes"'],
  ])('%j', async (action, reason) => {
    await using server = await startServer();
    await register(server, 'orders');
    const said = await new Page(server).post('act', action);
    expect([said.status, said.body.reason]).toEqual([400, typeof reason === 'string' ? reason : expect.stringMatching(reason)]);
  });
});

describe('who may', () => {
  it('is asked of the very service, with a login', async () => {
    await using server = await startGuarded({ dan: 'admin@dev', ann: 'reader', cat: 'writer' });
    const create = (namespace: string): Action => ({ do: 'create-service', ...orders, namespace });
    const of = async (name: string, namespace: string) => {
      const { status, body } = await new Page(server, await server.tokenOf(name)).post('act', create(namespace));
      return status === 200 ? 'done' : `${status} ${body.reason}`;
    };
    expect(await of('dan', 'dev')).toBe('done');
    expect(await of('dan', 'prod')).toMatch(/^403 authorization failed! user dan may not operate .* prod/);
    expect(await of('ann', 'dev')).toMatch(/^403 authorization failed! user ann may not operate/);
    expect(await of('cat', 'dev')).toMatch(/^403 authorization failed! user cat may not operate/);
    expect(await of('root', 'prod')).toBe('done');
    const { status, body } = await new Page(server).post('act', create('dev'));
    expect([status, body.reason]).toEqual([403, expect.stringMatching(/^user not found! Log in/)]);
  });

  it('drains at an address where he may, and nowhere else', async () => {
    await using server = await startGuarded({ dan: 'admin@dev' });
    const headers = { authorization: `Bearer ${await server.tokenOf('root')}` };
    for (const namespaceId of ['dev', 'prod'])
      await nacos(server, 'POST', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80, namespaceId }, { headers });
    const page = new Page(server, await server.tokenOf('dan'));
    await page.act({ do: 'drain', ...one, namespace: 'dev', forMs: 60_000, everywhere: true });
    const said = await fetch(`http://${server.listeners.main}/drains`, { headers });
    expect(await said.json()).toMatchObject([{ namespace: 'dev' }]);
    const root = new Page(server, await server.tokenOf('root'));
    await root.act({ do: 'drain', ...one, namespace: 'prod', forMs: 600_000, reason: 'a secret' });
    const undo = await page.act({ do: 'drain', ...one, namespace: 'prod', forMs: 60_000, everywhere: true });
    expect(undo).toEqual({ do: 'resume', ...one, namespace: 'prod', everywhere: true });
  });

  it('is the author of what he does', async () => {
    await using server = await startGuarded({ dan: 'admin@dev' });
    const page = new Page(server, await server.tokenOf('dan'));
    await page.act({ do: 'create-service', ...orders, namespace: 'dev' });
    const headers = { authorization: `Bearer ${await server.tokenOf('root')}` };
    const said = await fetch(`http://${server.listeners.main}/events?cause=created`, { headers });
    expect(JSON.parse((await said.text()).split('\n')[0] ?? '')).toMatchObject({ by: { user: 'dan', peer: '127.0.0.1' } });
  });

  it('without logins acts from this machine, and not through a proxy on it', async () => {
    await using server = await startServer();
    const page = new Page(server);
    const action: Action = { do: 'create-service', ...orders };
    const { status, body } = await page.post('act', action, { 'x-forwarded-for': '10.1.1.1' });
    expect([status, body.reason]).toEqual([403, expect.stringMatching(/^not trusted/)]);
    await page.act(action);
  });
});

it('what is answered ok is on disk', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-acting-'));
  try {
    {
      await using server = await startServer({ dataDir });
      await nacos(server, 'POST', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80, ephemeral: 'false' });
      const page = new Page(server);
      await page.act({ do: 'create-service', ...orders, service: 'empty' });
      await page.act({ do: 'weight', ...one, weight: 5 });
      await page.act({ do: 'drain', ...one, forMs: 600_000, reason: 'new release' });
    }
    await using again = await startServer({ dataDir });
    expect(await seen(again)).toMatchObject({ weight: 5, enabled: false, edit: { weight: 5 } });
    expect(await check(again, 'empty')).toBe('NOT_SERVING');
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
