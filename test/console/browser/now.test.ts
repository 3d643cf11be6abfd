import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Authority } from '../../support/certificates.ts';
import { nacos, register, startServer, unhealthyAfter } from '../../support/server.ts';
import { browserOfFile, CHROMIUM, type Screen } from './browser.ts';

const browser = browserOfFile();
const A_DAY_MS = 86_400_000;
/** Silence is nothing to these. */
const FOR_EVER = { ephemeral: 'false' };
const SOON = { timeout: 10_000, interval: 50 };

/** What a tab shows while another one is looked at. */
function tabOf({ page }: Screen): Promise<string> {
  return page.evaluate("document.title + ' ' + document.getElementById('favicon').getAttribute('href')");
}

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('the first page, in Chromium', () => {
  it('says how to begin where nothing is registered, and then that all is well', async () => {
    await using server = await startServer();
    await using screen = await browser.open(server);
    await screen.page.getByRole('heading', { level: 1, name: 'Nothing is registered yet' }).waitFor();
    await screen.text('spring.cloud.nacos.discovery.server-addr=').waitFor();
    await register(server, 'orders', FOR_EVER);
    await screen.page.getByRole('heading', { level: 1, name: 'The one service is serving' }).waitFor();
    await register(server, 'shop', FOR_EVER);
    await screen.page.getByRole('heading', { level: 1, name: 'All 2 services are serving' }).waitFor();
    expect(await screen.barriers()).toEqual([]);
  });

  it('says what has failed, why and who, in the sentence, the title and the icon; and that it is back', async () => {
    await using server = await startServer();
    await register(server, 'orders', { metadata: unhealthyAfter(400) });
    await register(server, 'shop', FOR_EVER);
    await using screen = await browser.open(server);
    await screen.page.getByRole('heading', { level: 1, name: '1 of 2 services is down' }).waitFor();
    await screen.row('no heartbeat for too long').filter({ hasText: '10.0.0.1:80' }).first().waitFor();
    await screen.row('0 of 1, 1 needed').waitFor();
    await expect.poll(() => tabOf(screen), SOON).toBe('(1) beatbridge · Now ./favicon-failing.svg');
    expect(await screen.barriers()).toEqual([]);
    // In another view as well.
    await using beside = await screen.beside('#/events');
    await expect.poll(() => tabOf(beside), SOON).toBe('(1) beatbridge · Events ./favicon-failing.svg');
    await register(server, 'orders');
    await screen.page.getByRole('heading', { level: 1, name: 'All 2 services are serving' }).waitFor();
    await screen.page.getByRole('region', { name: 'Serving again' }).getByText('orders').waitFor();
    for (const each of [screen, beside]) await expect.poll(() => tabOf(each), SOON).toMatch(/^beatbridge .* \.\/favicon\.svg$/);
  });

  it('has what happens at once among the last events, and the same in Chinese', async () => {
    await using server = await startServer();
    await register(server, 'orders', FOR_EVER);
    await using screen = await browser.open(server, { language: 'zh-CN', theme: 'dark', width: 360 });
    await screen.page.getByRole('heading', { level: 1, name: '唯一的服务可用' }).waitFor();
    await nacos(server, 'PUT', '/instance', { ...FOR_EVER, serviceName: 'orders', ip: '10.0.0.1', port: 80, enabled: 'false' });
    await screen.page.getByRole('heading', { level: 1, name: '1 个服务中有 1 个不可用' }).waitFor();
    await screen.page.getByRole('region', { name: '最近事件' }).getByText('由运维人员修改').first().waitFor();
    expect(await screen.barriers()).toEqual([]);
    expect(await screen.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  it('warns of a certificate that ends soon, and says who is remembered, until he is heard', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-now-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const before = await startServer({ dataDir });
    await register(before, 'orders');
    await before.close();
    const tls = new Authority().issue({
      commonName: 'bridge',
      names: ['IP:127.0.0.1'],
      until: new Date(Date.now() + 3 * A_DAY_MS),
    });
    await using server = await startServer({ dataDir, tls });
    await using screen = await browser.open(server);
    await screen.text(/The TLS certificate .*bridge.* ends soon/).waitFor();
    const remembered = screen.text('1 instance is remembered from before the restart');
    await remembered.waitFor();
    expect(await screen.barriers()).toEqual([]);
    await register(server, 'orders');
    await remembered.waitFor({ state: 'detached' });
  });
});

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('the page of the server, in Chromium', () => {
  it('has its limits, and the options that were set with where they come from', async () => {
    await using server = await startServer({ maxServices: 1 });
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: '#/server' });
    await screen.row('--max-services').filter({ hasText: 'program' }).waitFor();
    expect(await screen.row('--max-watches-per-connection').filter({ hasText: 'default' }).count()).toBe(0);
    await screen.page.getByRole('checkbox', { name: 'only those that were set' }).uncheck();
    await screen.row('--max-watches-per-connection').filter({ hasText: 'default' }).waitFor();
    expect(await screen.page.evaluate('location.hash')).toBe('#/server?_all=true');
    expect(await screen.barriers()).toEqual([]);
  });
});
