import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, it } from 'vitest';

/**
 * Every case of Connect's conformance suite that is about a server: all three protocols over HTTP/1.1 and HTTP/2, in cleartext and over
 * TLS, in both formats, with each compression, calls that are cancelled and messages that are too large. What is served is the suite's own
 * service, behind our ports and handlers; the runner asks as connect-go and as grpc-go.
 */

/** Undefined where there is no Go: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run. */
const { path: folder } = inject('tools').connectConformance;

const HERE = join(import.meta.dirname, 'clients/connect-conformance');
const run = promisify(execFile);

/** Where it differs on purpose: each with its reason in the file. */
const KNOWN = ['--known-failing', `@${join(HERE, 'known-failing.txt')}`];

/** How many cases there are at least. */
const SUITES: readonly (readonly [string, number, readonly string[]])[] = [
  ['all suites for servers', 1_000, KNOWN],
  ['calls that their callers break off', 100, ['--test-file', join(folder ?? '', 'cancellation.yaml')]],
];

it.skipIf(folder === undefined).each(SUITES)("Connect's conformance: %s", async (_, least, options) => {
  const server = [process.execPath, join(HERE, 'server.js'), join(folder ?? '', 'service.binpb')];
  const args = ['--mode', 'server', '--conf', join(HERE, 'config.yaml'), ...options, '--', ...server];
  // It ends with another code than 0 when a case fails; what it says is worth more.
  const { stdout } = await run(join(folder ?? '', 'connectconformance'), args, { maxBuffer: 1 << 26 }).catch(
    (error: { stdout: string }) => error,
  );
  const [, total, passed = 0, failed] = /Total cases: (\d+)\n(\d+) passed, (\d+) failed/.exec(stdout)?.map(Number) ?? [];
  expect(failed, stdout.slice(-20_000)).toBe(0);
  expect(passed).toBeGreaterThan(least);
  expect(total).toBeGreaterThanOrEqual(passed);
});
