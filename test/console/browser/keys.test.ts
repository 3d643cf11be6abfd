import { describe, expect, it } from 'vitest';
import { register, startServer } from '../../support/server.ts';
import { browserOfFile, CHROMIUM, type Screen } from './browser.ts';

const browser = browserOfFile();

type Pressed = (screen: Screen) => Promise<unknown>;

const goesTo =
  (key: string, route: string): Pressed =>
  async ({ page }) => {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL(({ hash }) => hash === route);
  };

const focused = ({ page }: Screen) => page.evaluate('document.activeElement?.textContent ?? ""') as Promise<string>;

/** What each key does, as the list says it: beginning at the services, of which there are two. */
const KEYS: Readonly<Record<string, Pressed>> = {
  '/': async ({ page }) => {
    await page.keyboard.press('/');
    await page.keyboard.type('order');
    await page.waitForURL(({ hash }) => hash === '#/services?search=order');
  },
  Esc: async ({ page }) => {
    await page.keyboard.press('Escape');
    await page.waitForURL(({ hash }) => hash === '#/services');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement === document.body')).toBe(true);
  },
  'j k ↓ ↑': async (screen) => {
    const { page } = screen;
    await screen.row('stock').waitFor();
    for (const [key, name] of [
      ['j', 'billing'],
      ['j', 'orders'],
      ['k', 'billing'],
      ['ArrowDown', 'orders'],
      ['ArrowDown', 'stock'],
      ['ArrowUp', 'orders'],
    ] as const) {
      await page.keyboard.press(key);
      expect(await focused(screen), key).toContain(name);
    }
  },
  Enter: async ({ page }) => {
    await page.keyboard.press('Enter');
    await page.waitForURL(({ hash }) => hash.startsWith('#/service?') && hash.endsWith('service=orders'));
  },
  'g n': goesTo('n', '#/'),
  'g s': goesTo('s', '#/services'),
  'g e': goesTo('e', '#/events'),
  'g c': goesTo('c', '#/clients'),
  'g p': goesTo('p', '#/pushes'),
  'g h': goesTo('h', '#/name'),
  'g b': goesTo('b', '#/server'),
  '?': async ({ page }) => {
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  },
};

// Without a browser there is nothing to look with; `npm test` says so.
describe.skipIf(CHROMIUM === undefined)('the keyboard', () => {
  it('does what the list of keys says, and the list has every key', async () => {
    await using server = await startServer();
    for (const name of ['billing', 'orders', 'stock']) await register(server, name);
    // Not every view is there on each server.
    await using screen = await browser.open(server, { route: '#/services', expected: /400 .*console\/api\/stream/ });
    await screen.live();
    await screen.page.keyboard.press('?');
    const listed = await screen.page.getByRole('dialog').locator('kbd').allInnerTexts();
    expect(listed.sort()).toEqual(Object.keys(KEYS).sort());
    expect(await screen.barriers()).toEqual([]);
    await screen.page.keyboard.press('Escape');
    for (const press of Object.values(KEYS)) await press(screen);
  });

  it('goes from one event to the next, and opens it', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await using screen = await browser.open(server, { route: '#/events' });
    await screen.page.getByRole('listitem').filter({ hasText: 'of orders registered' }).waitFor();
    await screen.page.keyboard.press('j');
    await screen.page.keyboard.press('j');
    await screen.page.keyboard.press('Enter');
    await screen.text('instance registered').waitFor();
  });
});
