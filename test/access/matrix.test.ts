import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NEEDS, type Need } from '../../src/rights/admission.ts';
import {
  EverythingServed,
  guarded,
  isRefused,
  messages,
  methodOf,
  nameOf,
  open,
  routes,
  wrongAmong,
} from '../support/everything-served.ts';
import { resigned } from '../support/guarded.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';

/**
 * Everything that is served, as its records say, asked for by everybody that there can be: generated from the tables themselves, so that
 * what is added to one of them is asked too. Everybody calls over loopback, which is worth nothing where there are users.
 */

let served: EverythingServed;
beforeAll(async () => {
  served = await EverythingServed.open();
});
afterAll(() => served?.[Symbol.asyncDispose]());

it('every route and every message says what it needs', () => {
  expect(routes.filter(({ access }) => !NEEDS.includes(access)).map(nameOf)).toEqual([]);
  expect(messages.filter(([, { need }]) => !['read', 'write'].includes(need)).map(([type]) => type)).toEqual([]);
  // So that nothing below goes through an empty list.
  expect([guarded.length > 150, messages.length > 8, open.length > 10]).toEqual([true, true, true]);
});

type Headers = Readonly<Record<string, string>>;

/** Who has no right, however it is said. */
async function strangers(): Promise<ReadonlyMap<string, Headers>> {
  const token = await served.server.tokenOf('root');
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  const version = 'Nacos-Server:v1.4.1';
  const peer = { 'user-agent': version, 'client-version': version, 'request-source': version };
  return new Map<string, Headers>([
    ['nobody', {}],
    ['a token that is over', bearer(resigned(token, { exp: Math.floor(Date.now() / 1_000) - 61 }))],
    ['a token without an end', bearer(resigned(token, { exp: undefined }))],
    ['a token of HS512', bearer(resigned(token, {}, { alg: 'HS512' }, 'sha512'))],
    ['a token of no algorithm', bearer(resigned(token, {}, { alg: 'none' }).replace(/[^.]*$/, ''))],
    ['a token with a key of its own', bearer(resigned(token, {}, { alg: 'HS256', kid: '/dev/null' }))],
    ['a token of nobody', bearer(resigned(token, { sub: 'nobody' }))],
    ['a token and more', { accesstoken: `${token} x` }],
    ['a server of Nacos', { ...peer, serveridentity: 'security', nacos: 'nacos' }],
    ['a server of Nacos, next door', { 'user-agent': 'Nacos-Server', 'x-forwarded-for': '127.0.0.1' }],
  ]);
}

describe('without a right', () => {
  it('a token that is signed by hand gets through, and so the others below are refused for what they say', async () => {
    const headers = { authorization: `Bearer ${resigned(await served.server.tokenOf('root'), {})}` };
    const reading = guarded.filter(({ access }) => access === 'read');
    expect(
      await wrongAmong(
        reading,
        (route) => served.ask(route, { headers }),
        (said) => !isRefused(said),
      ),
    ).toEqual([]);
  });

  it('nobody gets through any route', async () => {
    const before = await served.kept();
    for (const [who, headers] of await strangers())
      expect(await wrongAmong(guarded, (route) => served.ask(route, { headers }), isRefused), who).toEqual([]);
    expect(await served.kept()).toEqual(before);
  });

  it.each(['grpc', 'tls'] as const)('nobody gets through by the port %s', async (port) => {
    const address = served.server.listeners[port];
    expect(address).toBeDefined();
    expect(await wrongAmong(guarded, (route) => served.ask(route, {}, address), isRefused)).toEqual([]);
  });

  it('by the port of health there is nothing to get through to, for anybody', async () => {
    const headers = { accesstoken: await served.server.tokenOf('root') };
    const ask = (route: (typeof routes)[number]) => served.ask(route, { headers }, served.server.listeners.health);
    expect(await wrongAmong(routes, ask, ({ status }) => status === 404)).toEqual([]);
  });

  it('nobody gets through by HTTP/2', async () => {
    const session = connect(`http://${served.server.listeners.main}`);
    const ask = async (route: (typeof routes)[number]) => {
      const stream = session.request({ ':method': methodOf(route), ':path': served.pathOf(route) });
      stream.end();
      const status = new Promise<number>((resolve) => stream.once('response', (headers) => resolve(Number(headers[':status']))));
      let body = '';
      for await (const chunk of stream) body += chunk;
      return { status: await status, headers: {}, body };
    };
    expect(await wrongAmong(guarded, ask, isRefused)).toEqual([]);
    session.destroy();
  });

  it('whoever has no login is let in where none is needed', async () => {
    expect(
      await wrongAmong(
        open,
        (route) => served.ask(route),
        (said) => !isRefused(said),
      ),
    ).toEqual([]);
  });
});

