import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/nacos/errors.ts';
import { readClusterSettings } from '../../../src/nacos/http/checkers.ts';
import { Params } from '../../../src/nacos/http/params.ts';

const given = { checkPort: '81', useInstancePort4Check: 'false', healthChecker: '{"type":"TCP"}' };
const http = { type: 'http', path: '', headers: '', expectedResponseCode: 200, tls: false, verify: true };
const read = (checker: object) => readClusterSettings(Params.of({ ...given, healthChecker: JSON.stringify(checker) })).check;

/** The text with which the request is refused. */
function refusal(params: Readonly<Record<string, string>>): string | undefined {
  try {
    readClusterSettings(Params.of({ ...given, ...params }));
  } catch (error) {
    if (error instanceof RequestError && error.reason !== 'missing-param') expect(error.reason).toBe('invalid');
    if (error instanceof RequestError) return error.message;
    throw error;
  }
  return undefined;
}

describe('the settings of a cluster', () => {
  it('have where to check, how, and metadata', () => {
    expect(readClusterSettings(Params.of({ ...given, metadata: 'a=b' }))).toEqual({
      checkPort: 81,
      useInstancePort: false,
      check: { type: 'tcp' },
      metadata: { a: 'b' },
    });
  });

  it.each([
    [{ checkPort: '' }, "Param 'checkPort' is required."],
    [{ healthChecker: '' }, "Param 'healthChecker' is required."],
    [{ useInstancePort4Check: '' }, "Param 'useInstancePort4Check' is required."],
    [{ checkPort: '65536' }, 'checkPort must be 0..65535, got 65536'],
    [{ checkPort: '-1' }, 'checkPort must be 0..65535, got -1'],
    [{ checkPort: '0x50' }, 'checkPort must be 0..65535, got 0x50'],
    [{ checkPort: '0' }, 'checkPort must be 1..65535 where useInstancePort4Check is false, got 0'],
    [{ healthChecker: '[]' }, 'healthChecker must be a JSON object, got []'],
  ])('with %j are refused', (params, message) => {
    expect(refusal(params)).toBe(message);
  });

  it.each([{ useInstancePort4Check: 'true' }, { healthChecker: '{"type":"NONE"}' }, { healthChecker: '{"type":"MYSQL"}' }])(
    'may have the check port 0 with %j, where it is not used',
    (params) => {
      expect(readClusterSettings(Params.of({ ...given, ...params, checkPort: '0' })).checkPort).toBe(0);
    },
  );
});

