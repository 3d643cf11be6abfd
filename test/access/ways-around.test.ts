import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PayloadSchema } from '../../src/gen/nacos/payload_pb.ts';
import { type Guarded, login, PASSWORD, startGuarded } from '../support/guarded.ts';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { answerOf, nacos } from '../support/server.ts';

/**
 * The ways around an access control that are known of registries, and where it is shown that each is shut here. What takes a whole server
 * and stands nowhere else is below.
 */
const WAYS: Readonly<Record<string, readonly (readonly [file: string, title: string])[]>> = {
  'no rule is found, so that everybody gets through': [
    ['access/matrix', 'every route and every message says what it needs'],
    ['access/access', 'what a route does not say that it needs, nobody may'],
    ['access/spellings', 'a method is taken for no other: %s'],
    ['access/spellings', 'a refused HEAD is as long whatever is there'],
  ],
  'a path is told in two ways': [['access/spellings', 'a path is served to nobody who could not have it: %s']],
  'a parameter is told in two ways': [
    ['nacos/http/scopes', 'is taken by the first of doubled parameters, which is also what is done'],
    ['nacos/http/scopes', 'is refused %s, and nothing is there afterwards'],
    ['nacos/grpc/scopes', 'is taken by the service that the request names, whatever the instance in it says'],
  ],
  'a User-Agent or a header makes a server of a caller': [['access/matrix', 'nobody gets through any route']],
  'secrets and passwords that everybody knows': [
    ['access/secrets', 'is 32 bytes or more that nobody else has'],
    ['access/logins', 'a password that everybody knows lets nobody in, however it came to be kept'],
    ['server/door', 'with logins and no secret that would outlive it'],
    ['access/ways-around', 'a token that is signed with a secret that everybody knows is refused'],
  ],
  'the first administrator is whoever comes first': [
    ['nacos/http/users', 'is made over loopback alone, by one of several who try at once, and by no page'],
  ],
  'tokens that are made up': [
    ['access/matrix', '%s is refused in its own class to whoever may not, and to nobody else'],
    ['access/tokens', 'and is over is said to be over'],
  ],
  'calls that open the database, or run something': [['access/ways-around', 'there is no such call, for anybody: %s']],
  'another port': [
    ['access/matrix', 'nobody gets through by the port %s'],
    ['access/matrix', 'by the port of health there is nothing to get through to, for anybody'],
    ['access/matrix', 'nobody gets through by HTTP/2'],
  ],
  'another protocol that hands the call on': [
    ['nacos/grpc/scopes', 'headers of HTTP, a body and a name of a server say nothing of who asks'],
    ['access/ways-around', 'a message of 2.x is nobody’s in %s'],
  ],
  datagrams: [['nacos/udp/pusher', 'is pushed to at the address that it asked from, whatever it says']],
  'loopback that is not this machine': [
    ['server/protected', 'no header brings anybody nearer, and on this machine one takes away what it gives'],
    ['server/protected', 'a client of 2.x that a proxy on this machine hands on is from elsewhere'],
  ],
  'a forwarded address that is believed': [['server/protected', 'one is who a proxy that is named asks for, and nobody else']],
  'an address in another form': [['access/places', '%s with --trust "%s" is %s']],
  'secrets in addresses and logs': [
    ['access/ways-around', 'no secret is in the log, whatever carries it and whatever comes of it'],
    ['conformance/logins', 'no password and no token is in any log, whatever clients put into their addresses'],
  ],
  'CORS for everybody': [
    ['access/pages', 'a page of %s changes nothing, and reads nothing'],
    ['access/browsers', 'never allow credentials'],
  ],
  'a browser on the same machine': [
    ['access/pages', 'a page of %s changes nothing, and reads nothing'],
    ['conformance/hostile-pages', 'of $name changes nothing and reads nothing'],
    ['console/session', '%s is refused before all else'],
    ['console/session', 'from a page that may ask all else is refused: it is not the console'],
    ['console/session', 'without the token, or with that of another process, is refused'],
    ['console/acting', 'is asked of the very service, with a login'],
    ['nacos/http/gets', 'changes nothing by %s'],
  ],
  'how long a refusal takes, and how it is worded': [
    ['access/logins', 'who there is, is not told'],
    ['nacos/http/users', 'is refused in one line, the same whoever there is'],
  ],
  guessing: [
    ['access/logins', 'is slowed to one a second after twenty in a minute, by address, and nobody else is'],
    ['access/logins', 'never keeps out who is remembered, nor who is right at the next second'],
  ],
  'logins that take all the time there is': [
    ['access/logins', 'has two derivations at a time, so many that wait, and the rest is told to come again'],
    ['cli/guessing', 'whoever comes from another logs in at the first try, and whoever has before at once'],
    ['access/ways-around', 'health is answered while logins are more than can be looked at'],
  ],
  'a session of TLS that is resumed without a certificate': [
    ['access/certificates', 'who resumes a session without a certificate is nobody, whatever Node says of him'],
  ],
  'a right that has gone meanwhile': [
    ['access/access', 'is asked anew with each request: what has changed counts at once'],
    [
      'server/health-auth',
      'who is told something for long is asked again each minute, and told no more when the user is disabled',
    ],
    ['nacos/grpc/scopes', 'whoever has subscribed is told nothing more once the right is gone, and goes on when it is back'],
  ],
  'a mistake in the settings that opens everything': [
    ['access/places', '%s is as good as everybody, and so it is not taken'],
    ['server/door', 'another user file is in force soon, and one that is wrong never'],
    ['server/door', 'and says all that is wrong with secrets and users at once'],
  ],
};

