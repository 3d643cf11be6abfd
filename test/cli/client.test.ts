import { describe, expect, it } from 'vitest';
import { durationMs, inWords } from '../../src/cli/client/duration.ts';
import { UsageError } from '../../src/cli/client/failures.ts';
import { type Files, readTokenFile } from '../../src/cli/client/files.ts';
import { statusIn } from '../../src/cli/client/health-calls.ts';
import { fitted, tableLines } from '../../src/cli/client/table.ts';
import { type ConnectionFlags, targetOf, whereOf } from '../../src/cli/client/target.ts';
import { cut, widthOf } from '../../src/cli/client/terminal.ts';
import { shown } from '../../src/wire/shown.ts';

describe('a time', () => {
  it.each([
    ['1s', 1_000],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['100us', 1],
    ['.5s', 500],
    ['+5s', 5_000],
    ['48h', 172_800_000],
    // As long as can be waited.
    ['1000h', 2_147_483_647],
  ])('is read as Go writes it: %s', (text, ms) => expect(durationMs(text)).toBe(ms));

  it.each(['', '5', '0s', '-1s', '1s ', '1 s', '1d', '10000000h', '++1s', '+', 'NaNs', 's'])('is none: %j', (text) =>
    expect(durationMs(text)).toBeUndefined(),
  );

  it.each([
    [0, '0s'],
    [499, '0s'],
    [59_400, '59s'],
    [3_600_000, '1h'],
    [3_725_000, '1h 2m'],
    [100_000_000, '1d 3h'],
  ])('is told in two units: %d', (ms, text) => expect(inWords(ms)).toBe(text));
});

describe('an address', () => {
  it.each([
    ['10.0.0.1:80', { where: { host: '10.0.0.1', port: 80 }, isTls: false }],
    ['registry', { where: { host: 'registry', port: 8848 }, isTls: false }],
    [':5000', { where: { host: 'localhost', port: 5000 }, isTls: false }],
    ['[::1]:80', { where: { host: '::1', port: 80 }, isTls: false }],
    ['::1', { where: { host: '::1', port: 8848 }, isTls: false }],
    ['http://a:1/', { where: { host: 'a', port: 1 }, isTls: false }],
    ['https://a:1', { where: { host: 'a', port: 1 }, isTls: true }],
    ['dns:///a:1', { where: { host: 'a', port: 1 }, isTls: false }],
    ['unix:///run/a.sock', { where: { path: '/run/a.sock' }, isTls: false }],
    ['unix:a.sock', { where: { path: 'a.sock' }, isTls: false }],
  ])('is read: %s', (text, where) => expect(whereOf(text)).toEqual(where));

  it.each(['', 'a:0', 'a:65536', 'a:b', 'a:1:2', 'http://a/path', 'ftp://a:1', 'u@a:1', '[a]:1', 'unix:', ':'])(
    'is none: %j',
    (text) => expect(whereOf(text)).toBeUndefined(),
  );
});

const files = (texts: Readonly<Record<string, string>>): Files => ({
  read(flag, path, faults) {
    if (texts[path] === undefined) faults.push(`${flag} cannot be read: no such file`);
    return texts[path];
  },
});
const TIMES = { connectTimeout: '1s', rpcTimeout: '1s' };
const target = (flags: Partial<ConnectionFlags>, env = {}, texts = {}) =>
  targetOf({ ...TIMES, ...flags }, env, files(texts), 'test');
const faultsOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error instanceof UsageError ? error.faults : error;
  }
  return [];
};

