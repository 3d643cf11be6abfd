import { describe, expect, it } from 'vitest';
import { type Head, pageFault, pageHeaders } from '../../src/access/browsers.ts';
import { type Headers, isOfBrowser } from '../../src/wire/browser.ts';

const RULES = { hosts: ['bridge.example', 'build-7'], origins: ['https://console.example'] };

function head(method: string, headers: Headers, host: string | readonly string[] = '127.0.0.1:8848', isEncrypted = false): Head {
  return { method, path: '/nacos/v1/ns/instance', headers, hosts: typeof host === 'string' ? [host] : host, isEncrypted };
}

const CHROMIUM = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0', 'accept-language': 'en-US' };
const EVIL = 'http://evil.example:8000';

describe('what a page can send', () => {
  const form = { ...CHROMIUM, 'content-type': 'application/x-www-form-urlencoded' };

  it.each<readonly [row: string, head: Head]>([
    ['a form', head('POST', { ...form, origin: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' })],
    ['a form of a frame without an origin', head('POST', { ...form, origin: 'null', 'sec-fetch-site': 'cross-site' })],
    ['a form to a name', head('POST', { ...form, origin: EVIL }, 'bridge.example:8848')],
    ['a form without a referrer, to a name', head('POST', { ...form, origin: 'null' }, 'bridge.example:8848')],
    [
      'fetch without CORS',
      head('POST', { ...CHROMIUM, 'content-type': 'text/plain', origin: EVIL, 'sec-fetch-site': 'cross-site' }),
    ],
    ['a beacon', head('POST', { ...CHROMIUM, origin: EVIL, 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' })],
    ['a preflight', head('OPTIONS', { ...CHROMIUM, origin: EVIL, 'access-control-request-method': 'PUT' })],
    ['what hides its origin', head('POST', { ...form, 'sec-fetch-site': 'cross-site' })],
    ['PUT', head('PUT', { ...CHROMIUM, origin: EVIL, 'sec-fetch-site': 'cross-site' })],
    ['DELETE', head('DELETE', { ...CHROMIUM, origin: EVIL })],
    ['an image', head('GET', { ...CHROMIUM, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' })],
    ['a script of a subdomain', head('GET', { ...CHROMIUM, 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'script' })],
    ['a frame', head('GET', { ...CHROMIUM, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' })],
    ['an event source', head('GET', { ...CHROMIUM, origin: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'empty' })],
    ['HEAD', head('HEAD', { ...CHROMIUM, origin: EVIL, 'sec-fetch-site': 'cross-site' })],
    ['a web socket', head('GET', { ...CHROMIUM, upgrade: 'websocket', origin: EVIL })],
    [
      'from another port of this machine',
      head('POST', { ...form, origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-site' }),
    ],
    [
      'from this machine by another name',
      head('POST', { ...form, origin: 'http://localhost:8848', 'sec-fetch-site': 'cross-site' }),
    ],
    ['from this machine by another name, without saying so', head('POST', { ...form, origin: 'http://localhost:8848' })],
    [
      "from another machine's address, at the same port",
      head('POST', { ...form, origin: 'http://10.9.9.9:8848' }, '10.0.0.1:8848'),
    ],
    ['from another scheme', head('POST', { ...form, origin: 'https://127.0.0.1:8848' })],
    ['two origins', head('POST', { ...form, origin: ['http://127.0.0.1:8848', EVIL] })],
    [
      'an origin that only begins like one that is named',
      head('POST', { ...form, origin: 'https://console.example.evil.example' }),
    ],
    ['an origin that only ends like one that is named', head('POST', { ...form, origin: 'https://evil-console.example' })],
    ['an origin in other letters than the one that is named', head('POST', { ...form, origin: 'https://CONSOLE.example' })],
  ])('of another site is refused: %s', (_, asked) => {
    expect(pageFault(asked, RULES)).toMatch(
      /^refused: a web page on another site \((Origin|Sec-Fetch-Site) [!-~]{1,100}\) may not (read|write) here; --allow-origin names those that may$/,
    );
    expect(pageHeaders(asked, RULES)).toEqual({});
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE'])('under a name that was bound to this machine anew is refused: %s', (method) => {
    const origin = method === 'GET' ? {} : { origin: 'http://rebound.example:8848' };
    expect(pageFault(head(method, { ...CHROMIUM, ...origin }, 'rebound.example:8848'), RULES)).toBe(
      'this name is not one of mine; add --allow-host NAME',
    );
  });

  it.each<readonly [row: string, head: Head]>([
    ['a form of its own', head('POST', { ...form, origin: 'http://127.0.0.1:8848', 'sec-fetch-site': 'same-origin' })],
    ['its own at a port that is mapped', head('POST', { ...form, origin: 'http://localhost:18848' }, 'localhost:18848')],
    ['its own over TLS', head('PUT', { ...CHROMIUM, origin: 'https://bridge.example' }, 'bridge.example', true)],
    ['its own, by IPv6', head('PUT', { ...CHROMIUM, origin: 'http://[::1]:8848' }, '[::1]:8848')],
    ['what is typed', head('GET', { ...CHROMIUM, 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' })],
    [
      'a link from elsewhere',
      head('GET', { ...CHROMIUM, referer: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }),
    ],
    ['an event source of its own', head('GET', { ...CHROMIUM, 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' })],
    ['a web socket of its own', head('GET', { ...CHROMIUM, upgrade: 'websocket', origin: 'http://127.0.0.1:8848' })],
    ['an origin that is named', head('POST', { ...form, origin: 'https://console.example', 'sec-fetch-site': 'cross-site' })],
    [
      'reading from one that is named',
      head('GET', { ...CHROMIUM, origin: 'https://console.example', 'sec-fetch-site': 'cross-site' }),
    ],
  ])('is taken: %s', (_, asked) => expect(pageFault(asked, RULES)).toBeUndefined());
});

describe('the Host of a browser', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.1:8848',
    '10.2.3.4:8848',
    '[::1]',
    '[::1]:8848',
    'localhost:8848',
    'LOCALHOST',
    'localhost.',
    'app.localhost:1',
    'bridge.local',
    'Bridge.Example:8848',
    'bridge.example.',
    'build-7:8848',
  ])('may be %s', (host) => expect(pageFault(head('GET', CHROMIUM, host), RULES)).toBeUndefined());

  it.each<readonly [hosts: readonly string[]]>([
    [[]],
    [['']],
    [[':8848']],
    [['.']],
    [['evil.example']],
    [['127.0.0.1.evil.example']],
    [['localhost.evil.example']],
    [['evil-localhost']],
    [['local']],
    [['bridge.example.evil.example']],
    [['evilbridge.example']],
    [['localhost..']],
    [['0x7f000001']],
    [['2130706433']],
    [['::1']],
    [['[::1']],
    [['[localhost]']],
    [['127.0.0.1:8848:8848']],
    [['127.0.0.1:port']],
    [['evil.example#@127.0.0.1']],
    [['evil.example/127.0.0.1']],
    [['user@localhost']],
    [['127.0.0.1', 'evil.example']],
    [['evil.example', '127.0.0.1']],
    [['127.0.0.1, evil.example']],
  ])('may not be %j', (hosts) => {
    expect(pageFault(head('GET', CHROMIUM, hosts), RULES)).toBe('this name is not one of mine; add --allow-host NAME');
  });

  it('may be said twice the same, as over HTTP/2', () => {
    expect(pageFault(head('GET', CHROMIUM, ['127.0.0.1:8848', '127.0.0.1:8848']), RULES)).toBeUndefined();
  });
});

describe('a mark of a browser', () => {
  it.each<readonly [headers: Headers]>([
    [{ origin: 'null' }],
    [{ origin: '' }],
    [{ referer: EVIL }],
    [{ cookie: 'a=b' }],
    [{ 'accept-language': '' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ 'sec-fetch-storage-access': 'none' }],
    [{ 'user-agent': 'Mozilla/5.0' }],
    // What Node's fetch sends, and one thing more or less.
    [{ 'accept-language': '*', 'user-agent': 'Mozilla/5.0' }],
    [{ 'accept-language': '*', cookie: 'a=b' }],
    [{ 'accept-language': '*', 'sec-fetch-site': 'none' }],
    [{ 'sec-fetch-mode': 'cors', 'user-agent': 'node' }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'navigate', 'user-agent': 'node' }],
    [{ 'accept-language': 'en', 'sec-fetch-mode': 'cors', 'user-agent': 'node' }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'cors', 'user-agent': 'Mozilla/5.0' }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site' }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'cors', origin: EVIL }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'cors', cookie: 'a=b' }],
    [{ 'accept-language': '*', 'sec-fetch-mode': 'cors', referer: EVIL }],
  ])('is %j', (headers) => expect(isOfBrowser(headers)).toBe(true));

  // The header names that were recorded of clients, and of what operators use.
  it.each<readonly [headers: Headers]>([
    [{}],
    // Of Node 26, to an address that is not of this machine and in cleartext.
    [{ 'accept-language': '*', 'user-agent': 'node' }],
    [
      {
        'user-agent': 'Nacos-Java-Client:v2.5.1',
        'client-version': 'x',
        requestid: 'x',
        'request-module': 'Naming',
        connection: 'Keep-Alive',
      },
    ],
    [{ 'user-agent': 'Nacos-Go-Client:v1.1.6', 'request-module': 'Naming', 'accept-encoding': 'gzip' }],
    [{ 'user-agent': 'Nacos-Server:v2' }],
    [{ 'user-agent': 'curl/8', accept: '*/*', authorization: 'Basic eA==' }],
    [{ 'user-agent': 'X Mozilla/5.0' }],
    [{ 'content-type': 'application/grpc', te: 'trailers' }],
  ])('is none of %j, which may call this server as it likes', (headers) => {
    for (const hosts of [[], ['nacos.shop.svc.cluster.local'], ['outbound|80||orders'], ['a', 'b']])
      expect(pageFault(head('POST', headers, hosts), RULES)).toBeUndefined();
  });
});

describe('headers for pages', () => {
  it('are for an origin that is named, to the letter, and for no other', () => {
    expect(pageHeaders(head('GET', { origin: 'https://console.example' }), RULES)).toEqual({
      'Access-Control-Allow-Origin': 'https://console.example',
      Vary: 'Origin',
    });
    expect(Object.keys(pageHeaders(head('OPTIONS', { origin: 'https://console.example' }), RULES))).toContain(
      'Access-Control-Allow-Methods',
    );
    for (const origin of ['https://console.example:443', 'http://console.example', 'null', '*', EVIL])
      expect(pageHeaders(head('GET', { origin }), RULES)).toEqual({});
    expect(pageHeaders(head('GET', {}), RULES)).toEqual({});
  });

  it('never allow credentials', () => {
    const names = Object.keys(pageHeaders(head('OPTIONS', { origin: 'https://console.example' }), RULES));
    expect(names.map((name) => name.toLowerCase())).not.toContain('access-control-allow-credentials');
  });
});

it('what says no origin is told by what it does say', () => {
  expect(pageFault(head('POST', { 'sec-fetch-site': 'cross-site' }), RULES)).toBe(
    'refused: a web page on another site (Sec-Fetch-Site cross-site) may not write here; --allow-origin names those that may',
  );
});

it('an origin is shown in 100 characters of ASCII, and nothing that a format would read', () => {
  const fault = pageFault(head('POST', { origin: `http://${'%s"\'\\é\n'.repeat(100)}` }), RULES);
  expect(fault).toMatch(
    /^refused: a web page on another site \(Origin http:\/\/[?s]{93}\) may not write here; --allow-origin names those that may$/,
  );
});

describe('a monitor that calls itself Mozilla and shows no other mark of a browser', () => {
  const agent = { 'user-agent': 'Mozilla/5.0 (compatible; Pingdom.com_bot_version_1.4; http://www.pingdom.com/)', accept: '*/*' };
  const asks = (method: string, path: string, headers: Headers) =>
    pageFault({ ...head(method, headers, 'orders.example:20000'), path }, RULES);

  it.each(['/health', '/health/orders', '/livez', '/readyz'])('asks for health by any name: %s', (path) => {
    expect(asks('GET', path, agent)).toBeUndefined();
    expect(asks('HEAD', path, agent)).toBeUndefined();
  });

  it.each<readonly [method: string, path: string, more: Headers]>([
    ['POST', '/health/orders', {}],
    ['GET', '/healthy', {}],
    ['GET', '/nacos/v1/ns/instance/list', {}],
    ['GET', '/health', { 'accept-language': 'en' }],
    ['GET', '/health', { 'sec-fetch-site': 'none' }],
    ['GET', '/health', { origin: 'http://orders.example:20000' }],
    ['GET', '/health', { referer: 'http://orders.example:20000/' }],
    ['GET', '/health', { cookie: 'a=b' }],
    ['GET', '/health', { upgrade: 'websocket' }],
  ])('asks for nothing else, and no browser does: %s %s with %j', (method, path, more) => {
    expect(asks(method, path, { ...agent, ...more })).toBe('this name is not one of mine; add --allow-host NAME');
  });
});