describe('a checker', () => {
  it.each([
    [{ type: 'tcp' }, { type: 'tcp' }],
    [{ type: 'NONE' }, { type: 'none' }],
    [{ type: 'HTTP' }, http],
    [{ type: 'HTTP', path: null, headers: null, expectedResponseCode: null }, http],
    [
      { type: 'http', path: '/', headers: 'a:b' },
      { ...http, path: '/', headers: 'a:b' },
    ],
    [
      { type: 'HTTP', path: '/up?q=%E4&x=//y', expectedResponseCode: '204' },
      { ...http, path: '/up?q=%E4&x=//y', expectedResponseCode: 204 },
    ],
    [
      { type: 'HTTP', headers: 'X-A:b c|Accept:a/b;q=1|x:' },
      { ...http, headers: 'X-A:b c|Accept:a/b;q=1|x:' },
    ],
    [
      { type: 'HTTP', headers: '| X-A : b|' },
      { ...http, headers: '| X-A : b|' },
    ],
    [
      { type: 'HTTP', tls: true },
      { ...http, tls: true },
    ],
    [
      { type: 'HTTP', tls: 'true', verify: 'false' },
      { ...http, tls: true, verify: false },
    ],
    [{ type: 'HTTPS' }, { ...http, tls: true }],
    [
      { type: 'HTTPS', tls: true, verify: false },
      { ...http, tls: true, verify: false },
    ],
    [
      { type: 'HTTP', path: `/${'x'.repeat(1_023)}` },
      { ...http, path: `/${'x'.repeat(1_023)}` },
    ],
    [{ type: 'MYSQL' }, { type: 'mysql', user: '', password: '', command: '' }],
    [
      { type: 'MYSQL', user: 'u', pwd: 'p', cmd: 'select 1\n  from\tdual' },
      { type: 'mysql', user: 'u', password: 'p', command: 'select 1\n  from\tdual' },
    ],
    [{ type: 'GRPC' }, { type: 'grpc', service: '', tls: false, verify: true }],
    [
      { type: 'grpc', service: 'a.B', tls: true, verify: false },
      { type: 'grpc', service: 'a.B', tls: true, verify: false },
    ],
    // What is left of another type in a console's form.
    [{ type: 'TCP', path: 'x', tls: 7 }, { type: 'tcp' }],
  ])('%j is read', (checker, check) => {
    expect(read(checker)).toEqual(check);
  });

  const TYPES = 'the type of healthChecker must be TCP, HTTP, HTTPS, MYSQL, GRPC, NONE, got';
  const PATH = 'path must begin with one slash, got';
  const HEADERS = 'headers must be NAME:VALUE|NAME:VALUE without a colon in a value, got';
  it.each([
    [{}, `${TYPES} ""`],
    [{ type: 'HTPP' }, `${TYPES} "HTPP"`],
    [{ type: 'toString' }, `${TYPES} "toString"`],
    [{ type: 'x'.repeat(1_000) }, `${TYPES} "${'x'.repeat(200)}…"`],
    [{ type: [] }, 'type must be a scalar, got []'],
    [{ type: 'HTTP', path: 'up' }, `${PATH} "up"`],
    [{ type: 'HTTP', path: '//evil.example' }, `${PATH} "//evil.example"`],
    [{ type: 'HTTPS', path: 'http://evil.example/' }, `${PATH} "http://evil.example/"`],
    [{ type: 'HTTP', path: '/\r\nX: y' }, 'path of healthChecker must not have control characters'],
    [{ type: 'HTTP', path: `/${'x'.repeat(1_024)}` }, 'path of healthChecker must have at most 1024 characters, got 1025'],
    [{ type: 'HTTP', headers: 'a' }, `${HEADERS} "a"`],
    [{ type: 'HTTP', headers: 'a:b|:c' }, `${HEADERS} ":c"`],
    [{ type: 'HTTP', headers: 'a b:c' }, `${HEADERS} "a b:c"`],
    [{ type: 'HTTP', headers: ' host :c' }, 'headers must not set host'],
    [{ type: 'HTTP', headers: 'X-Urn:urn:a' }, `${HEADERS} "X-Urn:urn:a"`],
    [{ type: 'HTTP', headers: 'a:中' }, `${HEADERS} "a:中"`],
    [{ type: 'HTTP', headers: 'a:b\r\nHost: x' }, 'headers of healthChecker must not have control characters'],
    [{ type: 'HTTP', headers: `a:${'b'.repeat(4_095)}` }, 'headers of healthChecker must have at most 4096 characters, got 4097'],
    [{ type: 'HTTP', expectedResponseCode: 199 }, 'expectedResponseCode must be 200..599, got 199'],
    [{ type: 'HTTP', expectedResponseCode: 600 }, 'expectedResponseCode must be 200..599, got 600'],
    [{ type: 'HTTP', expectedResponseCode: '200.5' }, 'expectedResponseCode must be 200..599, got 200.5'],
    [{ type: 'HTTP', tls: 'yes' }, 'tls of healthChecker must be true or false, got yes'],
    [{ type: 'HTTPS', tls: false }, 'tls must not be false where the type of healthChecker is HTTPS'],
    [{ type: 'GRPC', verify: 1 }, 'verify of healthChecker must be true or false, got 1'],
    [{ type: 'GRPC', service: 'a\u0000' }, 'service of healthChecker must not have control characters'],
    [{ type: 'GRPC', service: 'x'.repeat(1_025) }, 'service of healthChecker must have at most 1024 characters, got 1025'],
    [{ type: 'MYSQL', user: 'x'.repeat(257) }, 'user of healthChecker must have at most 256 characters, got 257'],
    [{ type: 'MYSQL', cmd: 'x'.repeat(4_097) }, 'cmd of healthChecker must have at most 4096 characters, got 4097'],
    [{ type: 'MYSQL', cmd: 'a\u0000' }, 'cmd of healthChecker must not have control characters'],
    // Nothing of a password comes back.
    [{ type: 'MYSQL', pwd: 'secret\u0007' }, 'pwd of healthChecker must not have control characters'],
    [{ type: 'MYSQL', pwd: ['secret'] }, 'pwd of healthChecker must be a text'],
  ])('%j is refused', (checker, message) => {
    expect(refusal({ healthChecker: JSON.stringify(checker) })).toBe(message);
  });

  it.each([
    'host',
    'Authorization',
    'proxy-authorization',
    'Proxy-X',
    'cookie',
    'Cookie2',
    'trailers',
    'http2-settings',
    'connection',
    'keep-alive',
    'TE',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'content-length',
    'expect',
  ])('may not set the header %s', (name) => {
    const healthChecker = JSON.stringify({ type: 'HTTP', headers: `a:b|${name}:x` });
    expect(refusal({ healthChecker })).toBe(`headers must not set ${name}`);
    expect(refusal({ healthChecker: healthChecker.replace(name, `X-${name}`) })).toBeUndefined();
  });
});