it('there are twenty-three ways', () => expect(Object.keys(WAYS)).toHaveLength(23));

it.each(Object.entries(WAYS))('%s: there is a test', (_, tests) => {
  for (const [file, title] of tests) {
    const path = join(import.meta.dirname, '..', `${file}.test.ts`);
    expect(existsSync(path) && readFileSync(path, 'utf8').includes(title), `${file}: ${title}`).toBe(true);
  }
});

let server: Guarded;
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
beforeAll(async () => {
  server = await startGuarded({ ann: 'writer' }, { log });
});
afterAll(() => server?.[Symbol.asyncDispose]());

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

it.each([
  'SecretKey012345678901234567890123456789012345678901234567890123456789',
  'VGhpc0lzTXlDdXN0b21TZWNyZXRLZXkwMTIzNDU2Nzg=',
  'ThisIsMyCustomSecretKey012345678',
  '',
])('a token that is signed with a secret that everybody knows is refused: %j', async (secret) => {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  for (const claims of [
    { sub: 'nacos', exp },
    { sub: 'root', exp },
    { sub: 'root', exp, gen: '' },
  ])
    for (const key of [secret, Buffer.from(secret, 'base64')]) {
      const signed = `${base64url({ alg: 'HS256' })}.${base64url(claims)}`;
      const token = `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
      const answer = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'a', accessToken: token }));
      expect(answer).toMatchObject({ status: 403, body: { message: 'token invalid! Log in again' } });
    }
});

describe('there is no such call, for anybody', () => {
  it.each([
    'GET /nacos/v1/cs/ops/derby?sql=select+1',
    'POST /nacos/v1/cs/ops/data/removal',
    'POST /nacos/v1/cs/ops/localCache',
    'GET /nacos/v1/cs/communication/dataChange',
    'PUT /nacos/v1/ns/distro/datum',
    'GET /nacos/v1/ns/distro/datums',
    'PUT /nacos/v1/ns/distro/checksum',
    'POST /nacos/v1/ns/raft/vote',
    'POST /nacos/v1/ns/raft/datum',
    'POST /nacos/v1/core/cluster/server/leave',
    'POST /nacos/v1/core/cluster/switch/lookup',
    'POST /nacos/v1/core/ops/raft',
    'GET /nacos/v3/admin/cs/ops/derby?sql=select+1',
    'POST /nacos/v3/admin/cs/ops/derby/import',
    'POST /nacos/actuator/env',
    'GET /nacos/actuator/heapdump',
    'GET /nacos/../actuator',
  ])('there is no such call, for anybody: %s', async (line) => {
    const [method = '', path = ''] = line.split(' ');
    for (const params of [{}, { accessToken: await server.tokenOf('root') }]) {
      const joined = `http://${server.listeners.main}${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(params)}`;
      expect([404, 405, 501]).toContain((await fetch(joined, { method })).status);
    }
  });
});

