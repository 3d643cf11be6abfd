import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { deregister, register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM, type Screen } from './browser.ts';

const browser = browserOfFile();
const events = ({ page }: Screen) => page.getByRole('main').getByRole('listitem');

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('the page of events in Chromium', () => {
  it('tells what happens as it happens, the last first, in both languages', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: '#/events' });
    await events(screen).filter({ hasText: 'orders is ● serving: 10.0.0.1:80 registered' }).waitFor();
    await deregister(server, 'orders');
    const last = events(screen).first();
    await last.filter({ hasText: 'orders is ▲ not serving: 10.0.0.1:80 deregistered' }).waitFor();
    await last.getByText('…').click();
    await last.getByText('service deregistered').waitFor();
    expect(await screen.barriers()).toEqual([]);
    await screen.speak('zh-CN');
    await last.filter({ hasText: 'orders 变为 ▲ 不可用：10.0.0.1:80 由客户端主动注销' }).waitFor();
    expect(await screen.barriers()).toEqual([]);
  });

  it('stands still while somebody reads, says how much is new, and goes on', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: '#/events?service=orders' });
    await expect.poll(() => events(screen).count()).toBe(2);
    await screen.page.getByRole('button', { name: 'Pause' }).click();
    await register(server, 'orders', { port: 81 });
    await register(server, 'billing');
    await screen.page.getByRole('button', { name: 'Resume · 1 new' }).waitFor();
    expect(await events(screen).count()).toBe(2);
    await screen.page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => events(screen).count()).toBe(3);
  });

  it('keeps its filters in the address, and takes what /events knows of them there', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'stock', { namespaceId: 'team-a' });
    await deregister(server, 'orders');
    await using screen = await browser.open(server, { route: '#/events' });
    await expect.poll(() => events(screen).count()).toBe(7);
    await screen.page.getByText('Causes: all causes').click();
    await screen.page.getByRole('checkbox', { name: 'registered registered' }).check();
    await expect.poll(() => events(screen).count()).toBe(4);
    expect(await screen.barriers()).toEqual([]);
    await screen.page.getByRole('combobox', { name: 'Namespace' }).selectOption('team-a');
    await expect.poll(() => events(screen).count()).toBe(2);
    expect(screen.page.url()).toContain('#/events?cause=registered&namespace=team-a');
    const address = await screen.page.getByRole('link', { name: 'Open /events' }).getAttribute('href');
    const answer = await fetch(new URL(address ?? '', screen.page.url()));
    expect((await answer.text()).trim().split('\n')).toHaveLength(2);
    await screen.page.reload();
    await expect.poll(() => events(screen).count()).toBe(2);
    await screen.page.getByRole('searchbox', { name: 'Find in events' }).fill('nothing like it');
    await screen.text('Nothing that is asked for has happened.').waitFor();
    await screen.page.getByRole('link', { name: 'No filter' }).click();
    await expect.poll(() => events(screen).count()).toBe(7);
  });

  it('saves what it shows as lines of JSON', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: '#/events?service=orders' });
    await expect.poll(() => events(screen).count()).toBe(2);
    const saved = screen.page.waitForEvent('download');
    await screen.page.getByRole('button', { name: 'Save as JSON lines' }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toMatch(/^events-\d+\.jsonl$/);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(['instance', 'service']);
  });
});
