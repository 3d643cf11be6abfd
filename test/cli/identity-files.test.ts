import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { IdentityFiles, PATIENCE_MS } from '../../src/cli/identity-files.ts';
import { OptionsError } from '../../src/options.ts';
import type { TlsIdentity } from '../../src/wire/identity.ts';
import { Authority } from '../support/certificates.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

const authority = new Authority();
const other = new Authority('another authority');
const first = authority.issueForServer();
const second = authority.issueForServer();

let folder: string;
let paths: { readonly tlsCert: string; readonly tlsKey: string; readonly tlsClientCa: string };
let scheduler: ManualScheduler;
let told: (TlsIdentity | OptionsError)[];
let files: IdentityFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beatbridge-identity-'));
  paths = { tlsCert: join(folder, 'tls.crt'), tlsKey: join(folder, 'tls.key'), tlsClientCa: join(folder, 'ca.crt') };
  write({ tlsCert: first.cert, tlsKey: first.key, tlsClientCa: authority.cert });
  scheduler = new ManualScheduler();
  told = [];
  files = follow(first);
});
afterEach(() => {
  files.stop();
  rmSync(folder, { recursive: true, force: true });
});

function follow({ cert, key }: TlsIdentity): IdentityFiles {
  const current = { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: Buffer.from(authority.cert) };
  return new IdentityFiles(paths, current, { scheduler, told: (next) => void told.push(next) });
}

function write(texts: Partial<typeof paths>): void {
  for (const [name, text] of Object.entries(texts)) writeFileSync(paths[name as keyof typeof paths], text);
}

/** What was told, as texts. */
function heard() {
  return told.map((next) =>
    next instanceof OptionsError ? next.faults : [next.cert, next.key, next.clientCa].map((part) => part?.toString()),
  );
}

/** So much time, and a look at its end. */
async function later(ms: number): Promise<void> {
  scheduler.advance(ms);
  await files.look();
}

it('files in which nothing has changed are nothing new', async () => {
  await files.look();
  write({ tlsCert: first.cert });
  await files.look();
  expect([told, scheduler.open]).toEqual([[], 0]);
});

it('a new pair is told once, and so is another authority for clients', async () => {
  write({ tlsCert: second.cert, tlsKey: second.key });
  await files.look();
  await files.look();
  write({ tlsClientCa: other.cert });
  await files.look();
  expect(heard()).toEqual([
    [second.cert, second.key, authority.cert],
    [second.cert, second.key, other.cert],
  ]);
});

it('a certificate whose key is not there yet is waited for', async () => {
  write({ tlsCert: second.cert });
  await files.look();
  expect([told, scheduler.open]).toEqual([[], 1]);
  write({ tlsKey: second.key });
  await later(1_000);
  expect(heard()).toEqual([[second.cert, second.key, authority.cert]]);
  expect(scheduler.open).toBe(0);
});

it.each<[string, Partial<Record<'tlsCert' | 'tlsKey' | 'tlsClientCa', string>>, (at: typeof paths) => string]>([
  [
    'a pair that does not fit',
    { tlsCert: second.cert },
    ({ tlsCert, tlsKey }) => `${tlsCert} and ${tlsKey} do not go together: `,
  ],
  [
    'a text that is no certificate',
    { tlsCert: 'x' },
    ({ tlsCert }) => `${tlsCert} must be a certificate in PEM: no certificate in it`,
  ],
  [
    'a bad authority',
    { tlsClientCa: '' },
    ({ tlsClientCa }) => `${tlsClientCa} must be certificates in PEM: no certificate in it`,
  ],
])('%s is told after some seconds, once, and what is good again at once', async (_, texts, fault) => {
  write(texts);
  await files.look();
  for (let i = 1; i < 5; i++) await later(1_000);
  expect([told, scheduler.open]).toEqual([[], 1]);
  await later(1_000);
  await later(60_000);
  expect(heard()).toEqual([[expect.stringContaining(fault(paths))]]);
  expect(scheduler.open).toBe(0);
  write({ tlsCert: first.cert, tlsKey: first.key, tlsClientCa: authority.cert });
  await files.look();
  expect(heard().at(-1)).toEqual([first.cert, first.key, authority.cert]);
});

it('files that cannot be read are told after some seconds, each with why', async () => {
  rmSync(paths.tlsCert);
  rmSync(paths.tlsKey);
  await files.look();
  await later(PATIENCE_MS);
  await later(60_000);
  expect(heard()).toEqual([
    [`${paths.tlsCert} cannot be read: `, `${paths.tlsKey} cannot be read: `].map((text) => expect.stringContaining(text)),
  ]);
});

it('what is asked while it is looked at is looked at once more', async () => {
  const looking = files.look();
  write({ tlsCert: second.cert, tlsKey: second.key });
  await Promise.all([looking, files.look(), files.look()]);
  expect(heard()).toEqual([[second.cert, second.key, authority.cert]]);
});

it('after it has been stopped nothing is told', async () => {
  write({ tlsCert: second.cert, tlsKey: second.key });
  const looking = files.look();
  files.stop();
  await looking;
  expect([told, scheduler.open]).toEqual([[], 0]);
});