describe('the server that is asked', () => {
  it('is the one of the flag, else of the environment, else the one of this machine', () => {
    expect(target({ addr: 'a:1' }, { BEATBRIDGE_ADDR: 'b:1' }).addr).toBe('a:1');
    expect(target({}, { BEATBRIDGE_ADDR: 'b:1' }).addr).toBe('b:1');
    expect(target({}, { BEATBRIDGE_ADDR: '' }).addr).toBe('127.0.0.1:8848');
  });

  it('is told who asks: by a token, or by a name with a password', () => {
    const texts = { token: 'bb_secret\n', login: 'ann:a: b\r\n' };
    expect(target({ tokenFile: 'token' }, {}, texts).authorization).toBe('Bearer bb_secret');
    expect(target({}, { BEATBRIDGE_TOKEN_FILE: 'login' }, texts).authorization).toBe(
      `Basic ${Buffer.from('ann:a: b').toString('base64')}`,
    );
  });

  it.each(['', '\n', 'two\nlines\n', 'a\u0000b', 'a token', 'bücher'])(
    'is told by no other file, and it is not shown: %j',
    (text) => {
      const faults: string[] = [];
      expect(readTokenFile(files({ secret: text }), '--token-file', 'secret', faults)).toBeUndefined();
      expect(faults).toEqual(['--token-file must hold one line, a token or USER:PASSWORD: secret']);
    },
  );

  it('is refused with all that is wrong at once', () => {
    const flags = { addr: 'a:b', tlsCaCert: 'x', tlsClientKey: 'y', connectTimeout: '5', tokenFile: 'nowhere' };
    expect(faultsOf(() => target(flags))).toEqual([
      '--addr must be HOST:PORT, https://HOST:PORT or unix:PATH, got "a:b"',
      '--tls-ca-cert needs --tls',
      '--tls-client-key needs --tls',
      '--tls-client-key needs --tls-client-cert',
      '--connect-timeout must be a time above zero such as 500ms, 1s or 1m30s, got "5"',
      '--token-file cannot be read: no such file',
    ]);
    expect(faultsOf(() => target({ tls: true, tlsNoVerify: true, tlsCaCert: 'x', tlsServerName: 'y' }, {}, { x: '' }))).toEqual([
      '--tls-ca-cert and --tls-no-verify exclude each other: it would not be used',
      '--tls-server-name and --tls-no-verify exclude each other: it would not be used',
    ]);
  });
});

describe('what a terminal shows', () => {
  it('obeys nothing that came from a server', () => {
    expect(shown('a\u001b[31mb\rc\u009bd\u202ee\ud800')).toBe('a\\u001b[31mb\\u000dc\\u009bd\\u202ee\\ud800');
    expect(shown('订单服务 é 😀')).toBe('订单服务 é 😀');
  });

  it.each([
    ['orders', 6],
    ['订单服务', 8],
    ['e\u0301', 1],
    ['😀', 2],
    ['ｶﾅ', 2],
    ['한국', 4],
  ])('is as wide as it looks: %s', (text, width) => expect(widthOf(text)).toBe(width));

  it('is cut where it is too wide, never through the middle of a character', () => {
    expect(cut('orders', 6)).toBe('orders');
    expect(cut('orders', 4)).toBe('ord…');
    expect(cut('订单服务', 6)).toBe('订单…');
    expect(cut('订单服务', 0)).toBe('');
  });
});

describe('a table', () => {
  const columns = [{ name: 'NAME' }, { name: 'COUNT', isNumber: true as const }];

  it('has names on the left and numbers on the right, whatever script they are in', () => {
    const rows = [
      ['orders', '7'],
      ['订单', '1234'],
    ];
    expect([...tableLines(columns, rows, { width: undefined, hasColours: false })]).toEqual([
      'NAME    COUNT',
      'orders      7',
      '订单     1234',
    ]);
  });

  it('is no wider than the terminal: the widest gives first', () => {
    const rows = [['a-rather-long-name-of-a-service', '7']];
    const lines = [...tableLines(columns, rows, { width: 20, hasColours: false })];
    expect(lines).toEqual(['NAME           COUNT', 'a-rather-lon…      7']);
    expect(lines.every((line) => widthOf(line) <= 20)).toBe(true);
    expect(fitted([30, 30, 5], 40)).toEqual([15, 15, 5]);
    expect(fitted([30, 30, 5], 3)).toEqual([8, 8, 5]);
  });

  it('colours a cell without counting that as width', () => {
    const rows = [[{ text: 'up', colour: 'green' as const }, '7']];
    const [, line] = tableLines(columns, rows, { width: 80, hasColours: true });
    expect(line).toBe('\u001b[32mup\u001b[39m        7');
  });
});

describe('an answer of Check', () => {
  it.each([
    [[], 'UNKNOWN'],
    [[8, 1], 'SERVING'],
    [[8, 2], 'NOT_SERVING'],
    [[8, 3], 'SERVICE_UNKNOWN'],
    [[8, 99], 'UNKNOWN'],
    [[8, 2, 8, 1], 'SERVING'],
    [[18, 2, 8, 2, 8, 1], 'SERVING'],
    [[25, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1], 'SERVING'],
  ])('is read: %j', (bytes, status) => expect(statusIn(Buffer.from(bytes))).toBe(status));

  it.each([[[8]], [[18, 5, 1]], [[11]], [[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]]])('is none: %j', (bytes) =>
    expect(() => statusIn(Buffer.from(bytes))).toThrow('no HealthCheckResponse'),
  );
});
