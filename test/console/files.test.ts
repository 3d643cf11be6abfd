import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Files } from '../../src/console/files.ts';
import type { Request, Response } from '../../src/wire/exchange.ts';
import { listen } from '../../src/wire/listener.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { exchange } from '../support/raw.ts';

failOnLeaks();

const outside = mkdtempSync(join(tmpdir(), 'beatbridge-page-'));
afterAll(() => rmSync(outside, { recursive: true }));
const folder = join(outside, 'page');
const PAGE = '<!doctype html>';
const SCRIPT = 'export const page = "page";';
mkdirSync(join(folder, 'assets'), { recursive: true });
writeFileSync(join(outside, 'secret.html'), 'secret');
writeFileSync(join(folder, 'index.html'), PAGE);
writeFileSync(join(folder, 'notes.txt'), 'of no type that is served');
writeFileSync(join(folder, 'assets/index-abc.js'), SCRIPT);
writeFileSync(join(folder, 'assets/index-abc.js.br'), brotliCompressSync(SCRIPT));
writeFileSync(join(folder, 'assets/index-abc.js.gz'), gzipSync(SCRIPT));

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A server of these files alone, at `/`. */
async function serving(files: Files) {
  const serve = (req: Request, res: Response) => files.serve(req, res, decodeURI((req.url ?? '').slice(1)));
  const port = await listen('127.0.0.1', 0, { request: serve }, { limits: LIMITS, scheduler: systemScheduler });
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const req = request(`http://${port.address}${path}`, { method, headers, agent: false }, (res) => {
        const body: Buffer[] = [];
        res.on('data', (chunk) => body.push(chunk));
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(body) }));
      });
      req.on('error', reject).end();
    });
  return { address: port.address, ask, [Symbol.asyncDispose]: () => port.close(AbortSignal.abort()) };
}

const HASHED = '/assets/index-abc.js';

describe('the files of the page', () => {
  it.each([
    ['', undefined],
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.0, identity', undefined],
    ['*', 'br'],
    ['brr, xgzip', undefined],
  ])('come as they were packed, in what is asked for: %j gives %s', async (accepted, coding) => {
    await using it = await serving(new Files(folder));
    const { status, headers, body } = await it.ask(HASHED, accepted === '' ? {} : { 'accept-encoding': accepted });
    expect([status, headers['content-encoding'], headers.vary]).toEqual([200, coding, 'Accept-Encoding']);
    expect(Number(headers['content-length'])).toBe(body.length);
    const unpacked = coding === 'br' ? brotliDecompressSync(body) : coding === 'gzip' ? gunzipSync(body) : body;
    expect(unpacked.toString()).toBe(SCRIPT);
  });

  it('are good for ever where their name has a hash, and the page is asked for again', async () => {
    await using it = await serving(new Files(folder));
    const [script, page] = [await it.ask(HASHED), await it.ask('/')];
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect([page.headers['cache-control'], page.headers['content-type'], page.body.toString()]).toEqual([
      'no-cache',
      'text/html;charset=UTF-8',
      PAGE,
    ]);
  });

  it('are not sent again to whoever has them, in whatever coding', async () => {
    await using it = await serving(new Files(folder));
    for (const coding of ['br', 'identity']) {
      const { headers } = await it.ask(HASHED, { 'accept-encoding': coding });
      for (const known of [`${headers.etag}`, `"other", W/${headers.etag}`, '*']) {
        const again = await it.ask(HASHED, { 'accept-encoding': 'gzip', 'if-none-match': known });
        expect([again.status, again.body.length, again.headers['content-security-policy']]).toEqual([
          304,
          0,
          headers['content-security-policy'],
        ]);
      }
    }
    expect((await it.ask(HASHED, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('say of HEAD what GET would answer', async () => {
    await using it = await serving(new Files(folder));
    const { headers: of, ...get } = await it.ask(HASHED, { 'accept-encoding': 'br' });
    const head = await it.ask(HASHED, { 'accept-encoding': 'br' }, 'HEAD');
    const { date: _, ...headers } = head.headers;
    const { date: __, ...asGet } = of;
    expect([head.status, headers, head.body.length]).toEqual([get.status, asGet, 0]);
  });

  it('may be framed by nobody, run no script but their own, and tell nobody where one comes from', async () => {
    await using it = await serving(new Files(folder));
    const { headers } = await it.ask('/');
    expect(headers['content-security-policy']).toMatch(/^default-src 'self';.* frame-ancestors 'none';/);
    expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
  });

  it.each([
    '/../secret.html',
    '/assets/../../secret.html',
    '/%2e%2e/secret.html',
    '/assets/%2e%2e/%2e%2e/secret.html',
    '/..%5csecret.html',
    '/assets/index-abc.js%00.html',
    '/assets',
    '/assets/',
    '/assets/index-abc.js.br',
    '/notes.txt',
    '/assets/unknown.js',
    '/index.html/',
    '/./index.html',
  ])('are those and no others: not %s', async (path) => {
    await using it = await serving(new Files(folder));
    const heard = await exchange(it.address, [`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`]);
    expect(heard).toMatch(/^HTTP\/1\.1 404 /);
    expect(heard).not.toContain('secret\n');
    expect(heard).toContain('not found');
  });

  it('say what to do where there are none, and are there once they are', async () => {
    const late = join(outside, 'late');
    await using it = await serving(new Files(late));
    const none = await it.ask('/');
    expect([none.status, none.body.toString()]).toEqual([404, 'the console is not built: npm run build\n']);
    mkdirSync(late);
    writeFileSync(join(late, 'index.html'), PAGE);
    expect((await it.ask('/')).body.toString()).toBe(PAGE);
  });
});
