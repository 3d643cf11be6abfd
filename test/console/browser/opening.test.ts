import { describe, expect, it } from 'vitest';
import { register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM } from './browser.ts';

const browser = browserOfFile();

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('the console in Chromium', () => {
  it('shows what is registered, without a reload', async () => {
    await using server = await startServer();
    await using screen = await browser.open(server, { route: '#/services' });
    await screen.live();
    await register(server, 'orders');
    await screen.row('orders').first().waitFor();
    expect(await screen.row('orders').first().innerText()).toMatch(/SERVING|serving/i);
    expect(await screen.barriers()).toEqual([]);
  });
});
