import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, EverythingServed, guarded, routes, wrongAmong } from '../support/everything-served.ts';
import { exchange } from '../support/raw.ts';

/** Every route that somebody has to log in for, asked for by nobody, by paths and methods that are told in other ways than its record's. */

let served: EverythingServed;
beforeAll(async () => {
  served = await EverythingServed.open();
});
afterAll(() => served?.[Symbol.asyncDispose]());

/** One path, written in other ways. */
const SPELLINGS: Readonly<Record<string, (path: string) => string>> = {
  'slashes doubled': (path) => path.replaceAll('/', '//'),
  'slash in front': (path) => `/${path}`,
  'slash behind': (path) => `${path}/`,
  'slashes behind': (path) => `${path}//`,
  semicolon: (path) => `${path};x`,
  'semicolon inside': (path) => path.replace('/nacos/', '/nacos;x=1/'),
  session: (path) => `${path};jsessionid=1`,
  'dots and semicolon': (path) => path.replace('/nacos/', '/nacos/..;/nacos/'),
  dot: (path) => path.replace('/nacos/', '/nacos/./'),
  dots: (path) => path.replace('/nacos/', '/nacos/x/../'),
  'dots to health': (path) => `/health/..${path}`,
  'dot behind': (path) => `${path}/.`,
  'encoded dot': (path) => path.replace('/nacos/', '/nacos/%2e/'),
  'encoded dots': (path) => path.replace('/nacos/', '/nacos/x/%2e%2e/'),
  'encoded slash': (path) => path.replace(/\/([^/]*)$/, '%2f$1'),
  'slash encoded twice': (path) => path.replace(/\/([^/]*)$/, '%252f$1'),
  'encoded letter': (path) =>
    path.replace(/\/(\w)([^/]*)$/, (_, a: string, b: string) => `/%${a.charCodeAt(0).toString(16)}${b}`),
  'encoded context': (path) => path.replace('/nacos/', '/%6eacos/'),
  nul: (path) => `${path}%00`,
  blank: (path) => `${path}%20`,
  tab: (path) => `${path}%09`,
  'end of line': (path) => `${path}%0d%0a`,
  backslash: (path) => path.replace('/nacos/', '/nacos\\'),
  'absolute form': (path) => `http://127.0.0.1${path}`,
  ending: (path) => `${path}.json`,
  'upper case': (path) => path.toUpperCase(),
  'case of the context': (path) => path.replace('/nacos/', '/Nacos/'),
  'case of the end': (path) => path.replace(/\/([^/]*)$/, (_, last: string) => `/${last.toUpperCase()}`),
};

describe('told in another way', () => {
  it.each(Object.entries(SPELLINGS))('a path is served to nobody who could not have it: %s', async (_, spelled) => {
    const before = await served.kept();
    const wrong = await wrongAmong(
      guarded,
      (route) => {
        const [path = '', query] = served.pathOf(route).split('?');
        return served.ask(route, { path: `${spelled(path)}?${query}` });
      },
      ({ status }) => status >= 400,
    );
    expect(wrong).toEqual([]);
    expect(await served.kept()).toEqual(before);
  });

  it.each<readonly [string, Ask]>([
    ['HEAD', { method: 'HEAD' }],
    ['OPTIONS', { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }],
    ['TRACE', { method: 'TRACE' }],
    ['PATCH', { method: 'PATCH' }],
    ['PROPFIND', { method: 'PROPFIND' }],
    ['another in a header', { headers: { 'x-http-method-override': 'GET', 'x-method-override': 'GET', 'x-http-method': 'GET' } }],
  ])('a method is taken for no other: %s', async (_, how) => {
    const before = await served.kept();
    const wrong = await wrongAmong(
      guarded,
      (route) => served.ask(route, how),
      ({ status, headers }) => status >= 400 && !Object.keys(headers).some((name) => name.startsWith('access-control-')),
    );
    expect(wrong).toEqual([]);
    expect(await served.kept()).toEqual(before);
  });

  it('a method in small letters, or as a parameter, is none', async () => {
    const { main } = served.server.listeners;
    const raw = (line: string) => exchange(main, [`${line} HTTP/1.1\r\nHost: a\r\n\r\n`], (heard) => heard.includes('\r\n\r\n'));
    expect(await raw('post /nacos/v1/ns/instance?serviceName=a&ip=10.0.0.1&port=1')).toMatch(/^HTTP\/1\.1 40\d /);
    expect(await raw('GET /nacos/v1/console/server/state?_method=PUT')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw('GET /nacos/v1/ns/operator/switches?_method=PUT')).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('a refused HEAD is as long whatever is there', async () => {
    const route = routes.find(({ path }) => path === '/nacos/v1/ns/instance/list');
    if (route === undefined) throw new Error('there is no such route');
    const lengthOf = async (serviceName: string) => {
      const { headers } = await served.ask(route, { method: 'HEAD', path: served.pathOf(route, { serviceName }) });
      return headers['content-length'];
    };
    expect(await lengthOf('well-hidden')).toBe(await lengthOf('not-there-at'));
  });
});
