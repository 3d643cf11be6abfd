import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PASSWORD, startGuarded } from '../support/guarded.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { startServer } from '../support/server.ts';
import { type Fields, Page, say } from './page.ts';

failOnLeaks();

describe('a session', () => {
  it('says who looks, what he may, and what he sends back with what changes something', async () => {
    await using server = await startServer();
    const session = await new Page(server).session();
    expect(session).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      bridge: expect.stringMatching(/^[\da-f-]{36}$/),
      startedAt: expect.any(Number),
      now: expect.any(Number),
      auth: false,
      mayRead: true,
      mayOperate: true,
      isAdmin: false,
      token: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(session.now).toBeGreaterThanOrEqual(session.startedAt);
    const { token, bridge } = await new Page(server).session();
    expect([token, bridge]).toEqual([session.token, session.bridge]);
  });

  it('is of one process alone', async () => {
    await using one = await startServer();
    await using other = await startServer();
    const [first, second] = [await new Page(one).session(), await new Page(other).session()];
    expect([first.token === second.token, first.bridge === second.bridge]).toEqual([false, false]);
  });

  it('is told to who may see nothing, with the reason, and nothing else is', async () => {
    await using server = await startGuarded({ bob: '' });
    const stranger = await new Page(server).session();
    expect(stranger).toMatchObject({ auth: true, mayRead: false, mayOperate: false, isAdmin: false });
    expect(stranger.reason).toMatch(/^user not found! Log in/);
    expect(stranger).not.toHaveProperty('user');
    const bob = await new Page(server, await server.tokenOf('bob')).session();
    expect(bob).toMatchObject({ user: 'bob', mayRead: false, mayOperate: false });
    expect(bob.reason).toMatch(/may not read/);
    const forged = await new Page(server, 'x.y.z').session();
    expect(forged).toMatchObject({ mayRead: false, reason: 'token invalid! Log in again' });
    expect(Object.keys(stranger).sort()).toEqual(
      ['auth', 'bridge', 'isAdmin', 'mayOperate', 'mayRead', 'now', 'reason', 'startedAt', 'token', 'version'].sort(),
    );
  });

  it.each([
    ['root', 'admin', { mayRead: true, mayOperate: true, isAdmin: true }],
    ['ann', 'reader', { mayRead: true, mayOperate: false, isAdmin: false }],
    ['cat', 'writer', { mayRead: true, mayOperate: false, isAdmin: false }],
    ['dan', 'admin@dev', { mayRead: true, mayOperate: true, isAdmin: false }],
  ])('of %s, who is %s', async (name, roles, may) => {
    await using server = await startGuarded({ [name]: roles });
    expect(await new Page(server, await server.tokenOf(name)).session()).toMatchObject({ user: name, auth: true, ...may });
  });

  it('is looked at and never sent', async () => {
    await using server = await startServer();
    const { status, headers } = await say(server, 'POST', '/console/api/session');
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('is at each place where the console is', async () => {
    await using server = await startServer();
    expect((await say(server, 'GET', '/nacos/console/api/session')).status).toBe(200);
    await using without = await startServer({ console: 'none' });
    expect((await say(without, 'GET', '/console/api/session')).status).toBe(404);
  });
});

describe('a login', () => {
  it('answers with what is sent along from then on', async () => {
    await using server = await startGuarded({ ann: 'reader' });
    const { status, body, headers } = await new Page(server).post('login', { username: 'ann', password: PASSWORD });
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toEqual({ accessToken: expect.any(String), user: 'ann', ttl: expect.any(Number) });
    expect(await new Page(server, body.accessToken).session()).toMatchObject({ user: 'ann', mayRead: true });
  });

  it('is refused in the words of any login', async () => {
    await using server = await startGuarded({ ann: 'reader' });
    const page = new Page(server);
    const { status, body } = await page.post('login', { username: 'ann', password: 'wrong' });
    expect([status, body]).toEqual([403, { reason: 'user not found!' }]);
    const nobody = await page.post('login', { username: 'nobody', password: PASSWORD });
    expect([nobody.status, nobody.body]).toEqual([403, { reason: 'user not found!' }]);
  });

  it('that is guessed at waits as everywhere', async () => {
    await using server = await startGuarded({ ann: 'reader' });
    const page = new Page(server);
    await page.session();
    const guesses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => page.post('login', { username: 'ann', password: `guess ${i}` })),
    );
    const busy = guesses.filter(({ status }) => status === 429);
    expect(busy.length).toBeGreaterThan(0);
    expect(busy[0]).toMatchObject({
      body: { reason: 'too many logins at once; try again in 5 s' },
      headers: { 'retry-after': '5' },
    });
  });

  it('is for none where nobody logs in', async () => {
    await using server = await startServer();
    const { status, body } = await new Page(server).post('login', { username: 'ann', password: PASSWORD });
    expect([status, body]).toEqual([400, { reason: 'nobody logs in here: beatbridge was started without --auth' }]);
  });

  it.each([
    [{ username: 'ann' }, 'password must be a text'],
    [{ username: ['ann'], password: 'x' }, 'username must be a text'],
    [{ username: 'ann', password: 'x', role: 'admin' }, '"role" is not known: username, password'],
    [null, 'username must be a text'],
  ])('that says %j is told what is wrong', async (said, reason) => {
    await using server = await startGuarded({});
    const { status, body } = await new Page(server).post('login', said);
    expect([status, body]).toEqual([400, { reason }]);
  });
});

