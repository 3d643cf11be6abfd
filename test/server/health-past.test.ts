import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWithBearers, type WithBearers } from '../support/bearers.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { nacos, startServer } from '../support/server.ts';

failOnLeaks();

/** Of what has happened, `/health/NAME` tells each what he may read: everybody where reading is open, and else who has logged in. */

let server: WithBearers;
beforeAll(async () => {
  server = await startWithBearers({ rita: 'reader', wendy: 'writer' });
  const headers = server.bearer('root');
  for (const serviceName of ['orders', 'off'])
    await nacos(
      server,
      'POST',
      '/instance',
      { serviceName, ip: '10.0.0.1', port: 80, enabled: String(serviceName === 'orders') },
      { headers },
    );
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function over1(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const response = await fetch(`http://${server.listeners.health}${path}`, { headers, method });
  return { status: response.status, length: Number(response.headers.get('content-length')), text: await response.text() };
}

async function over2(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const session = connectHttp2(`http://${server.listeners.health}`);
  const stream = session.request({ ':path': path, ...headers });
  stream.setEncoding('utf8');
  let text = '';
  stream.on('data', (piece: string) => {
    text += piece;
  });
  await once(stream, 'close');
  session.destroy();
  return text;
}

it('whoever has not logged in learns the status, the counts and since when, over HTTP/1.1 and HTTP/2', async () => {
  for (const text of [(await over1('/health/off')).text, await over2('/health/off')]) {
    expect(JSON.parse(text)).toMatchObject({
      status: 'NOT_SERVING',
      services: [{ since: expect.any(String), instances: { total: 1 } }],
    });
    expect(text).not.toMatch(/failing|events|10\.0\.0\.1|127\.0\.0\.1/);
  }
});

it('a reader learns the rest, and HEAD has the length of it', async () => {
  const headers = server.bearer('rita');
  for (const text of [(await over1('/health/off', headers)).text, await over2('/health/off', headers)])
    expect(JSON.parse(text)).toMatchObject({
      services: [{ events: [{ cause: 'registered', by: { peer: '127.0.0.1' } }, { to: 'not-serving' }] }],
      failing: [{ ip: '10.0.0.1', cause: 'disabled' }],
    });
  const [head, get] = [await over1('/health/off', headers, 'HEAD'), await over1('/health/off', headers)];
  expect([head.status, head.text]).toEqual([503, '']);
  // Ages have a digit more now and then.
  expect(Math.abs(head.length - get.length)).toBeLessThan(20);
  expect(head.length).toBeGreaterThan((await over1('/health/off')).length + 200);
});

it('a wrong token is no reason to be told no status', async () => {
  const { status, text } = await over1('/health/orders', { authorization: 'Bearer nonsense' });
  expect([status, text.includes('events')]).toEqual([200, false]);
});

it('where reading is open everybody learns it', async () => {
  await using open = await startServer();
  await nacos(open, 'POST', '/instance', { serviceName: 'off', ip: '10.0.0.1', port: 80, enabled: 'false' });
  const told = await (await fetch(`http://${open.listeners.health}/health/off`)).json();
  expect(told).toMatchObject({ failing: [{ cause: 'disabled' }], services: [{ events: [{}, {}] }] });
});
