import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Guarded, startGuarded } from '../support/guarded.ts';
import { answerOf, register } from '../support/server.ts';

/** Who may drain what, where everybody has to log in. The matrix of access asks the same of everything that is served. */

let server: Guarded;
beforeAll(async () => {
  server = await startGuarded({
    reader: 'reader',
    writer: 'writer',
    dev: 'admin@dev',
    group: 'admin@dev:G1',
    stranger: 'admin@elsewhere',
  });
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach(async () => {
  const accessToken = await server.tokenOf('root');
  await ask('root', 'DELETE', '/10.0.0.1:80');
  for (const params of [{}, { namespaceId: 'dev' }, { namespaceId: 'dev', groupName: 'G1' }])
    await register(server, 'orders', { accessToken, ephemeral: 'false', ...params });
});

async function ask(who: string, method: string, path = '') {
  const headers = { authorization: `Bearer ${await server.tokenOf(who)}` };
  return answerOf(fetch(`http://${server.listeners.main}/drains${path}`, { method, headers }));
}

const placesIn = (body: unknown) =>
  (Array.isArray(body) ? body : (body as { instances: unknown[] }).instances)
    .map((one: { namespace: string; group: string }) => `${one.namespace} ${one.group}`)
    .sort();

const [OPEN, DEV, DEV_G1] = ['public DEFAULT_GROUP', 'dev DEFAULT_GROUP', 'dev G1'];

describe('who drains an address', () => {
  it.each([
    ['root', [DEV, DEV_G1, OPEN]],
    ['dev', [DEV, DEV_G1]],
    ['group', [DEV_G1]],
  ])('%s drains and resumes what he may operate on, and nothing else', async (who, places) => {
    const { status, body } = await ask(who, 'PUT', '/10.0.0.1:80?reason=mine');
    expect([status, placesIn(body)]).toEqual([200, places]);
    const listed = await ask('reader', 'GET');
    expect(placesIn(listed.body)).toEqual(places);
    expect(listed.body).toMatchObject(places.map(() => ({ by: { user: who, peer: '127.0.0.1' } })));
    await ask('root', 'PUT', '/10.0.0.1:80');
    expect(placesIn((await ask(who, 'DELETE', '/10.0.0.1:80')).body)).toEqual(places);
  });

  it.each(['reader', 'writer'])('%s drains nothing', async (who) => {
    expect(await ask(who, 'PUT', '/10.0.0.1:80')).toMatchObject({ status: 403 });
    await ask('root', 'PUT', '/10.0.0.1:80');
    expect(await ask(who, 'DELETE', '/10.0.0.1:80')).toMatchObject({ status: 403 });
    expect((await ask('root', 'GET')).body).toHaveLength(3);
  });

  it('is not told what there is where he may not operate', async () => {
    expect(await ask('stranger', 'PUT', '/10.0.0.1:80')).toEqual({
      status: 404,
      body: { reason: 'no instance that stranger may operate on is at 10.0.0.1:80' },
    });
    await ask('root', 'PUT', '/10.0.0.1:80');
    expect(await ask('stranger', 'DELETE', '/10.0.0.1:80')).toMatchObject({ status: 404 });
    expect((await ask('stranger', 'GET')).body).toEqual([]);
    for (const method of ['PUT', 'DELETE'])
      expect(await ask('stranger', method, '/10.0.0.1:80?service=orders&namespace=dev')).toMatchObject({ status: 403 });
    expect(placesIn((await ask('dev', 'GET')).body)).toEqual([DEV, DEV_G1]);
  });

  it('needs a login, however near he is', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', '/10.0.0.1:80'],
      ['DELETE', '/10.0.0.1:80'],
    ] as const)
      expect(await answerOf(fetch(`http://${server.listeners.main}/drains${path}`, { method }))).toMatchObject({ status: 403 });
  });

  it('is named by the event', async () => {
    await ask('dev', 'PUT', '/10.0.0.1:80?service=orders&namespace=dev&reason=named');
    const accessToken = await server.tokenOf('root');
    await expect
      .poll(async () => {
        const answer = await fetch(`http://${server.listeners.main}/events?cause=drained&namespace=dev`, {
          headers: { accessToken },
        });
        return (await answer.text()).trim().split('\n').at(-1);
      })
      .toContain('"user":"dev"');
  });
});
