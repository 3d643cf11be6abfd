import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { credentials, Client as GrpcJsClient } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Process } from '../support/process.ts';
import { register } from '../support/server.ts';
import { Driver } from './driver.ts';
import { addressOf, CERTIFICATE, isMissing, python, startBridge } from './http2-clients.ts';
import { Folder } from './program.ts';

/**
 * The name of a cluster where an authority is expected, as Envoy and Istio send it in calls of their own. It is no host, and nothing
 * here depends on one.
 * Node's own HTTP/2 ends each of these with PROTOCOL_ERROR before anybody sees it.
 */
const AUTHORITY = 'outbound|80||orders.ns.svc';

const tools = inject('tools');
const run = promisify(execFile);
const CHECK = '/grpc.health.v1.Health/Check';
const BODY = '{"service":"orders"}';
const ANSWER = '{"status":"SERVING"}';

let bridge: Process;
beforeAll(async () => {
  bridge = await startBridge();
  await register(bridge, 'orders', { ephemeral: 'false' });
});
afterAll(() => bridge[Symbol.asyncDispose]());

describe.each([
  ['in cleartext', false],
  ['over TLS', true],
])(`an :authority that is ${AUTHORITY}, %s`, (_, isSecure) => {
  const url = () => `${isSecure ? 'https' : 'http'}://${addressOf(bridge, isSecure)}${CHECK}`;

  // No toolchain for some: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(isMissing('h2load'))('h2load', async () => {
    using folder = new Folder();
    const what = ['-d', folder.write('body', BODY), '-H', 'content-type: application/json'];
    const { stdout } = await run(tools.h2load.path ?? '', ['-n', '10', '-H', `:authority: ${AUTHORITY}`, ...what, url()]);
    expect(stdout).toContain('10 succeeded');
  });

  it.skipIf(isMissing('curl'))('curl', async () => {
    const how = isSecure ? ['--http2', '--cacert', CERTIFICATE] : ['--http2-prior-knowledge'];
    const headers = ['--header', `Host: ${AUTHORITY}`, '--header', 'Content-Type: application/json'];
    const { stdout } = await run(tools.curl.path ?? '', ['--silent', ...how, ...headers, '--data', BODY, url()]);
    expect(stdout).toBe(ANSWER);
  });

  it.skipIf(isMissing('grpcurl'))('grpcurl', async () => {
    // What is said is what a certificate would have to be for.
    const how = isSecure ? ['-insecure'] : ['-plaintext'];
    const args = [...how, '-authority', AUTHORITY, '-d', BODY, addressOf(bridge, isSecure), CHECK.slice(1)];
    const { stdout } = await run(tools.grpcurl.path ?? '', args);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(ANSWER));
  });

  it.skipIf(isMissing('pythonHttp2'))('h2', async () => {
    const trust = isSecure ? ['--ca', CERTIFICATE] : [];
    await using client = await Driver.start(python('h2', '--authority', AUTHORITY, ...trust) ?? [], addressOf(bridge, isSecure));
    expect(await client.call('check', { service: 'orders' })).toEqual({ code: 0, statuses: [1] });
  });
});

it('grpc-js', async () => {
  const client = new GrpcJsClient(addressOf(bridge, false), credentials.createInsecure(), {
    'grpc.default_authority': AUTHORITY,
  });
  try {
    const same = (bytes: Buffer) => bytes;
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(CHECK, same, same, Buffer.from('0a066f7264657273', 'hex'), (error, bytes) => {
        if (error) reject(error);
        else resolve(bytes?.toString('hex'));
      });
    });
    expect(answer).toBe('0801');
  } finally {
    client.close();
  }
});