/** What one may whose roles cover everything. */
const MAY: Readonly<Record<string, readonly Need[]>> = {
  reader: ['read', 'self'],
  writer: ['read', 'write', 'self'],
  root: NEEDS,
};

describe('with a login', () => {
  // Others may have removed it.
  beforeEach(() => served.fill());

  it.each(Object.entries(MAY))('%s gets through where the record says so, and nowhere else', async (username, needs) => {
    const headers = { accesstoken: await served.server.tokenOf(username) };
    const ask = (route: (typeof routes)[number]) => served.ask(route, { headers, path: served.pathOf(route, { username }) });
    expect(await wrongAmong(guarded, ask, (said, { access }) => isRefused(said) !== needs.includes(access))).toEqual([]);
  });

  it('a writer of another namespace writes nothing here, and reads nothing of here', async () => {
    const headers = { accesstoken: await served.server.tokenOf('foreign') };
    const others = guarded.filter(({ access }) => access !== 'self');
    const before = await served.kept();
    const wrong = await wrongAmong(
      others,
      (route) => served.ask(route, { headers }),
      (said, { access, isWhole = false }) =>
        isRefused(said) || (access === 'read' && !isWhole && !said.body.includes('well-hidden')),
    );
    expect(wrong).toEqual([]);
    expect(await served.kept()).toEqual(before);
  });

  it('and in its own it reads and writes, but for what is about the server as a whole', async () => {
    const headers = { accesstoken: await served.server.tokenOf('foreign') };
    const own = { namespaceId: 'elsewhere', tenant: 'elsewhere', ids: '' };
    const others = guarded.filter(({ access }) => access !== 'self');
    const wrong = await wrongAmong(
      others,
      (route) => served.ask(route, { headers, path: served.pathOf(route, own) }),
      (said, { access, isWhole = false }) => isRefused(said) !== ((access === 'read' || access === 'write') && !isWhole),
    );
    expect(wrong).toEqual([]);
  });
});

const MAY_HERE: typeof MAY = { ...MAY, foreign: [] };

describe('over gRPC', () => {
  const text = { dataId: 'well-hidden', group: 'DEFAULT_GROUP' };
  const instance = { ip: '10.0.0.2', port: 81, ephemeral: true };
  const bodyOf = (type: string, namespace: string) => ({
    ...text,
    namespace,
    tenant: namespace,
    serviceName: 'well-hidden',
    groupName: 'DEFAULT_GROUP',
    type: type === 'BatchInstanceRequest' ? 'batchRegisterInstance' : 'registerInstance',
    instance,
    instances: [instance],
    content: 'x',
    subscribe: true,
    pageNo: 1,
    pageSize: 10,
    listen: true,
    configListenContexts: [{ ...text, tenant: namespace, md5: '' }],
  });

  it.each(messages)(
    '%s is refused in its own class to whoever may not, and to nobody else',
    async (type, { answer, need, failure }) => {
      using client = await NacosGrpc.connect(served.server.listeners.grpc);
      const said = (headers: Headers, namespace = 'public') => client.ask(type, bodyOf(type, namespace), { headers });
      const refused = { type: answer, body: { resultCode: 500, errorCode: 403, success: false, ...failure } };
      for (const [who, headers] of await strangers()) expect(await said(headers), who).toMatchObject(refused);
      for (const [name, needs] of Object.entries(MAY_HERE)) {
        const headers = { accessToken: await served.server.tokenOf(name) };
        const answered = await said(headers);
        if (needs.includes(need)) expect(answered, name).toMatchObject({ type: answer, body: { errorCode: 0 } });
        else expect(answered, name).toMatchObject(refused);
      }
      const own = await said({ accessToken: await served.server.tokenOf('foreign') }, 'elsewhere');
      expect([own.type, own.body.errorCode === 403]).toEqual([answer, false]);
    },
  );
});
