import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { answerOf, startServer } from '../../support/server.ts';

failOnLeaks();

/** Users, roles and permissions by calls of versions 1 and 3, of a server that begins with nobody and keeps whom it is given. */

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-users-'));
const dataDir = join(folder, 'data');
let server: Server;
let token = '';

beforeAll(async () => {
  server = await startServer({ auth: true, dataDir });
});
afterAll(async () => {
  await server?.close(200);
  rmSync(folder, { recursive: true, force: true });
});

type Form = Readonly<Record<string, string>>;

function call(method: string, path: string, form: Form = {}, as: string | undefined = token) {
  const query = new URLSearchParams({ ...form, ...(as !== '' && { accessToken: as }) });
  return answerOf(fetch(`http://${server.listeners.main}/nacos${path}?${query}`, { method }));
}

/** As clients log in, each with its own parts in the query and in the form. */
async function login(username: string, password: string, path = '/v1/auth/users/login') {
  const response = await fetch(`http://${server.listeners.main}/nacos${path}?username=${username}`, {
    method: 'POST',
    // Java ends its form so.
    body: `password=${encodeURIComponent(password)}&`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  return {
    status: response.status,
    header: response.headers.get('authorization'),
    type: response.headers.get('content-type'),
    text: await response.text(),
  };
}

describe('the first administrator', () => {
  it('is made over loopback alone, by one of several who try at once, and by no page', async () => {
    expect(await call('GET', '/v1/console/server/state')).toMatchObject({
      body: { auth_enabled: 'true', auth_admin_request: 'true' },
    });
    const page = await fetch(`http://${server.listeners.main}/nacos/v1/auth/users/admin`, {
      method: 'POST',
      headers: { 'user-agent': 'Mozilla/5.0', 'accept-language': 'en' },
    });
    const proxied = await fetch(`http://${server.listeners.main}/nacos/v1/auth/users/admin`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '127.0.0.1' },
    });
    expect([page.status, proxied.status]).toEqual([403, 403]);
    const password = 'correct horse';
    const made = await Promise.all(
      ['/v1/auth/users/admin', '/v3/auth/user/admin'].map((path) => call('POST', path, { password }, '')),
    );
    const won = made.filter(({ body }) => JSON.stringify(body).includes(password));
    expect(won).toHaveLength(1);
    expect(made.filter(({ body }) => JSON.stringify(body).includes('409'))).toHaveLength(1);
    expect(await call('POST', '/v1/auth/users/admin', { password: 'another horse' }, '')).toEqual({
      status: 200,
      body: { code: 409, message: null, data: 'have admin user cannot use it' },
    });
    expect(await call('GET', '/v1/console/server/state')).toMatchObject({ body: { auth_admin_request: 'false' } });
  });
});

describe('a login', () => {
  it.each(['/v1/auth/login', '/v1/auth/users/login', '/v2/auth/user/login', '/v3/auth/user/login'])('by %s', async (path) => {
    const { status, header, text } = await login('nacos', 'correct horse', path);
    const said = JSON.parse(text);
    expect([status, said]).toEqual([
      200,
      { accessToken: said.accessToken, tokenTtl: 18_000, globalAdmin: true, username: 'nacos' },
    ]);
    expect(header).toBe(`Bearer ${said.accessToken}`);
    token = said.accessToken;
  });

  it('is refused in one line, the same whoever there is', async () => {
    const refused = { status: 403, header: null, type: 'text/plain;charset=UTF-8', text: 'user not found!' };
    expect(await login('nacos', 'a wrong one')).toEqual(refused);
    expect(await login('nacos', '')).toEqual(refused);
    expect(await login('nobody', 'a wrong one')).toEqual(refused);
    expect(await login('NACOS', 'correct horse')).toEqual(refused);
  });

  it('that names two is nobody, whichever of them the password belongs to', async () => {
    for (const names of ['nacos&username=ann', 'ann&username=nacos']) {
      const { status, text } = await login(names, 'correct horse');
      expect([status, text]).toEqual([403, expect.stringContaining('says twice who sends it')]);
    }
  });

  it('lacks a parameter, or is asked for by GET', async () => {
    expect(await call('POST', '/v1/auth/login', { username: 'nacos' }, '')).toMatchObject({ status: 400 });
    expect(await call('POST', '/v1/auth/login', { password: 'x' }, '')).toMatchObject({ status: 400 });
    expect(await call('GET', '/v1/auth/login', { username: 'nacos', password: 'correct horse' }, '')).toMatchObject({
      status: 405,
    });
  });
});