describe('a message of 2.x is nobody’s', () => {
  const body = JSON.stringify({
    namespace: 'public',
    serviceName: 'smuggled',
    groupName: 'DEFAULT_GROUP',
    type: 'registerInstance',
    instance: { ip: '10.0.0.1', port: 80, ephemeral: false },
  });
  const payload = (headers: Readonly<Record<string, string>>) =>
    toBinary(
      PayloadSchema,
      create(PayloadSchema, { metadata: { type: 'PersistentInstanceRequest', headers }, body: { value: Buffer.from(body) } }),
    );
  const framed = (bytes: Uint8Array) => Buffer.concat([Buffer.of(0, 0, 0, 0, bytes.length), bytes]);

  it.each([
    'application/proto',
    'application/json',
    'application/grpc-web+proto',
    'application/grpc-web-text',
    'application/grpc',
    'application/connect+proto',
  ])('a message of 2.x is nobody’s in %s', async (type) => {
    const token = await server.tokenOf('root');
    // Of a client that has been set up, but over another connection.
    using _client = await NacosGrpc.connect(server.listeners.grpc);
    for (const headers of [{}, { accessToken: token }]) {
      const bytes = payload(headers);
      const sent = type.includes('grpc') || type.includes('connect') ? framed(bytes) : Buffer.from(bytes);
      const said = type.endsWith('text') ? sent.toString('base64') : sent;
      const outer = {
        'content-type': type,
        authorization: `Bearer ${token}`,
        accesstoken: token,
        'connect-protocol-version': '1',
      };
      await fetch(`http://${server.listeners.grpc}/Request/request`, { method: 'POST', headers: outer, body: said }).then(
        (answer) => answer.text(),
      );
    }
    const { body: list } = await answerOf(nacos(server, 'GET', '/service/list', { pageNo: 1, pageSize: 10, accessToken: token }));
    expect(list).toMatchObject({ count: 0 });
  });
});

it('health is answered while logins are more than can be looked at', async () => {
  using health = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
  let waiting = 0;
  const guesses = Array.from({ length: 120 }, async (_, i) => {
    waiting++;
    const form = new URLSearchParams({ username: 'ann', password: `guess number ${i}` });
    const { status, headers } = await fetch(`http://${server.listeners.main}/nacos/v1/auth/login`, {
      method: 'POST',
      body: form,
    });
    waiting--;
    return { status, retryAfter: headers.get('retry-after') };
  });
  let checks = 0;
  do {
    expect(await health.check('')).toBe('SERVING');
    checks++;
  } while (waiting > 0 && checks < 10_000);
  const answers = await Promise.all(guesses);
  expect(answers.filter(({ status }) => status !== 403 && status !== 429)).toEqual([]);
  const busy = answers.filter(({ status }) => status === 429);
  expect(busy.length).toBeGreaterThan(20);
  expect(busy.every(({ retryAfter }) => retryAfter === '5')).toBe(true);
  expect(checks).toBeGreaterThan(10);
});

it('no secret is in the log, whatever carries it and whatever comes of it', async () => {
  const token = await login(server, 'root');
  const password = `${PASSWORD} of nobody`;
  const basic = Buffer.from(`ann:${password}`).toString('base64');
  const carriers: readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>][] = [
    [{ accessToken: token }, {}],
    [{ accessToken: `${token}x` }, {}],
    [{ username: 'ann', password }, {}],
    [{ username: 'ann', password: PASSWORD }, {}],
    [{}, { authorization: `Bearer ${token}` }],
    [{}, { authorization: `Bearer ${token}x` }],
    [{}, { authorization: `Basic ${basic}` }],
    [{}, { username: 'ann', password }],
    [{ accessToken: token }, { authorization: `Bearer ${token}x` }],
  ];
  for (const path of [
    '/instance/list',
    '/instance',
    '/no/such/call',
    '/nacos/v1/auth/users',
    '/nacos/v1/auth/login',
    '/nacos/v3/auth/user',
  ])
    for (const [params, headers] of carriers)
      for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
        await nacos(server, method, path, { ...params, serviceName: 'a', newPassword: password }, { headers }).then((answer) =>
          answer.text(),
        );
  using client = await NacosGrpc.connect(server.listeners.grpc);
  await client.ask('ServiceListRequest', {}, { headers: { accessToken: `${token}x` } });
  await client.ask('ServiceListRequest', '{', { headers: { username: 'ann', password } });
  const text = logged.join('');
  expect(text).toContain('refused');
  for (const secret of [token, token.slice(-43), PASSWORD, encodeURIComponent(PASSWORD), 'correct+horse', basic, '$scrypt$'])
    expect(text.includes(secret), secret).toBe(false);
});