describe('what a page sends', () => {
  const FOREIGN = 'refused: only the page of this console may ask that, and no other';
  const action = { do: 'create-service', namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders' };

  it.each([
    ['from another page', { origin: 'http://evil.example' }, /^refused: a web page on another site/],
    ['by a name that was bound to this machine', { host: 'evil.example', origin: 'http://evil.example' }, /not one of mine/],
    ['from beside it', { 'sec-fetch-site': 'same-site', origin: '' }, /^refused: a web page on another site/],
  ])('%s is refused before all else', async (_, headers, text) => {
    await using server = await startServer();
    const { status, body } = await new Page(server).post('act', action, headers);
    expect([status, body.message]).toEqual([403, expect.stringMatching(text)]);
    expect((await say(server, 'GET', '/nacos/v1/ns/service?serviceName=orders')).status).toBe(404);
  });

  it('from a page that may ask all else is refused: it is not the console', async () => {
    await using server = await startServer({ allowOrigin: 'http://board.example' });
    const headers = { origin: 'http://board.example', 'sec-fetch-site': 'cross-site' };
    const { status, body } = await new Page(server).post('act', action, headers);
    expect([status, body]).toEqual([403, { reason: FOREIGN }]);
  });

  it('without the token, or with that of another process, is refused', async () => {
    await using server = await startServer();
    for (const token of ['', 'wrong', 'A'.repeat(43)]) {
      const { status, body } = await new Page(server).post('act', action, { 'x-console-token': token });
      expect([status, body.reason]).toEqual([403, expect.stringMatching(/^refused: X-Console-Token/)]);
    }
  });

  it('as a form is refused', async () => {
    await using server = await startServer();
    const types = ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'];
    for (const type of types) {
      const { status, body } = await new Page(server).post('act', action, { 'content-type': type });
      expect([status, body]).toEqual([415, { reason: 'it takes application/json' }]);
    }
  });

  it('is no more than 64 KiB, and JSON', async () => {
    await using server = await startServer();
    const page = new Page(server);
    const { token } = await page.session();
    const headers = { 'content-type': 'application/json', 'x-console-token': token };
    const post = (body: string) => say(server, 'POST', '/console/api/act', headers, body);
    expect((await post(JSON.stringify({ ...action, more: 'x'.repeat(65_536) }))).status).toBe(413);
    expect(await post('{"do":')).toMatchObject({ status: 400, body: { reason: 'the body must be JSON' } });
    expect(await post('')).toMatchObject({ status: 400, body: { reason: 'the body must be JSON' } });
  });

  it('by GET is nothing', async () => {
    await using server = await startServer();
    expect(await say(server, 'GET', '/console/api/act')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await say(server, 'GET', '/console/api/login')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  it('comes over HTTP/2 and TLS as well, where the host has another name', async () => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(import.meta.dirname, '../fixtures/tls', name)));
    if (cert === undefined || key === undefined) throw new Error('no certificate');
    await using server = await startServer({ tls: { cert, key, port: 0 } });
    const origin = `https://${server.listeners.tls}`;
    const session = connect(origin, { rejectUnauthorized: false });
    const ask = async (method: string, path: string, headers: Fields, body = '') => {
      const browser = { 'user-agent': 'Mozilla/5.0 (a page)', 'sec-fetch-site': 'same-origin' };
      const stream = session.request({ ':method': method, ':path': path, ...browser, ...headers });
      if (method === 'POST') stream.end(body);
      const [head] = await once(stream, 'response');
      let said = '';
      for await (const chunk of stream) said += chunk;
      return { status: Number(head[':status']), body: JSON.parse(said) };
    };
    try {
      const { token } = (await ask('GET', '/console/api/session', {})).body;
      const headers = { 'x-console-token': token, 'content-type': 'application/json' };
      const post = (from: string) => ask('POST', '/console/api/act', { ...headers, origin: from }, JSON.stringify(action));
      expect(await post(origin)).toMatchObject({ status: 200, body: { ok: true } });
      expect((await post(origin.replace('https', 'http'))).status).toBe(403);
    } finally {
      await new Promise<void>((resolve) => session.close(resolve));
    }
  });

  it('may come from a program too, which has no origin', async () => {
    await using server = await startServer();
    const { token } = await new Page(server).session();
    const headers = { 'content-type': 'application/json', 'x-console-token': token };
    expect((await say(server, 'POST', '/console/api/act', headers, JSON.stringify(action))).status).toBe(200);
  });
});
