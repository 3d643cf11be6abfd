import { describe, expect, it } from 'vitest';
import { PASSWORD, startGuarded } from '../../support/guarded.ts';
import { nacos, register, startServer } from '../../support/server.ts';
import { Page as Asking, say } from '../page.ts';
import { browserOfFile, CHROMIUM, type Screen } from './browser.ts';

const browser = browserOfFile();

const ORDERS = '#/service?namespace=public&group=DEFAULT_GROUP&service=orders';
type Server = Awaited<ReturnType<typeof startServer>>;

async function check(server: Server): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  return (await say(server, 'POST', '/grpc.health.v1.Health/Check', headers, '{"service":"orders"}')).body.status;
}

async function happened(server: Server, query: string): Promise<string> {
  return (await fetch(`http://${server.listeners.main}/events?${query}`)).text();
}

const dialog = ({ page }: Screen) => page.getByRole('dialog');
const button = (screen: Screen, name: string) => screen.row('10.0.0.1').first().getByRole('button', { name, exact: true });

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('what operators do in Chromium', () => {
  it('puts an instance offline in one page: the other sees it, and events, and health; and it is taken back', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ephemeral: 'false' });
    await using screen = await browser.open(server, { route: ORDERS });
    await button(screen, 'Take offline').waitFor();
    await using beside = await screen.beside(ORDERS);
    await button(beside, 'Take offline').waitFor();
    await button(screen, 'Take offline').click();
    await dialog(screen).getByText('orders will be NOT_SERVING: 0 available, 1 needed.').waitFor();
    expect(await screen.barriers()).toEqual([]);
    await dialog(screen).getByLabel('For how long').selectOption('until further notice');
    await dialog(screen).getByLabel('Reason').fill('leaks memory');
    await dialog(screen).getByRole('button', { name: 'Take offline' }).click();
    await screen.page.getByText('10.0.0.1:80 is offline').waitFor();
    await button(beside, 'Bring online').waitFor();
    expect(await check(server)).toBe('NOT_SERVING');
    await expect.poll(() => happened(server, 'cause=edited')).toMatch(/"peer":"127.0.0.1".*"reason":"leaks memory"/);
    await screen.page.getByRole('button', { name: 'Undo' }).click();
    await button(beside, 'Take offline').waitFor();
    expect(await check(server)).toBe('SERVING');
  });

  it('drains for as long as is said, and brings back online', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ephemeral: 'false' });
    await using screen = await browser.open(server, { route: ORDERS });
    await button(screen, 'Take offline').click();
    await dialog(screen).getByLabel('For how long').selectOption('other …');
    await dialog(screen)
      .getByRole('textbox', { name: /^So long/ })
      .fill('45m');
    await dialog(screen).getByRole('button', { name: 'Take offline' }).click();
    await button(screen, 'Bring online').click();
    expect(await happened(server, 'cause=drained')).toContain('"forMs":2700000');
    await dialog(screen).getByText('Drained until').waitFor();
    await dialog(screen).getByRole('button', { name: 'Bring online' }).click();
    await button(screen, 'Take offline').waitFor();
    expect(await check(server)).toBe('SERVING');
  });

  it('says in the dialog why something is refused, and keeps what was typed', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ephemeral: 'false' });
    await using screen = await browser.open(server, { route: ORDERS, language: 'zh-CN', expected: /400 .*console\/api\/act/ });
    await button(screen, '更多操作：10.0.0.1:80').click();
    await dialog(screen).getByRole('button', { name: /^权重/ }).click();
    await dialog(screen).getByLabel('权重').fill('20000');
    await dialog(screen).getByRole('button', { name: '设置权重' }).click();
    await dialog(screen).getByRole('alert').getByText('The weights range from 0.0 to 10000.0').waitFor();
    expect(await dialog(screen).getByLabel('权重').inputValue()).toBe('20000');
    await dialog(screen).getByLabel('权重').fill('0');
    await dialog(screen).getByRole('button', { name: '设置权重' }).click();
    await screen.page.getByText('10.0.0.1:80 的权重为 0').waitFor();
    expect([await check(server), await dialog(screen).count()]).toEqual(['NOT_SERVING', 0]);
  });

  it('edits metadata by key, and gives a key back to its client', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ephemeral: 'false', metadata: '{"zone":"a"}' });
    await using screen = await browser.open(server, { route: ORDERS });
    const open = async () => {
      await button(screen, 'More actions: 10.0.0.1:80').click();
      await dialog(screen)
        .getByRole('button', { name: /^Metadata/ })
        .click();
      await dialog(screen).getByLabel('Key').fill('zone');
    };
    await open();
    expect(await dialog(screen).getByLabel('Value').inputValue()).toBe('a');
    await dialog(screen).getByLabel('Value').fill('b');
    await dialog(screen).getByRole('button', { name: 'Set value' }).click();
    await screen.page.getByText('zone of 10.0.0.1:80 is edited').waitFor();
    await open();
    await dialog(screen).getByRole('button', { name: 'As its client says' }).click();
    await screen.page.getByText('zone of 10.0.0.1:80 is as its client says').waitFor();
    const said = await nacos(server, 'GET', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
    expect(await said.json()).toMatchObject({ metadata: { zone: 'a' } });
  });
});

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('a service in Chromium', () => {
  it('is created and gone to, deleted, and there again once that is taken back', async () => {
    await using server = await startServer();
    await using screen = await browser.open(server, { route: '#/services' });
    const { page } = screen;
    await page.getByRole('button', { name: 'Create service' }).click();
    await dialog(screen).getByLabel('Name', { exact: true }).fill('orders');
    expect(await screen.barriers()).toEqual([]);
    await dialog(screen).getByRole('button', { name: 'Create service' }).click();
    await page.getByRole('heading', { name: 'orders' }).waitFor();
    expect(await check(server)).toBe('NOT_SERVING');
    await page.getByRole('button', { name: 'Delete service' }).click();
    await dialog(screen).getByRole('button', { name: 'Delete service' }).click();
    await page.getByText('orders is deleted').waitFor();
    expect(await check(server)).toBeUndefined();
    await page.getByRole('status').filter({ hasText: 'is deleted' }).getByRole('button', { name: 'Undo' }).last().click();
    await page.getByText('Undone').waitFor();
    expect(await check(server)).toBe('NOT_SERVING');
  });
});

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('a login in Chromium', () => {
  it('of a reader shows what there is, and nothing that one could do', async () => {
    await using server = await startGuarded({ ann: 'reader' });
    const params = { serviceName: 'orders', ip: '10.0.0.1', port: 80, ephemeral: 'false' };
    await nacos(server, 'POST', '/instance', { ...params, accessToken: await server.tokenOf('root') });
    await using screen = await browser.open(server, { route: ORDERS, expected: /403 .*console\/api/ });
    const { page } = screen;
    const logIn = async (name: string) => {
      await page.getByLabel('User name').fill(name);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('main').getByRole('button').click();
      await screen.row('10.0.0.1').first().waitFor();
    };
    await logIn('ann');
    expect(await button(screen, 'Take offline').count()).toBe(0);
    await page.getByRole('button', { name: /ann/ }).click();
    await logIn('root');
    await button(screen, 'Take offline').waitFor();
  });

  it('says what was wrong, and leads back to where one was; out of it again, nothing is left on the screen', async () => {
    await using server = await startGuarded({ ann: 'reader' });
    await new Asking(server, await server.tokenOf('root')).act({
      do: 'create-service',
      namespace: 'public',
      group: 'DEFAULT_GROUP',
      service: 'orders',
    });
    await using screen = await browser.open(server, { route: '#/services?search=ord', expected: /403 .*console\/api/ });
    const { page } = screen;
    await page.getByLabel('User name').fill('ann');
    await page.getByLabel('Password').fill('wrong');
    expect(await screen.barriers()).toEqual([]);
    await page.getByRole('main').getByRole('button').click();
    await page.getByRole('alert').getByText('user not found!').waitFor();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('main').getByRole('button').click();
    await screen.row('orders').first().waitFor();
    expect(new URL(page.url()).hash).toBe('#/services?search=ord');
    // Whoever may not operate is not shown that one could.
    await screen.goTo(ORDERS);
    await page.getByRole('heading', { name: 'orders' }).waitFor();
    expect(await page.getByRole('button', { name: /Delete service|Create service/ }).count()).toBe(0);
    await page.getByRole('button', { name: /ann/ }).click();
    await page.getByLabel('User name').waitFor();
    expect(await screen.said()).not.toContain('orders');
  });

  it('of who may see nothing says so, and lets another log in', async () => {
    await using server = await startGuarded({ bob: '' });
    await using screen = await browser.open(server, { expected: /403 .*console\/api/ });
    const { page } = screen;
    await page.getByLabel('User name').fill('bob');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('main').getByRole('button').click();
    await page.getByRole('alert').getByText('You are bob, and may read nothing here').waitFor();
    await page.getByRole('button', { name: 'Log in as somebody else' }).click();
    await page.getByLabel('User name').waitFor();
  });
});
