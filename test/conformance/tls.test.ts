import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { CLI, FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { Driver } from './driver.ts';
import { at, IP, present } from './estate.ts';
import { NACOS_2_CLIENTS } from './nacos-clients.ts';
import { Folder, Program } from './program.ts';

/**
 * TLS as others speak it: with certificates of their own, with none, and in ways that are refused. Whoever is not installed is skipped,
 * and named by `tools.ts`; with INTEROP=all that fails the run.
 */

const tools = inject('tools');
const authority = new Authority();

/** All files that a client may want, and a bridge with them. For `await using`. */
class Estate implements AsyncDisposable {
  readonly #folder: Folder;
  readonly bridge: Process;

  private constructor(folder: Folder, bridge: Process) {
    this.#folder = folder;
    this.bridge = bridge;
  }

  static async open(...args: readonly string[]): Promise<Estate> {
    const folder = new Folder();
    const client = authority.issue({ commonName: 'orders', names: ['URI:spiffe://td/orders'] });
    const stranger = new Authority('another authority').issue({ commonName: 'orders' });
    const server = authority.issueForServer();
    const files = {
      'ca.pem': authority.cert,
      'server.pem': server.cert,
      'server.key': server.key,
      'client.pem': client.cert,
      'client.key': client.key,
      'stranger.pem': stranger.cert,
      'stranger.key': stranger.key,
    };
    for (const [name, text] of Object.entries(files)) folder.write(name, text);
    const at = (name: string) => join(folder.path, name);
    const identity = ['--tls-cert', at('server.pem'), '--tls-key', at('server.key'), '--tls-client-ca', at('ca.pem')];
    return new Estate(folder, await startProcess([...FREE_PORTS, '--probes', 'false', ...identity, ...args]));
  }

  at(name: string): string {
    return join(this.#folder.path, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

const REQUIRED = ['--tls-only', 'nacos', '--tls-require-client-cert', 'true'];

/** Runs a program to its end: what it has said, and how it ended. */
async function ran(path: string | undefined, args: readonly string[], input = '') {
  const child = spawn(path ?? '', args, { stdio: 'pipe' });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  // It may have ended by now, without a look at it.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, text };
}

describe.skipIf(tools.curl.path === undefined)('curl', () => {
  const curl = (estate: Estate, url: string, ...args: readonly string[]) =>
    ran(tools.curl.path, [
      '-sS',
      '-m',
      '10',
      '-w',
      ' %{http_version} %{ssl_verify_result}',
      '--cacert',
      estate.at('ca.pem'),
      ...args,
      url,
    ]);
  const mine = (estate: Estate, name: string) => ['--cert', estate.at(`${name}.pem`), '--key', estate.at(`${name}.key`)];

  it.each([
    ['--http1.1', '1.1'],
    ['--http2', '2'],
    ['--no-alpn', '1.1'],
    ['--tls-max=1.2', '2'],
  ])('with %s and its certificate asks every port, with none only where none is required', async (how, version) => {
    await using estate = await Estate.open(...REQUIRED);
    const { main, grpc, health } = estate.bridge.listeners;
    const args = how.split('=');
    for (const address of [main, grpc, health]) {
      const url = `https://${address}/health`;
      const served = { code: 0, text: expect.stringMatching(new RegExp(`"status": ?"SERVING".* ${version} 0$`, 's')) };
      expect(await curl(estate, url, ...args, ...mine(estate, 'client'))).toEqual(served);
      const others = [await curl(estate, url, ...args), await curl(estate, url, ...args, ...mine(estate, 'stranger'))];
      if (address === health) expect(others).toEqual([served, served]);
      else expect(others.map(({ code }) => code !== 0)).toEqual([true, true]);
    }
  });

  it('is told in clear that only TLS is spoken', async () => {
    await using estate = await Estate.open('--tls-only', 'all');
    for (const address of Object.values(estate.bridge.listeners)) {
      const { text } = await ran(tools.curl.path, ['-sS', '-m', '10', '-i', `http://${address}/health`]);
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*use https\n$/);
      expect(
        (await ran(tools.curl.path, ['-sS', '-m', '10', '--http2-prior-knowledge', `http://${address}/health`])).code,
      ).not.toBe(0);
    }
  });
});

it.skipIf(tools.grpcurl.path === undefined)('grpcurl asks with its certificate, and not without', async () => {
  await using estate = await Estate.open(...REQUIRED);
  const grpcurl = (...args: readonly string[]) => {
    const call = [estate.bridge.listeners.grpc, 'grpc.health.v1.Health/Check'];
    return ran(tools.grpcurl.path, ['-max-time', '10', '-cacert', estate.at('ca.pem'), ...args, ...call]);
  };
  const mine = ['-cert', estate.at('client.pem'), '-key', estate.at('client.key')];
  expect(await grpcurl(...mine)).toMatchObject({ code: 0, text: expect.stringContaining('"SERVING"') });
  expect((await grpcurl()).code).not.toBe(0);
});

const PROBES: readonly (readonly [name: string, path: string | undefined, command: readonly string[]])[] = [
  ['grpc_health_probe', tools.grpcHealthProbe.path, []],
  ['beatbridge check', process.execPath, [CLI, 'check']],
];

describe.each(PROBES)('%s', (_, path, command) => {
  it.skipIf(path === undefined)('asks over TLS, with a certificate where one is required', async () => {
    await using estate = await Estate.open(...REQUIRED);
    const asked = ['-tls', '-tls-ca-cert', estate.at('ca.pem'), '-connect-timeout', '5s'];
    const probe = (address: string, ...args: readonly string[]) => ran(path, [...command, '-addr', address, ...asked, ...args]);
    const mine = ['-tls-client-cert', estate.at('client.pem'), '-tls-client-key', estate.at('client.key')];
    const { main, health } = estate.bridge.listeners;
    const codes = [await probe(main, ...mine), await probe(main), await probe(health, ...mine), await probe(health)].map(
      ({ code }) => code,
    );
    // 2: no connection.
    expect(codes).toEqual([0, 2, 0, 0]);
  });
});

describe.skipIf(tools.openssl.path === undefined)('openssl s_client', () => {
  const client = (address: string, input: string, ...args: readonly string[]) =>
    ran(tools.openssl.path, ['s_client', '-connect', address, '-servername', 'localhost', ...args], input);

  it('finds no protocol that it knows, and no version or suite that is too old', async () => {
    await using estate = await Estate.open('--tls-ciphers', 'ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384');
    const { main } = estate.bridge.listeners;
    expect((await client(main, 'Q\n', '-alpn', 'h3')).text).toContain('alert no application protocol');
    expect((await client(main, 'Q\n', '-alpn', 'h3,http/1.1')).text).toContain('ALPN protocol: http/1.1');
    expect((await client(main, 'Q\n', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0')).text).toMatch(/alert protocol version/);
    expect((await client(main, 'Q\n', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256')).text).toMatch(
      /alert handshake failure/,
    );
    expect((await client(main, 'Q\n', '-tls1_2')).text).toMatch(/Cipher is ECDHE-ECDSA-AES256-GCM-SHA384/);
    expect((await client(main, 'Q\n', '-ciphersuites', 'TLS_AES_128_GCM_SHA256', '-tls1_3')).text).toMatch(
      /alert handshake failure/,
    );
  });

  it('is asked for a certificate, and renegotiates nothing', async () => {
    await using estate = await Estate.open();
    const { main } = estate.bridge.listeners;
    const { text } = await client(main, 'R\n', '-tls1_2');
    expect(text).toContain('CN = an authority of the tests');
    expect(text).toMatch(/no renegotiation/);
  });
});

function ofFlags(command: readonly string[], file: (name: string) => string, withCertificate: boolean): readonly string[] {
  const mine = ['--cert', file('client.pem'), '--key', file('client.key')];
  return [...command, '--ca', file('ca.pem'), ...(withCertificate ? mine : [])];
}

/**
 * How each is told to speak TLS, with a certificate of its own or without: over gRPC, and over HTTP. A path alone is to Java a resource of
 * its class path, but for whom to trust.
 */
const NACOS: Readonly<
  Record<string, (command: readonly string[], file: (name: string) => string, withCertificate: boolean) => readonly string[]>
> = {
  'java-2.5.1': ([java = '', ...rest], file, withCertificate) => {
    const rpc = '-Dnacos.remote.client.rpc.tls';
    const mine = [
      `${rpc}.mutualAuth=true`,
      `${rpc}.certChainFile=file:${file('client.pem')}`,
      `${rpc}.certPrivateKey=file:${file('client.key')}`,
    ];
    const trust = [`${rpc}.enable=true`, `${rpc}.trustCollectionChainPath=${file('ca.pem')}`];
    const http = ['-Dtls.enable=true', '-Dtls.client.authServer=true', `-Dtls.client.trustCertPath=${file('ca.pem')}`];
    return [java, ...trust, ...http, ...(withCertificate ? mine : []), ...rest];
  },
  'go-2.3.5': ofFlags,
  'python-3.2.0': ofFlags,
};

/** This one opens all three files, or does not start. */
const NEVER_WITHOUT = ['python-3.2.0'];

describe.each(Object.entries(NACOS))('Nacos %s', (name, how) => {
  const { command = [] } = NACOS_2_CLIENTS[name] ?? {};
  const started = (estate: Estate, withCertificate: boolean) => {
    const { main, grpc } = estate.bridge.listeners;
    const port = grpc.slice(grpc.lastIndexOf(':') + 1);
    return [how(command, (file) => estate.at(file), withCertificate), main, '--grpc-port', port] as const;
  };
  const registers = async (client: Driver) => {
    await client.call('register', { service: 'secret', ip: IP, port: 8080 });
    await client.call('subscribe', { service: 'secret' });
    await client.told('secret', (instances) => present(at(instances, 8080)));
  };

  it.skipIf(command.length === 0)('registers, is pushed to and edits over TLS alone, HTTP included', async () => {
    await using estate = await Estate.open('--tls-only', 'nacos');
    await using client = await Driver.start(...started(estate, NEVER_WITHOUT.includes(name)));
    await registers(client);
    await client.call('update', { service: 'secret', ip: IP, port: 8080, weight: 7 });
    await client.told('secret', (instances) => at(instances, 8080)?.weight === 7);
  });

  it.skipIf(command.length === 0)('registers with a certificate where one is required, and is not served without', async () => {
    await using estate = await Estate.open(...REQUIRED);
    await using client = await Driver.start(...started(estate, true));
    await registers(client);
    if (NEVER_WITHOUT.includes(name)) return;
    const [[path, ...args], main, ...rest] = started(estate, false);
    using folder = new Folder();
    await using other = new Program(path, [...args, '--server', main, '--tmp', folder.path, ...rest]);
    // It tries again and again, and is never ready.
    const failed = async () => {
      const ready = await fetch(`http://${estate.bridge.listeners.health}/readyz?verbose`);
      return Number(/(\d+) handshakes failed/.exec(await ready.text())?.[1]);
    };
    await expect.poll(failed, { timeout: 60_000 }).toBeGreaterThan(2);
    expect(other.lines).toEqual([]);
  });
});
