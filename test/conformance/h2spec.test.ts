import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { Http2Room } from '../support/http2-room.ts';

/**
 * Every case of h2spec on the engine in `src/wire/http2/`, on answers with a body so that none is skipped. A connection that is closed
 * passes any case of an error, whatever was said: the codes are in `test/wire/http2/states.test.ts`.
 */

/** Undefined where there is no Go: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run. */
const { path: h2spec } = inject('tools').h2spec;

const CASES = 146;
const TLS = join(import.meta.dirname, '../fixtures/tls');
const run = promisify(execFile);

describe.skipIf(h2spec === undefined)('h2spec', () => {
  it.each([
    ['from prepared bytes, in cleartext', '/', false],
    ['from prepared bytes, over TLS', '/', true],
    ['by a handler, in cleartext', '/read', false],
    ['by a handler, over TLS', '/read', true],
  ])('passes in full when it is answered %s', async (_, path, isSecure) => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(TLS, name)));
    await using room = await Http2Room.open({}, undefined, isSecure ? { cert, key } : undefined);
    const args = [
      '--port',
      `${room.port}`,
      '--path',
      path,
      '--strict',
      '--timeout',
      '10',
      ...(isSecure ? ['--tls', '--insecure'] : []),
    ];
    // It ends with another code than 0 when a case fails; what it says is worth more.
    const { stdout } = await run(h2spec ?? '', args).catch((error: { stdout: string }) => error);
    const failures = stdout.slice(Math.max(stdout.indexOf('Failures:'), 0));
    expect(failures, failures).toContain(`${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`);
    expect(room.application.bugs).toEqual([]);
    await expect.poll(() => room.engine.connections.length).toBe(0);
  });
});
