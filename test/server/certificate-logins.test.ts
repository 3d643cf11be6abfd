import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { Authority, type Issued } from '../support/certificates.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { startServer } from '../support/server.ts';

failOnLeaks();

const authority = new Authority();
const ca = authority.cert;
const certified = (name: string, from = authority) => from.issue({ commonName: name, names: [`URI:spiffe://td/${name}`] });
/** Of a user who may write one group, of nobody, and of somebody for whom nobody vouches. */
const orders = certified('orders');
const unknown = certified('unknown');
/** As meshes make them: all there is to them is a name beside the subject, if any. */
const meshed = authority.issue({ names: ['URI:spiffe://td/orders'] });
const named = authority.issue({ names: ['DNS:orders.example'] });
const bare = authority.issue({});
const forged = certified('orders', new Authority('another authority'));

const USERS = `
users:
  root: { password: a good long password, roles: [admin] }
  orders: { certificate: "spiffe://td/orders", roles: ["writer@public:G1"] }
`;

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-logins-'));
let server: Server;

beforeAll(async () => {
  const userFile = join(folder, 'users.yaml');
  writeFileSync(userFile, USERS);
  const tls = { ...authority.issueForServer(), clientCa: ca };
  server = await startServer({ auth: true, userFile, dataDir: folder, tls });
});
afterAll(async () => {
  await server.close(100);
  rmSync(folder, { recursive: true, force: true });
});

type Own = Issued | undefined;

const pathOf = (group: string) => `/nacos/v1/ns/instance?serviceName=secret&groupName=${group}&ip=10.0.0.1&port=80`;

const WAYS: Readonly<Record<string, (own: Own, group: string) => Promise<unknown>>> = {
  'HTTP/1.1': (own, group) =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', ca, agent: false, ...own };
      const req = request(`https://${server.listeners.main}${pathOf(group)}`, options, (res) => {
        res.resume();
        res.on('close', () => resolve(res.statusCode));
      });
      req.on('error', reject).end();
    }),
  async 'HTTP/2'(own, group) {
    const session = connectHttp2(`https://${server.listeners.main}`, { ca, ...own });
    const stream = session.request({ ':path': pathOf(group), ':method': 'POST' }, { endStream: true });
    const [headers] = await once(stream, 'response');
    session.destroy();
    return headers[':status'];
  },
  async gRPC(own, groupName) {
    using client = await NacosGrpc.connect(server.listeners.grpc, {}, ca, own);
    const instance = { ip: '10.0.0.1', port: 80 };
    const body = { namespace: 'public', serviceName: 'secret', groupName, type: 'registerInstance', instance };
    const { body: answer } = await client.ask('InstanceRequest', body);
    return answer.resultCode === 200 ? 200 : answer.errorCode;
  },
};

describe.each(Object.entries(WAYS))('over %s', (_, register) => {
  it('whoever shows a certificate is the user who has its name, with the rights of that one', async () => {
    expect([await register(orders, 'G1'), await register(orders, 'G2')]).toEqual([200, 403]);
  });

  it('a certificate needs no subject for that', async () => {
    expect([await register(meshed, 'G1'), await register(meshed, 'G2')]).toEqual([200, 403]);
  });

  it.each<[string, Own]>([
    ['without a subject, that is called otherwise', named],
    ['without any name', bare],
    ['that no user has', unknown],
    ['that nobody vouches for', forged],
    ['that is not there', undefined],
  ])('a certificate %s is no login', async (_what, own) => {
    expect(await register(own, 'G1')).toBe(403);
  });
});
