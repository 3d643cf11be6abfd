import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { Http2Room } from '../support/http2-room.ts';
import { startServer } from '../support/server.ts';
import { portOf } from './program.ts';

/**
 * Every case of h2spec on the engine in `src/wire/http2/`, and on the ports that it serves, on answers with a body so that none is skipped.
 * A connection that is closed passes any case of an error, whatever was said: the codes are in `test/wire/http2/states.test.ts`. What is
 * no preface (3.5/2) is answered in HTTP/1.1 on a port that speaks that too, and closed.
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
    await expect.poll(() => room.engine.connections).toBe(0);
  });

  it.each([
    ['by the lane, in cleartext', '/health', false],
    ['by the lane, over TLS', '/health', true],
    ['in the usual way, in cleartext', '/livez', false],
    ['in the usual way, over TLS', '/livez', true],
  ])('passes in full on the ports of beatbridge, answered %s', async (_, path, isSecure) => {
    await using server = await startServer({ tls: { port: 0, ...TLS_IDENTITY } });
    const { health, tls = '' } = server.listeners;
    await passes(Number(portOf(isSecure ? tls : health)), path, isSecure);
  });
});

async function passes(port: number, path: string, isSecure: boolean): Promise<void> {
  const tls = isSecure ? ['--tls', '--insecure'] : [];
  const args = ['--port', `${port}`, '--path', path, '--strict', '--timeout', '10', ...tls];
  // It ends with another code than 0 when a case fails; what it says is worth more.
  const { stdout } = await run(h2spec ?? '', args).catch((error: { stdout: string }) => error);
  const failures = stdout.slice(Math.max(stdout.indexOf('Failures:'), 0));
  expect(failures, failures).toContain(`${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`);
}
