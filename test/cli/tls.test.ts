import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Authority, type Issued, subjectAt } from '../support/certificates.ts';
import { FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';

const authority = new Authority();
const ca = authority.cert;
const FOUND_WITHIN = { timeout: 20_000, interval: 20 };

/** A secret as Kubernetes mounts it, and swaps it: all of its files in one step. For `using`. */
class Secret implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'beatbridge-secret-'));
  #version = 0;

  constructor(first: Issued) {
    this.swap(first);
    for (const name of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(`..data/${name}`, join(this.folder, name));
  }

  get args(): string[] {
    return ['--tls-cert', join(this.folder, 'tls.crt'), '--tls-key', join(this.folder, 'tls.key')];
  }

  swap({ cert, key }: Issued, clientCa = ca): void {
    const folder = `..${++this.#version}`;
    mkdirSync(join(this.folder, folder));
    const files = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': clientCa };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, folder, name), text);
    symlinkSync(folder, join(this.folder, '..data_tmp'));
    renameSync(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function named(commonName: string): Issued {
  return authority.issueForServer({ commonName });
}

const shows = (bridge: Process, name: string) =>
  expect.poll(() => subjectAt(bridge.listeners.main, ca), FOUND_WITHIN).toBe(`CN=${name}`);

/** Asks for health over TLS until it is stopped, each time on a connection of its own: how often, and what went wrong. */
function callers(address: string, count: number) {
  let isOver = false;
  let answers = 0;
  const failures: unknown[] = [];
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const req = get(`https://${address}/health`, { ca, agent: false }, (res) => {
        res.resume();
        if (res.statusCode !== 200) failures.push(res.statusCode);
        else answers++;
        res.on('close', resolve);
      });
      req.on('error', reject);
    });
  const caller = async () => {
    while (!isOver) await ask().catch((error) => void failures.push(error));
  };
  const all = Promise.all(Array.from({ length: count }, caller));
  return {
    failures,
    answered: () => answers,
    stop: async () => {
      isOver = true;
      await all;
    },
  };
}

/** Likewise on one connection of HTTP/2 that lasts. */
function lastingCaller(address: string) {
  const session = connectHttp2(`https://${address}`, { ca });
  let isOver = false;
  let answers = 0;
  const failures: unknown[] = [];
  session.on('error', (error) => failures.push(error));
  const ask = async () => {
    const stream = session.request({ ':path': '/health' });
    const [headers] = await once(stream, 'response');
    stream.resume();
    await once(stream, 'close');
    if (headers[':status'] !== 200) failures.push(headers[':status']);
    else answers++;
  };
  const caller = async () => {
    while (!isOver) await ask().catch((error) => void failures.push(error));
  };
  const all = caller();
  return {
    failures,
    answered: () => answers,
    stop: async () => {
      isOver = true;
      await all;
      session.destroy();
    },
  };
}

describe('certificates that change while it runs', () => {
  it('are shown soon after, twenty times under load, and no request fails', async () => {
    using secret = new Secret(named('version-0'));
    await using bridge = await startProcess([...FREE_PORTS, ...secret.args]);
    const fresh = callers(bridge.listeners.main, 4);
    const lasting = lastingCaller(bridge.listeners.grpc);
    for (let version = 1; version <= 20; version++) {
      secret.swap(named(`version-${version}`));
      await shows(bridge, `version-${version}`);
    }
    await fresh.stop();
    await lasting.stop();
    expect([fresh.failures, lasting.failures]).toEqual([[], []]);
    expect(Math.min(fresh.answered(), lasting.answered())).toBeGreaterThan(20);
    expect(bridge.log().match(/the certificate of TLS was renewed/g)).toHaveLength(20);
  });

  it('are waited for until they go together, and are told of where they never do, and the old one stays', async () => {
    using secret = new Secret(named('old'));
    const [cert, key] = [join(secret.folder, 'tls.crt'), join(secret.folder, 'tls.key')];
    await using bridge = await startProcess([...FREE_PORTS, ...secret.args]);
    const replace = (path: string, text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    const half = named('half');
    replace(cert, half.cert);
    expect(await subjectAt(bridge.listeners.main, ca)).toBe('CN=old');
    replace(key, half.key);
    await shows(bridge, 'half');
    expect(bridge.log()).not.toContain('cannot be used');

    replace(key, 'no key');
    await expect.poll(() => bridge.log(), FOUND_WITHIN).toContain('the new certificate of TLS cannot be used');
    expect(await subjectAt(bridge.listeners.main, ca)).toBe('CN=half');
    const ready = await fetch(`http://${bridge.listeners.health}/readyz?verbose`);
    expect(await ready.text()).toMatch(
      /\[-\]tls CN=half valid until .* cannot be used: .*tls\.crt and .*tls\.key do not go together/,
    );
    replace(key, half.key);
    await expect.poll(() => bridge.log(), FOUND_WITHIN).toMatch(/cannot be used[\s\S]*was renewed/);
  });

  it('are looked at by SIGHUP where no file system tells of them, which ends nobody', async () => {
    using secret = new Secret(named('first'));
    using linked = new Secret(named('unused'));
    const files = ['tls.crt', 'tls.key'].map((name) => join(linked.folder, `linked-${name}`));
    for (const file of files) symlinkSync(file.replace(`${linked.folder}/linked-`, `${secret.folder}/`), file);
    const [cert = '', key = ''] = files;
    await using bridge = await startProcess([...FREE_PORTS, '--tls-cert', cert, '--tls-key', key]);
    // Far from the folder that is watched.
    secret.swap(named('second'));
    bridge.child.kill('SIGHUP');
    await shows(bridge, 'second');
  });

  it('may be those who vouch for clients: whoever only one who is gone has vouched for is cut', async () => {
    const other = new Authority('another authority');
    using secret = new Secret(named('bridge'));
    secret.swap(named('bridge'), ca + other.cert);
    const args = [...FREE_PORTS, ...secret.args, '--tls-client-ca', join(secret.folder, 'ca.crt'), '--tls-only', 'nacos'];
    await using bridge = await startProcess([...args, '--tls-require-client-cert', 'true']);
    const [host = '', port] = bridge.listeners.main.split(':');
    const theirs = connect({ host, port: Number(port), ca, ...other.issue({ commonName: 'theirs' }) });
    theirs.on('error', () => {});
    await once(theirs, 'secureConnect');
    const cut = once(theirs.resume(), 'close');
    secret.swap(named('bridge'));
    await cut;
    const again = connect({ host, port: Number(port), ca, ...other.issue({ commonName: 'theirs' }) });
    again.on('error', () => {});
    await new Promise((resolve) => again.resume().once('close', resolve));
    const ours = connect({ host, port: Number(port), ca, ...authority.issue({ commonName: 'ours' }) });
    ours.end('GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect((await ours.toArray()).join('')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

it('files of TLS that are not fit are told at the start, by the checker too', async () => {
  using secret = new Secret(named('bridge'));
  secret.swap(named('bridge'), 'no certificate');
  const args = [...secret.args, '--tls-client-ca', join(secret.folder, 'ca.crt')];
  const fault = 'beatbridge: --tls-client-ca must be certificates in PEM: no certificate in it\n';
  expect(await run(['serve', ...FREE_PORTS, ...args])).toMatchObject({ code: 2, stderr: fault });
  expect(await run(['config', 'check', ...args])).toMatchObject({ code: 2, stderr: fault });
});
