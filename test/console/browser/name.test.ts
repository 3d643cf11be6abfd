import { describe, expect, it } from 'vitest';
import { deregister, register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM } from './browser.ts';

const browser = browserOfFile();

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('the page of names in Chromium', () => {
  it('says how a name reads as it is typed, and follows what it means', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'providers:org.acme.Stock:1.0.0:');
    await using screen = await browser.open(server, { route: '#/name' });
    const { page } = screen;
    await screen.text('No name at all means beatbridge itself').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'orders', exact: true }).first().click();
    await screen.text('A service of that name is known in Nacos').waitFor();
    await page.getByRole('heading', { name: 'orders' }).waitFor();
    await screen.text(/^curl -fsS '?http:.*\/health\/orders/).waitFor();
    await deregister(server, 'orders');
    await screen.text('NOT_SERVING').first().waitFor();
    expect(await screen.barriers()).toEqual([]);
    await page.getByRole('main').getByRole('searchbox').fill('org.acme.Stock');
    await screen.text('the providers of that interface are meant').waitFor();
    expect(page.url()).toContain('#/name?name=org.acme.Stock');
    await page.getByRole('main').getByRole('searchbox').fill('orders?port=1');
    await screen.text('This is no health name: the name must be NAME').waitFor();
    await page.reload();
    await screen.text('This is no health name').waitFor();
    await screen.speak('zh-CN');
    await screen.text('不是有效的健康检查名称').waitFor();
    expect(await screen.barriers()).toEqual([]);
  });
});
