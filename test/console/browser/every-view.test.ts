import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { deregister, register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM, type Screen } from './browser.ts';

const browser = browserOfFile();

const PERSISTENT = { ephemeral: 'false' };
const OF_ORDERS = 'namespace=public&group=DEFAULT_GROUP&service=orders';

/** Each view with something of its own in the address. */
const ROUTES: Readonly<Record<string, string>> = {
  now: '#/',
  services: '#/services?search=o&status=SERVING&sort=name',
  service: `#/service?${OF_ORDERS}`,
  instance: `#/instance?${OF_ORDERS}&ip=10.0.0.1&port=80`,
  clients: '#/clients?search=10',
  client: '#/client?id=10.0.0.1:80%23true',
  events: '#/events?service=orders',
  name: '#/name?name=orders',
  pushes: '#/pushes?search=10',
  server: '#/server',
  login: '#/login',
  unknown: '#/what',
};

/** What somebody sees of which view it is: the address, and the first heading. */
async function where({ page }: Screen) {
  const heading = page.getByRole('main').getByRole('heading', { level: 1 });
  return { url: page.url().replace(/^[^#]*/, ''), heading: (await heading.first().innerText()).trim() };
}

/** Has the whole of it, with nothing on its way. */
async function settled({ page }: Screen): Promise<void> {
  await page.getByRole('main').getByRole('heading', { level: 1 }).first().waitFor();
  await page.locator('main [aria-busy=true]').waitFor({ state: 'detached' });
}

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('every view', () => {
  let server: Server;
  let client: NacosGrpc;
  beforeAll(async () => {
    server = await startServer();
    await register(server, 'orders', PERSISTENT);
    await register(server, 'shop', PERSISTENT);
    await register(server, 'gone', PERSISTENT);
    await deregister(server, 'gone', PERSISTENT);
    client = await NacosGrpc.connect(server.listeners.grpc ?? '');
    await client.register('held', 81);
    await client.subscribe('orders');
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await server.close();
  });

  it('is the same one after a reload, and the one before after a step back', async () => {
    await using screen = await browser.open(server);
    await settled(screen);
    let before = await where(screen);
    for (const [name, route] of Object.entries(ROUTES).slice(1)) {
      await screen.goTo(route);
      await settled(screen);
      const there = await where(screen);
      expect([name, there.url]).toEqual([name, route]);
      await screen.page.reload();
      await settled(screen);
      expect([name, await where(screen)]).toEqual([name, there]);
      await screen.page.goBack();
      await settled(screen);
      expect([name, await where(screen)]).toEqual([name, before]);
      await screen.page.goForward();
      await settled(screen);
      before = there;
    }
  });

  it.each([
    ['en', 'light', 1280],
    ['zh-CN', 'dark', 360],
  ] as const)('can be used by everybody, and is no wider than the screen: %s, %s, %i px', async (language, theme, width) => {
    await using screen = await browser.open(server, { language, theme, width });
    const found: Record<string, unknown> = {};
    for (const [name, route] of Object.entries(ROUTES)) {
      await screen.goTo(route);
      await settled(screen);
      const barriers = await screen.barriers();
      const overflow = await screen.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (barriers.length > 0 || overflow !== 0) found[name] = { barriers, overflow };
    }
    expect(found).toEqual({});
  });

  it('is in the language of who looks, which is kept', async () => {
    await using screen = await browser.open(server, { route: '#/services', language: 'zh-CN' });
    await settled(screen);
    expect((await where(screen)).heading).toMatch(/\p{Script=Han}/u);
    await screen.speak('en');
    await settled(screen);
    expect((await where(screen)).heading).not.toMatch(/\p{Script=Han}/u);
    await using beside = await screen.beside('#/services');
    await settled(beside);
    expect(await where(beside)).toEqual({ url: '#/services', heading: 'Services' });
  });
});