describe('users', () => {
  it('are made, log in at once, change their own password and nothing else, and are dropped', async () => {
    expect(await call('POST', '/v1/auth/users', { username: 'ann', password: 'ann is here' })).toEqual({
      status: 200,
      body: { code: 200, message: null, data: 'create user ok!' },
    });
    expect(await call('POST', '/v1/auth/users', { username: 'ann', password: 'ann is here' })).toEqual({
      status: 400,
      body: "caused: user 'ann' already exist!;",
    });
    const ann = JSON.parse((await login('ann', 'ann is here')).text);
    expect(ann.globalAdmin).toBe(false);
    expect(await call('GET', '/v1/auth/users', { pageNo: '1', pageSize: '9' }, ann.accessToken)).toMatchObject({ status: 403 });
    expect(
      await call('PUT', '/v1/auth/users', { username: 'nacos', newPassword: 'ann was here' }, ann.accessToken),
    ).toMatchObject({ status: 403 });
    expect(await call('PUT', '/v1/auth/users', { username: 'ann', newPassword: 'ann was here' }, ann.accessToken)).toMatchObject({
      body: { data: 'update user ok!' },
    });
    expect(await call('PUT', '/v1/auth/users', { username: 'nacos', password: 'ann was here' })).toMatchObject({
      status: 400,
      body: expect.stringContaining('newPassword'),
    });
    // What was proven by the password before is void.
    expect(await call('PUT', '/v1/auth/users', { username: 'ann', newPassword: 'ann is back' }, ann.accessToken)).toMatchObject({
      status: 403,
      body: { message: 'token invalid! Log in again' },
    });
    expect(await call('DELETE', '/v1/auth/users', { username: 'ann' })).toMatchObject({ body: { data: 'delete user ok!' } });
    expect(await login('ann', 'ann was here')).toMatchObject({ status: 403 });
  });

  it('are not whoever calls: their name and password in a call say nothing of that', async () => {
    expect(await call('POST', '/v3/auth/user', { username: 'nacos', password: 'correct horse' }, '')).toMatchObject({
      status: 403,
    });
    expect(await call('POST', '/v3/auth/user', { username: 'bob', password: 'bob is here' }, token)).toMatchObject({
      status: 200,
      body: { code: 0, data: 'create user ok!' },
    });
  });

  it('are listed without a hash', async () => {
    const page = { totalCount: 2, pageNumber: 1, pagesAvailable: 1 };
    const items = [
      { username: 'bob', password: '' },
      { username: 'nacos', password: '' },
    ];
    const all = { search: 'accurate', pageNo: '1', pageSize: '9' };
    expect(await call('GET', '/v1/auth/users', all)).toEqual({ status: 200, body: { ...page, pageItems: items } });
    expect(await call('GET', '/v3/auth/user/list', all)).toMatchObject({ body: { data: { ...page, pageItems: items } } });
    expect(await call('GET', '/v1/auth/users', { ...all, search: 'blur', username: '*o*' })).toMatchObject({
      body: { totalCount: 2 },
    });
    expect(await call('GET', '/v1/auth/users', { ...all, search: 'blur', username: 'b*' })).toMatchObject({
      body: { totalCount: 1 },
    });
    expect(await call('GET', '/v1/auth/users/search', { username: 'b' })).toMatchObject({ body: ['bob'] });
    expect(await call('GET', '/v3/auth/user/search', { username: 'a' })).toMatchObject({ body: { data: ['nacos'] } });
  });

  it.each([
    ['a name that everybody guesses', { username: 'eve', password: 'nacos' }],
    ['a short one', { username: 'eve', password: 'short' }],
    ['the name itself', { username: 'evelyn-the-second', password: 'evelyn-the-second' }],
    ['a name that cannot be', { username: 'e:v', password: 'eves own word' }],
  ])('cannot have %s', async (_, form) => {
    expect(await call('POST', '/v1/auth/users', form)).toMatchObject({
      status: 400,
      body: expect.stringMatching(/^caused: .*;$/),
    });
  });

  it('include an administrator at all times', async () => {
    for (const path of ['/v1/auth/users', '/v3/auth/user'])
      expect(await call('DELETE', path, { username: 'nacos' })).toMatchObject({ status: 400 });
  });
});

