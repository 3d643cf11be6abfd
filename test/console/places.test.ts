import { describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { exchange } from '../support/raw.ts';
import { nacos, register, startServer } from '../support/server.ts';

failOnLeaks();

const SNAPSHOT = 'console/api/snapshot';

/** What stands there: a snapshot, a way to another place, or nothing of the console. */
async function at(address: string | undefined, path: string): Promise<string> {
  const answer = await fetch(`http://${address}${path}`, { redirect: 'manual' });
  const text = await answer.text();
  if (answer.status === 200) return text.startsWith('{"facts":') ? 'snapshot' : text;
  return answer.headers.has('location')
    ? `to ${new URL(answer.headers.get('location') ?? '', answer.url).pathname}`
    : `${answer.status}`;
}

const places = async ({ listeners }: Server, paths: readonly string[]) =>
  Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await at(listeners.main, path)] as const)));

describe('where the console is', () => {
  it('is where Nacos has its own, and where one looks first', async () => {
    await using server = await startServer();
    expect(
      await places(server, [`/${SNAPSHOT}`, `/nacos/${SNAPSHOT}`, '/nacos', `/x/${SNAPSHOT}`, '/console/api/other']),
    ).toEqual({
      [`/${SNAPSHOT}`]: 'snapshot',
      [`/nacos/${SNAPSHOT}`]: 'snapshot',
      '/nacos': 'to /nacos/',
      [`/x/${SNAPSHOT}`]: '404',
      '/console/api/other': '404',
    });
  });

  it('is below the context path too, whatever that is', async () => {
    await using elsewhere = await startServer({ contextPath: '/registry' });
    expect(await places(elsewhere, [`/registry/${SNAPSHOT}`, '/registry', `/nacos/${SNAPSHOT}`, `/${SNAPSHOT}`])).toEqual({
      [`/registry/${SNAPSHOT}`]: 'snapshot',
      '/registry': 'to /registry/',
      [`/nacos/${SNAPSHOT}`]: 'snapshot',
      [`/${SNAPSHOT}`]: 'snapshot',
    });
    await using root = await startServer({ contextPath: '/' });
    expect(await places(root, [`/${SNAPSHOT}`, `/nacos/${SNAPSHOT}`])).toEqual({
      [`/${SNAPSHOT}`]: 'snapshot',
      [`/nacos/${SNAPSHOT}`]: 'snapshot',
    });
  });

  it.each(['/look/', '/look', '/nacos/view', '/nacos/look'])(
    'is at %s and nowhere else, where it is told so',
    async (console) => {
      await using server = await startServer({ console });
      const root = console.replace(/\/?$/, '/');
      expect(await places(server, [`${root}${SNAPSHOT}`, root.slice(0, -1), `/${SNAPSHOT}`, `/nacos/${SNAPSHOT}`])).toEqual({
        [`${root}${SNAPSHOT}`]: 'snapshot',
        [root.slice(0, -1)]: `to ${root}`,
        [`/${SNAPSHOT}`]: '404',
        [`/nacos/${SNAPSHOT}`]: expect.stringMatching(/^40/),
      });
    },
  );

  it('is nowhere, where it is not wanted', async () => {
    await using server = await startServer({ console: 'none' });
    for (const path of ['/', '/nacos/', '/nacos', `/${SNAPSHOT}`, `/nacos/${SNAPSHOT}`, '/console/api/stream'])
      expect([path, await at(server.listeners.main, path)]).toEqual([path, expect.stringMatching(/^40[04]$/)]);
  });

  it('is never on the port of health', async () => {
    await using server = await startServer();
    for (const path of ['/', '/nacos/', `/${SNAPSHOT}`, `/nacos/${SNAPSHOT}`, '/console/api/stream'])
      expect([path, await at(server.listeners.health, path)]).toEqual([path, '404']);
  });

  it('leaves to others what is theirs', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    expect(await (await nacos(server, 'GET', '/instance/list', { serviceName: 'orders' })).json()).toMatchObject({ hosts: [{}] });
    expect((await fetch(`http://${server.listeners.main}/livez`)).status).toBe(200);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await fetch(`http://${server.listeners.main}/${SNAPSHOT}`, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      await answer.text();
    }
  });

  it('leads to its place from wherever a proxy has it, and takes what comes along', async () => {
    await using server = await startServer();
    const body = 'x'.repeat(100_000);
    const heard = await exchange(server.listeners.main, [
      `POST /nacos?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ]);
    expect(heard).toMatch(/^HTTP\/1\.1 308 .*\r\nlocation: \.\/nacos\/\?a=b\r\n.*\r\nHTTP\/1\.1 200 /is);
  });
});
