import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOptions, HIDDEN, OPTIONS, settled, shown } from '../src/options.ts';
import { faultsIn } from './support/faults.ts';

describe('the options of an embedder', () => {
  it('are the same, with the same defaults, but that nothing is kept and no end is delayed', () => {
    expect(checkOptions({})).toEqual({ ...settled(new Map()).options, dataDir: 'none', drainDelayMs: 0 });
    expect(Object.keys(checkOptions({}))).toEqual(Object.keys(OPTIONS));
    expect(
      checkOptions({ port: 0, minAvailable: '50%', pushToClientIp: true, maxConnections: 7, host: undefined }),
    ).toMatchObject({
      port: 0,
      minAvailable: '50%',
      pushToClientIp: true,
      maxConnections: 7,
      host: '::',
    });
  });

  it('are refused in the words of the command line, all at once', () => {
    expect(faultsIn(() => checkOptions({ minAvailable: '150%', maxListed: 0, pushDelayMs: -5, prot: 3 }))).toEqual([
      'minAvailable must be a count from 1, or 1%..100%, got "150%"',
      'pushDelayMs must be 0..10000, got -5',
      'maxListed must be 1..100000000, got 0',
      'prot is not an option, did you mean port?',
    ]);
  });

  it.each([
    [{ port: '80' }, 'port must be 0..65535, got "80"'],
    [{ port: 80.5 }, 'port must be 0..65535, got 80.5'],
    [{ port: Number.NaN }, 'port must be 0..65535, got NaN'],
    [{ minAvailable: 2 }, 'minAvailable must be a count from 1, or 1%..100%, got 2, a number and not a text'],
    [{ pushToClientIp: 'true' }, 'pushToClientIp must be true or false, got "true"'],
    [{ host: {} }, 'host must be an address or a host name, got an object'],
    [{ host: null }, 'host must be an address or a host name, got null'],
    [{ port: 80, healthPort: 80 }, 'port and healthPort must differ, both are 80'],
    [{ port: 80, tls: { cert: 'c', key: 'k', port: 80 } }, 'port and tls.port must differ, both are 80'],
    [{ tls: { cert: 'c', key: 'k', port: 65_536 } }, 'tls.port must be 0..65535, got 65536'],
    [{ tls: { cert: 'c' } }, 'tls must have a cert and a key, both in PEM'],
    [{ tls: true }, 'tls must have a cert and a key, both in PEM'],
    [{ tls: { cert: 'c', key: 'k', clientCa: '' } }, 'tls.clientCa must be certificates in PEM'],
    [{ tlsOnly: 'all' }, 'tlsOnly needs tls'],
    [{ tls: { cert: 'c', key: 'k' }, tlsOnly: 'health' }, 'tlsOnly must be one of none, nacos, all, got "health"'],
    [{ tls: { cert: 'c', key: 'k' }, tlsOnly: 'all', tlsRequireClientCert: true }, 'tlsRequireClientCert needs tls.clientCa'],
    [{ tls: { cert: 'c', key: 'k', clientCa: 'a' }, tlsRequireClientCert: true }, 'tlsRequireClientCert needs tlsOnly'],
    [{ tlsMinVersion: 'TLSv1.1' }, 'tlsMinVersion must be TLSv1.2 or TLSv1.3, got "TLSv1.1"'],
    [
      { tlsCiphers: 'HIGH:!aNULL' },
      'tlsCiphers must be names of cipher suites, as OpenSSL has them, with colons between, got "HIGH:!aNULL"',
    ],
    [{ tlsCiphers: 'ECDHE-RSA-AES128-GCM-SHA256:rot13:HIGH' }, 'tlsCiphers has names that are not known here: "rot13, HIGH"'],
    [
      { tlsCiphers: 'ECDHE-RSA-AES128-GCM-SHA256', tlsMinVersion: 'TLSv1.3' },
      'tlsCiphers must have a name that begins with TLS_: no older version than TLSv1.3 is spoken',
    ],
    [{ tlsClientCa: 'ca.pem' }, 'tlsClientCa is for the command line only, give tls in its place'],
    [{ tlsPort: 1 }, 'tlsPort is for the command line only, give tls in its place'],
    [{ logLevel: 'info' }, 'logLevel is for the command line only, give log in its place'],
    [{ maxConnection: 1 }, 'maxConnection is not an option, did you mean maxConnections?'],
    [{ toString: 1 }, 'toString is not an option'],
    [{ log: console.log }, 'log must be a pino logger'],
  ])('%j is refused', (given, fault) => {
    expect(faultsIn(() => checkOptions(given))).toEqual([fault]);
  });
});

it('what is secret is never shown, whatever was given in its place', () => {
  const secret = { secret: true, least: 1, most: 2 } as const;
  for (const value of ['hunter2', 7, ['hunter2'], { hunter2: 1 }]) expect(shown(value, secret)).toBe(HIDDEN);
});

it('what is told to anybody names no option that there is not', () => {
  const flags = new Set<string>(Object.values(OPTIONS).map(({ flag }) => flag));
  const src = join(import.meta.dirname, '../src');
  // The commands have flags of their own.
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /^(?!cli|moving).*\.ts$/.test(file));
  const named = files.flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    return [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z](?![\w.$-])/g)].map(([flag]) => flag);
  });
  // An option of docker.
  flags.add('--init');
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((flag) => !flags.has(flag))).toEqual([]);
});
