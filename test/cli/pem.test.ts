import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { run } from '../support/process.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-pem-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const authority = new Authority();
const one = authority.issue({ commonName: 'one' });
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const files = {
  'one.pem': one.cert,
  'one.key': one.key,
  'other.key': authority.issue({ commonName: 'other' }).key,
  'locked.key': privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
  'broken.pem': one.cert.replace(/\n.{40}/, '\n'),
  text: 'hello\n',
  empty: '',
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
const at = (name: string) => join(dir, name);
const pair = (cert: string, key: string) => ['--tls-client-cert', at(cert), '--tls-client-key', at(key)];

describe('a file of TLS', () => {
  it.each<readonly [what: string, args: readonly string[], fault: string, file: string]>([
    ['no PEM for authorities', ['--tls-ca-cert', at('text')], '--tls-ca-cert holds no certificates in PEM', 'text'],
    ['nothing for authorities', ['--tls-ca-cert', at('empty')], '--tls-ca-cert holds no certificates in PEM', 'empty'],
    ['a broken authority', ['--tls-ca-cert', at('broken.pem')], '--tls-ca-cert holds no certificates in PEM', 'broken.pem'],
    ['a key for authorities', ['--tls-ca-cert', at('one.key')], '--tls-ca-cert holds no certificates in PEM', 'one.key'],
    ['no PEM for a certificate', pair('text', 'one.key'), '--tls-client-cert holds no certificate in PEM', 'text'],
    ['no PEM for a key', pair('one.pem', 'text'), '--tls-client-key holds no key in PEM (', 'text'],
    ['a key of somebody else', pair('one.pem', 'other.key'), '--tls-client-key is not the key of --tls-client-cert', 'other.key'],
    [
      'a key with a password',
      pair('one.pem', 'locked.key'),
      '--tls-client-key holds no key in PEM without a password (',
      'locked.key',
    ],
    ['both the wrong way round', pair('one.key', 'one.pem'), '--tls-client-cert holds no certificate in PEM', 'one.key'],
  ])('that holds %s is named in one line, before anybody is asked: 1', async (_, args, fault, file) => {
    const { code, stdout, stderr } = await run(['check', '--addr', '127.0.0.1:1', '--tls', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^beatbridge: [^\n]*\n$/);
    expect(stderr).toContain(fault);
    expect(stderr.endsWith(`: ${at(file)}\n`)).toBe(true);
  });

  it('that holds what it has to is used', async () => {
    const { code, stderr } = await run(['check', '--addr', '127.0.0.1:1', '--tls', ...pair('one.pem', 'one.key')]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('cannot be reached') });
  });
});
