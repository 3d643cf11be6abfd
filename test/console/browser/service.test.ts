import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createServer, createTestClock, type Server } from '../../../src/index.ts';
import { nacos, register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM, type Screen } from './browser.ts';

const browser = browserOfFile();

const ORDERS = '#/service?namespace=public&group=DEFAULT_GROUP&service=orders';

/** Time stands still in it until it is moved: a page counts down by its own, and is put right by what it is told. */
async function stoodStill() {
  const clock = createTestClock({ at: Date.now() });
  const ports = { host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0 };
  const server = await createServer({ ...ports, probes: false, restartGraceMs: 0, clock });
  return { clock, server, [Symbol.asyncDispose]: () => server.close(200) };
}

async function standing(server: Server, health: 'SERVING' | 'NOT_SERVING' = 'SERVING', name = 'orders'): Promise<void> {
  await server.registry.register(name, { ip: '10.0.0.1', port: 80, healthy: health === 'SERVING', ephemeral: false });
}

/** What is read out when it changes. */
function verdict({ page }: Screen, says: string): Promise<void> {
  const status = page.getByRole('main').getByRole('status');
  return status.filter({ hasText: new RegExp(`^\\W+${says}$`) }).waitFor();
}

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('services in Chromium', () => {
  it('are searched, filtered and sorted by the address alone, and back again', async () => {
    await using server = await startServer();
    await standing(server, 'SERVING', 'orders');
    await standing(server, 'NOT_SERVING', 'orders-old');
    await standing(server, 'SERVING', 'G1@@users');
    await using screen = await browser.open(server, { route: '#/services' });
    const { page } = screen;
    await screen.row('users').waitFor();
    expect(await page.getByRole('row').nth(1).innerText()).toContain('orders-old');
    await page.getByRole('searchbox', { name: 'Find by name, or IP:PORT' }).fill('orders');
    await screen.row('users').waitFor({ state: 'detached' });
    await page.getByLabel('Status').selectOption('serving');
    await screen.row('orders-old').waitFor({ state: 'detached' });
    expect(page.url()).toMatch(/#\/services\?search=orders&status=SERVING$/);
    await page.getByText('1 of 3 services').waitFor();
    expect(await screen.barriers()).toEqual([]);
    await page.reload();
    await screen.row('orders').waitFor();
    expect(await page.getByRole('searchbox', { name: 'Find by name, or IP:PORT' }).inputValue()).toBe('orders');
    await page.goBack();
    await screen.row('orders-old').waitFor();
    await page.getByLabel('Group').selectOption('G1');
    await page.getByText('No service matches.').waitFor();
    await page.getByRole('link', { name: 'Show all services' }).click();
    await page.getByRole('button', { name: 'Service', exact: true }).click();
    await expect.poll(() => page.getByRole('row').nth(3).innerText()).toContain('users');
    await page.getByRole('row').nth(3).press('Enter');
    await page.getByRole('heading', { level: 1, name: 'users' }).waitFor();
    expect(page.url()).toContain('group=G1');
  });

  it('say how to register, where there is none', async () => {
    await using server = await startServer();
    await using screen = await browser.open(server, { route: '#/services' });
    await screen.text('Nothing has registered yet.').waitFor();
    const call = await screen.page.locator('pre').innerText();
    await promisify(execFile)('sh', ['-c', call]);
    await screen.row('orders').waitFor();
  });
});

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('a service in Chromium', () => {
  it('turns red while one looks: first a countdown, then who stopped, when and why', async () => {
    await using room = await stoodStill();
    const { clock, server } = room;
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: ORDERS });
    await verdict(screen, 'serving');
    await screen
      .row('10.0.0.1:80')
      .getByText(/unhealthy in \d+ s/)
      .waitFor();
    await clock.advance(15_100);
    await screen.row('10.0.0.1:80').getByText('no heartbeat for too long').waitFor();
    await screen
      .row('10.0.0.1:80')
      .getByText(/removed in \d+ s/)
      .waitFor();
    await verdict(screen, 'not serving');
    await screen.text('no instance can be called').waitFor();
    await screen
      .text(/last heartbeat .* from 127\.0\.0\.1/)
      .first()
      .waitFor();
    await screen.text('who is affected: nobody watches it, and nobody has subscribed').waitFor();
    expect(await screen.barriers()).toEqual([]);
    await clock.advance(15_000);
    await screen.text('No instance is here.').waitFor();
    await screen.text('removed: no heartbeat for even longer').first().waitFor();
  });

  it('says what is told before long', async () => {
    await using server = await startServer({ fallAfterMs: 600_000 });
    await standing(server);
    await using screen = await browser.open(server, { route: ORDERS });
    await screen.row('10.0.0.1:80').waitFor();
    await nacos(server, 'DELETE', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80, ephemeral: 'false' });
    await screen.text(/not serving is told in 9 min \(if it lasts\)/).waitFor();
  });

  it('is asked for as it says there, whichever way is chosen', async () => {
    await using server = await startServer();
    await standing(server);
    await using screen = await browser.open(server, { route: ORDERS });
    const { page } = screen;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('tab', { name: 'curl', exact: true }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tab', { name: 'beatbridge' }).and(page.locator('[aria-selected=true]')).waitFor();
    await page.getByRole('tab', { name: 'HAProxy' }).click();
    expect(page.url()).toContain('_ask=haproxy');
    await page.getByRole('tabpanel').getByText('option httpchk').waitFor();
    await page.reload();
    await page.getByRole('tabpanel', { name: 'HAProxy' }).getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    const [, port] = server.listeners.health.split(':');
    expect(copied).toContain(`addr 127.0.0.1 port ${port}\n    server 10.0.0.1:80 10.0.0.1:80 check`);
    expect(await screen.barriers()).toEqual([]);
  });

  it('that is known no more says so, and what happened to it', async () => {
    await using server = await startServer();
    await standing(server);
    await using screen = await browser.open(server, { route: ORDERS, language: 'zh-CN', theme: 'dark', width: 360 });
    await screen.row('10.0.0.1:80').waitFor();
    expect(await screen.barriers()).toEqual([]);
    await nacos(server, 'DELETE', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80, ephemeral: 'false' });
    await screen.text('没有实例').first().waitFor();
    await nacos(server, 'DELETE', '/service', { serviceName: 'orders' });
    await screen.text('没有这个名称的服务').waitFor();
    await screen.text('由运维人员删除').first().waitFor();
  });
});
