import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, type ConsoleMessage, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';
import type { Listeners } from '../../../src/index.ts';
import { CHROMIUM } from '../../support/chromium.ts';

/** The console in a real browser, as somebody sees it who knows its words and its roles, and nothing of how it is made. */

export { CHROMIUM } from '../../support/chromium.ts';

type Reachable = { readonly listeners: Pick<Listeners, 'main'> };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Looking {
  /** Where on the page: a hash route such as `#/services?search=x`. */
  readonly route?: string;
  /** Where the page is on the server. */
  readonly path?: string;
  readonly language?: 'en' | 'zh-CN';
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** The time at which the page stands still, in milliseconds since 1970; that of the machine when left out. */
  readonly at?: number;
  /** Runs in each page before anything of its own. */
  readonly script?: string;
  /** What may be said in the browser's console as an error, and is no fault here: answers that refuse are told there. */
  readonly expected?: RegExp;
}

/** The words by which the page says that it is connected. */
export const LIVE = { en: 'live', 'zh-CN': '实时' } as const;

/** One browser for the file that calls it, at its top; started when it is first needed. */
export function browserOfFile(): { readonly open: (server: Reachable, looking?: Looking) => Promise<Screen> } {
  let browser: Promise<Browser> | undefined;
  afterAll(async () => (await browser)?.close());
  return {
    open: async (server, looking = {}) => {
      browser ??= startChromium();
      return Screen.open(await browser, `http://${server.listeners.main}`, looking);
    },
  };
}

export function startChromium(args: readonly string[] = []): Promise<Browser> {
  // In a container there is little shared memory, and root has no sandbox.
  const usual = ['--disable-gpu', '--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  return chromium.launch({ ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }), args: [...usual, ...args] });
}

/**
 * A page on somebody's screen. Whatever goes wrong in it fails the test, at its end: an error of the script's or on the browser's console,
 * whatever the policy of the page forbids, a request to anybody else. For `await using`, before the server ends.
 */
export class Screen implements AsyncDisposable {
  readonly page: Page;
  readonly #looking: Looking;
  readonly #origin: string;
  readonly #faults: string[];
  readonly #expected: RegExp[];

  private constructor(page: Page, origin: string, looking: Looking, faults: string[], expected: RegExp[]) {
    this.page = page;
    this.#origin = origin;
    this.#looking = looking;
    this.#faults = faults;
    this.#expected = expected;
    page.on('console', (message) => this.#heard(message));
    page.on('pageerror', ({ stack, message }) => faults.push(stack ?? message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) faults.push(`asks somebody else: ${url}`);
    });
  }

  static async open(browser: Browser, origin: string, looking: Looking): Promise<Screen> {
    const { language = 'en', theme = 'light', width = 1280, height = 800, at, script, expected } = looking;
    const context = await browser.newContext({
      locale: language,
      colorScheme: theme,
      viewport: { width, height },
      timezoneId: 'Asia/Shanghai',
      reducedMotion: 'reduce',
    });
    // The browser's console tells of it too, but not of all.
    const telling = `addEventListener('securitypolicyviolation', (e) => console.error('forbidden: ' + e.violatedDirective + ' ' + e.blockedURI))`;
    await context.addInitScript({ content: telling });
    if (at !== undefined) await context.clock.setFixedTime(at);
    if (script !== undefined) await context.addInitScript({ content: script });
    const [faults, allowed]: [string[], RegExp[]] = [[], expected === undefined ? [] : [expected]];
    onTestFinished(() => expect(faults, 'what went wrong in the page').toEqual([]));
    const screen = new Screen(await context.newPage(), origin, looking, faults, allowed);
    await screen.#load();
    return screen;
  }

  /** Another page of the same person: a tab beside this one. */
  async beside(route?: string): Promise<Screen> {
    const looking = route === undefined ? this.#looking : { ...this.#looking, route };
    const screen = new Screen(await this.#context.newPage(), this.#origin, looking, this.#faults, this.#expected);
    await screen.#load();
    return screen;
  }

  async #load(): Promise<void> {
    const { path = '/', route = '' } = this.#looking;
    await this.page.goto(`${this.#origin}${path}${route}`, { waitUntil: 'domcontentloaded' });
  }

  get #context(): BrowserContext {
    return this.page.context();
  }

  /** From now on such an error is none. */
  expect(error: RegExp): void {
    this.#expected.push(error);
  }

  #heard(message: ConsoleMessage): void {
    if (message.type() !== 'error') return;
    const says = `${message.text()} ${message.location().url}`;
    if (!this.#expected.some((one) => one.test(says))) this.#faults.push(says);
  }

  /** Until the page says that it is connected. */
  async live(): Promise<void> {
    const { language = 'en' } = this.#looking;
    await this.page.getByRole('banner').getByText(LIVE[language], { exact: true }).waitFor();
  }

  /** By a hash route such as `#/services`, in the page that is there: as a link does it. */
  async goTo(route: string): Promise<void> {
    // By the frame after the next it has been drawn that it is another.
    await this.page.evaluate(`new Promise((resolve) => {
      location.hash = ${JSON.stringify(route)};
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    })`);
  }

  /** The row of a table in which that stands, and what belongs to it. */
  row(text: string | RegExp): Locator {
    return this.page.getByRole('main').getByRole('row').filter({ hasText: text });
  }

  /** Whatever on the screen has this text. */
  text(text: string | RegExp): Locator {
    return this.page.getByRole('main').getByText(text);
  }

  /** When that stood in one and the same row of a table, by the clock of the machine. */
  seesInRow(...texts: readonly RegExp[]): Promise<number> {
    return this.#sees(
      `[...document.querySelectorAll('main tr')].some(({ innerText }) => [${texts}].every((text) => text.test(innerText)))`,
    );
  }

  /** When that stood in the part of the page that is another for each view. */
  sees(text: RegExp): Promise<number> {
    return this.#sees(`${text}.test(document.querySelector('main').innerText)`);
  }

  #sees(what: string): Promise<number> {
    return this.page.evaluate(`new Promise((resolve) => {
      const look = () => (${what} ? resolve(Date.now()) : requestAnimationFrame(look));
      look();
    })`);
  }

  async speak(language: 'en' | 'zh-CN'): Promise<void> {
    await this.page.getByRole('combobox', { name: /^(Language|语言)$/ }).selectOption(language);
    await this.page.locator(`html[lang="${language}"]`).waitFor();
  }

  /** All that stands in the part of the page that is another for each view. */
  said(): Promise<string> {
    return this.page.getByRole('main').innerText();
  }

  /** What would keep people from using it, as axe finds it on the screen now: by rule, and where. */
  async barriers(): Promise<readonly string[]> {
    await this.page.evaluate(AXE);
    const found = (await this.page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as AxeResults;
    const grave = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return grave.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const context = this.#context;
    await this.page.close();
    if (context.pages().length === 0) await context.close();
  }
}
