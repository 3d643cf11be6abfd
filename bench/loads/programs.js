/** Programs that load a server, on the core of those that load. Each says how many requests a second were answered as they should be. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ON_LOAD_CORE } from '../machine.js';
import { tool } from '../toolchain.js';

const run = promisify(execFile);
/** Beyond the time that it is told. */
const ENDS_WITHIN_MS = 30_000;

const FILES = mkdtempSync(join(tmpdir(), 'beatbridge-bench-load-'));
process.on('exit', () => rmSync(FILES, { recursive: true, force: true }));

/** The cipher that servers in Go choose, so that everybody has the same to do. */
const CIPHER = '--tls13-ciphers=TLS_AES_128_GCM_SHA256';

/** Calls of gRPC over connections that stay open, so many at once on each. */
export async function h2load({ port, isSecure = false, path, message, connections, streams, seconds }) {
  const file = join(FILES, 'message');
  writeFileSync(file, message);
  const many = ['-t', '1', '-c', connections, '-m', streams, '-D', seconds];
  const what = ['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-d', file];
  const url = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}${path}`;
  const said = await load(await tool('h2load'), [CIPHER, ...many, ...what, url], seconds);
  const [, perSecond] = /finished in [^,]+, ([\d.]+) req\/s/.exec(said) ?? [];
  const [, done, failed, errored] = /(\d+) succeeded, (\d+) failed, (\d+) errored/.exec(said)?.map(Number) ?? [];
  if (failed > 0 || errored > 0) throw new Error(`h2load: ${failed} failed, ${errored} errored beside ${done}`);
  return answered(done, Number(perSecond));
}

/** Checks as clients of Go make them, each with a deadline, and so with another `grpc-timeout`. */
export async function ghz({ port, service, connections, streams, seconds }) {
  const proto = join(import.meta.dirname, '../../proto/grpc/health/v1/health.proto');
  const what = ['--insecure', '--proto', proto, '--call', 'grpc.health.v1.Health.Check', '-d', JSON.stringify({ service })];
  const many = ['--connections', connections, '-c', connections * streams, '-z', `${seconds}s`, '--duration-stop', 'wait'];
  const said = await load(await tool('ghz'), [...what, ...many, '--cpus', 1, '-O', 'json', `127.0.0.1:${port}`], seconds);
  const { count, rps, statusCodeDistribution: statuses } = JSON.parse(said);
  if (statuses.OK !== count) throw new Error(`ghz: ${JSON.stringify(statuses)}`);
  return answered(count, rps);
}

/** Requests of HTTP/1.1, always the same one, or those of a script. */
export async function wrk({ port, path = '/', script, args = [], headers = [], connections, seconds }) {
  const named = script === undefined ? [] : ['-s', join(import.meta.dirname, script)];
  const said = headers.flatMap((header) => ['-H', header]);
  // A machine that is too busy to answer in time shows in the figures.
  const many = ['-t', '1', '-c', connections, '-d', `${seconds}s`, '--timeout', '30s'];
  const url = `http://127.0.0.1:${port}${path}`;
  const text = await load(await tool('wrk'), [...many, ...named, ...said, url, '--', ...args], seconds);
  const [, wrong] = /Non-2xx or 3xx responses: (\d+)/.exec(text) ?? [];
  if (wrong !== undefined) throw new Error(`wrk: ${wrong} answers are not 2xx`);
  const [, faults] = /Socket errors: (.*)/.exec(text) ?? [];
  if (faults !== undefined) throw new Error(`wrk: ${faults}`);
  const [, done, time] = /(\d+) requests in ([\d.]+)s/.exec(text) ?? [];
  return answered(Number(done), Number(done) / Number(time));
}

/** A machine may be too busy for even one answer. What that would cost is no figure. */
function answered(done, perSecond) {
  if (!(done > 0)) throw new Error('nothing was answered in time');
  return { done, perSecond };
}

async function load(program, args, seconds) {
  const [first, ...rest] = [...ON_LOAD_CORE, program, ...args.map(String)];
  const { stdout } = await run(first, rest, {
    timeout: seconds * 1_000 + ENDS_WITHIN_MS,
    killSignal: 'SIGKILL',
    // ghz says when each call was made.
    maxBuffer: 2 ** 30,
  });
  return stdout;
}
