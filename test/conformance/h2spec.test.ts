import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { Http2Room } from '../support/http2-room.ts';
import { startServer } from '../support/server.ts';
import { portOf } from './program.ts';

/**
 * Every case of h2spec on the engine in `src/wire/http2/`, and on the ports that it serves, on answers with a body so that none is skipped.
 * A connection that is closed passes any case of an error, whatever was said: the codes are in `test/wire/http2/states.test.ts`.
 */

/** Undefined where there is no Go: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run. */
const { path: h2spec } = inject('tools').h2spec;

const CASES = 146;
const TLS_IDENTITY = { cert: TLS_CERT, key: TLS_KEY };
const run = promisify(execFile);

describe.skipIf(h2spec === undefined)('h2spec', () => {
  it.each([
    ['from prepared bytes, in cleartext', '/', false],
    ['from prepared bytes, over TLS', '/', true],
    ['by a handler, in cleartext', '/read', false],
    ['by a handler, over TLS', '/read', true],
  ])('passes in full when it is answered %s', async (_, path, isSecure) => {
    await using room = await Http2Room.open({}, undefined, isSecure ? TLS_IDENTITY : undefined);
    await passes(room.port, path, isSecure);
    expect(room.application.bugs).toEqual([]);
    await expect.poll(() => room.engine.connections.length).toBe(0);
  });

  it.each([
    ['over TLS', true],
    // What is no preface (3.5/2) is a request of HTTP/1.1 there: answered with 400, and closed.
    ['in cleartext, but for what is HTTP/1.1', false],
  ])('passes in full on the ports of beatbridge %s', async (_, isSecure) => {
    await using server = await startServer({ tls: { port: 0, ...TLS_IDENTITY } });
    const { main, tls = '' } = server.listeners;
    // It waits for a body where one is to come: others are answered before, which makes no difference between right and wrong.
    await passes(Number(portOf(isSecure ? tls : main)), '/nacos/v1/ns/instance', isSecure, isSecure ? [] : [NO_PREFACE]);
  });
});

const NO_PREFACE = '2: Sends invalid connection preface';

async function passes(port: number, path: string, isSecure: boolean, failing: readonly string[] = []): Promise<void> {
  const tls = isSecure ? ['--tls', '--insecure'] : [];
  const args = ['--port', `${port}`, '--path', path, '--strict', '--timeout', '10', ...tls];
  // It ends with another code than 0 when a case fails; what it says is worth more.
  const { stdout } = await run(h2spec ?? '', args).catch((error: { stdout: string }) => error);
  const failures = stdout.slice(Math.max(stdout.indexOf('Failures:'), 0));
  const passed = CASES - failing.length;
  expect(failures, failures).toContain(`${CASES} tests, ${passed} passed, 0 skipped, ${failing.length} failed`);
  for (const title of failing) expect(failures).toContain(title);
}