describe('roles and permissions', () => {
  const RULE = { role: 'dev', resource: ':G3:naming/*', action: 'rw' };
  const register = (groupName: string) =>
    call(
      'POST',
      '/v1/ns/instance',
      { ip: '10.0.0.1', port: '1', serviceName: 'x', groupName, username: 'bob', password: 'bob is here' },
      '',
    );

  it('let a user do what they say, and nothing else', async () => {
    expect(await register('G3')).toMatchObject({ status: 403 });
    expect(await call('POST', '/v1/auth/permissions', RULE)).toMatchObject({ status: 400, body: 'caused: role dev not found!;' });
    expect(await call('POST', '/v1/auth/roles', { role: 'dev', username: 'bob' })).toMatchObject({
      body: { data: 'add role ok!' },
    });
    expect(await call('POST', '/v1/auth/permissions', RULE)).toMatchObject({ body: { data: 'add permission ok!' } });
    expect(await register('G3')).toMatchObject({ status: 200 });
    expect(await register('G4')).toMatchObject({ status: 403 });
    expect(await call('GET', '/v3/auth/permission', RULE)).toMatchObject({ body: { data: true } });
    expect(await call('GET', '/v1/auth/permissions', { ...RULE, action: 'r' })).toMatchObject({ body: { data: false } });
    const all = { search: 'accurate', pageNo: '1', pageSize: '9' };
    expect(await call('GET', '/v1/auth/permissions', all)).toMatchObject({ body: { totalCount: 1, pageItems: [RULE] } });
    expect(await call('GET', '/v3/auth/permission/list', { ...all, role: 'dev' })).toMatchObject({
      body: { data: { pageItems: [RULE] } },
    });
    expect(await call('DELETE', '/v3/auth/permission', RULE)).toMatchObject({ body: { data: 'delete permission ok!' } });
    expect(await register('G3')).toMatchObject({ status: 403 });
  });

  it('of administrators are nobody else’s, and no regular expressions are kept', async () => {
    expect(await call('POST', '/v1/auth/roles', { role: 'ROLE_ADMIN', username: 'bob' })).toMatchObject({ status: 400 });
    expect(await call('POST', '/v1/auth/permissions', { ...RULE, resource: '(a+)+' })).toMatchObject({ status: 400 });
    expect(await call('POST', '/v3/auth/permission', { ...RULE, action: 'x' })).toMatchObject({ status: 400 });
  });

  it('are listed, and taken away', async () => {
    const all = { search: 'accurate', pageNo: '1', pageSize: '9' };
    const pageItems = [
      { role: 'dev', username: 'bob' },
      { role: 'ROLE_ADMIN', username: 'nacos' },
    ];
    expect(await call('GET', '/v1/auth/roles', all)).toMatchObject({ body: { pageItems } });
    expect(await call('GET', '/v3/auth/role/list', all)).toMatchObject({ body: { data: { pageItems } } });
    expect(await call('GET', '/v1/auth/roles/search', { role: 'd' })).toMatchObject({ body: ['dev'] });
    expect(await call('GET', '/v3/auth/role/search', { role: 'd' })).toMatchObject({ body: { data: ['dev'] } });
    expect(await call('DELETE', '/v1/auth/roles', { role: 'dev', username: 'bob' })).toMatchObject({ body: { code: 200 } });
    expect(await call('GET', '/v3/auth/role/list', all)).toMatchObject({ body: { data: { totalCount: 1 } } });
  });
});

describe('what is kept', () => {
  it('is a secret that only its owner can read, by which tokens outlive a restart, and the users', async () => {
    const secret = join(dataDir, 'auth-secret');
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    await call('POST', '/v1/auth/roles', { role: 'reader', username: 'bob' });
    await server.close(200);
    server = await startServer({ auth: true, dataDir });
    expect(await call('GET', '/v1/auth/roles/search', { role: 'read' })).toMatchObject({ status: 200, body: ['reader'] });
    expect(await login('bob', 'bob is here')).toMatchObject({ status: 200 });
    expect(await call('POST', '/v1/auth/users/admin', {}, '')).toMatchObject({ body: { code: 409 } });
  });

  it('signs no more when it is another, but verifies as the one before', async () => {
    const [next, previous] = [join(folder, 'next'), join(folder, 'previous')];
    writeFileSync(next, randomBytes(32).toString('base64url'), { mode: 0o600 });
    await server.close(200);
    server = await startServer({ auth: true, dataDir, authSecretFile: next });
    expect(await call('GET', '/v1/auth/users/search')).toMatchObject({
      status: 403,
      body: { message: 'token invalid! Log in again' },
    });
    await server.close(200);
    writeFileSync(previous, readFileSync(join(dataDir, 'auth-secret')), { mode: 0o600 });
    server = await startServer({ auth: true, dataDir, authSecretFile: next, authSecretPreviousFile: previous });
    expect(await call('GET', '/v1/auth/users/search')).toMatchObject({ status: 200 });
  });
});
