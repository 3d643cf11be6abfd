import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../src/cli/settings.ts';
import { OPTIONS } from '../../src/options.ts';
import { faultsIn } from '../support/faults.ts';

const readOptions = (flags: Record<string, string>, env: Record<string, string>) => readSettings(flags, env).options;
const faultsOf = (flags: Record<string, string>, env: Record<string, string> = {}) => faultsIn(() => readSettings(flags, env));

/** A file for as long as the test. */
function written(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'beatbridge.yaml');
  writeFileSync(file, text);
  return file;
}

describe('the options of the command line', () => {
  it('needs nothing to be said', () => {
    const options = readOptions({}, {});
    expect(Object.keys(options)).toEqual(Object.keys(OPTIONS));
    expect(options).toMatchObject({
      host: '::',
      port: 8848,
      grpcPort: 9848,
      healthPort: 20000,
      tlsPort: 'none',
      tlsCert: '',
      tlsKey: '',
      dataDir: './data',
      minAvailable: '1',
      defaultService: '',
      maxListed: 10_000,
      pushDelayMs: 20,
      pushToClientIp: false,
      restartGraceMs: 30_000,
      logLevel: 'info',
    });
  });

  it('takes a flag before the environment before the default', () => {
    const env = { BEATBRIDGE_PORT: '1111', BEATBRIDGE_HOST: '127.0.0.1', BEATBRIDGE_LOG_LEVEL: '' };
    expect(readOptions({ '--port': '2222' }, env)).toMatchObject({ port: 2222, host: '127.0.0.1', logLevel: 'info' });
  });

  it('says all that is wrong at once, with the place and the value', () => {
    expect(faultsOf({ '--port': '80a' }, { BEATBRIDGE_LOG_LEVEL: 'loud', BEATBRIDGE_HEALTHPORT: '1' })).toEqual([
      '--port must be 0..65535, got "80a"',
      'BEATBRIDGE_LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"',
      'BEATBRIDGE_HEALTHPORT is not an option, did you mean BEATBRIDGE_HEALTH_PORT?',
    ]);
  });

  it.each(['-1', '65536', '1e3', '', ' 80', '0x50'])('takes no port %j', (port) => {
    expect(faultsOf({ '--port': port })).toHaveLength(1);
  });

  it('takes one port for one purpose only, but any number of free ones', () => {
    expect(faultsOf({ '--health-port': '8848' })).toEqual(['--port (by default) and --health-port must differ, both are 8848']);
    expect(faultsOf({ '--port': '0', '--grpc-port': '0', '--health-port': '0' })).toEqual([]);
  });

  it('wants all of TLS or nothing', () => {
    expect(faultsOf({ '--tls-port': '8443' })).toEqual(['--tls-port needs --tls-cert']);
    expect(faultsOf({ '--tls-port': '8443', '--tls-cert': 'cert.pem' })).toEqual(['--tls-cert needs --tls-key']);
    expect(faultsOf({ '--tls-key': 'key.pem' })).toEqual(['--tls-key needs --tls-cert']);
    expect(faultsOf({ '--tls-cert': 'cert.pem', '--tls-key': 'key.pem' })).toEqual([]);
    expect(faultsOf({ '--tls-port': '8443', '--tls-cert': 'cert.pem', '--tls-key': 'key.pem' })).toEqual([]);
    expect(faultsOf({ '--tls-only': 'nacos' })).toEqual(['--tls-only needs --tls-cert']);
    expect(faultsOf({ '--tls-client-ca': 'ca.pem' })).toEqual(['--tls-client-ca needs --tls-cert']);
  });

  it('requires certificates of clients only where they cannot leave TLS away', () => {
    const pair = { '--tls-cert': 'cert.pem', '--tls-key': 'key.pem', '--tls-require-client-cert': 'true' };
    expect(faultsOf(pair)).toEqual([
      '--tls-require-client-cert needs --tls-client-ca',
      '--tls-require-client-cert needs --tls-only',
    ]);
    const ca = { ...pair, '--tls-client-ca': 'ca.pem' };
    expect(faultsOf(ca)).toEqual(['--tls-require-client-cert needs --tls-only']);
    expect(faultsOf({ ...ca, '--tls-only': 'nacos' })).toEqual([]);
    expect(faultsOf({ ...ca, '--tls-only': 'all' })).toEqual([]);
  });

  it('takes no ciphers that nobody knows', () => {
    expect(faultsOf({ '--tls-ciphers': 'rot13' })).toEqual(['--tls-ciphers has names that are not known here: "rot13"']);
  });

  it.each(['', '_GRPC', '_HEALTH', '_FOR_TEAM_A'])(
    'is not confused by what Kubernetes says of a Service named beatbridge%s',
    (suffix) => {
      const name = `BEATBRIDGE${suffix}`;
      const env = {
        [`${name}_SERVICE_HOST`]: '10.0.0.1',
        [`${name}_SERVICE_PORT`]: '8848',
        [`${name}_SERVICE_PORT_MAIN`]: '8848',
        [`${name}_PORT`]: 'tcp://10.0.0.1:8848',
        [`${name}_PORT_8848_TCP`]: 'tcp://10.0.0.1:8848',
        [`${name}_PORT_8848_TCP_ADDR`]: '10.0.0.1',
      };
      expect(readOptions({}, env)).toEqual(readOptions({}, {}));
    },
  );

  it('is not confused by what tells commands beside it which server to ask', () => {
    const env = { BEATBRIDGE_ADDR: '10.0.0.1:8848', BEATBRIDGE_TOKEN_FILE: '/run/token' };
    expect(readOptions({}, env)).toEqual(readOptions({}, {}));
  });

  it('names each option by a flag and an environment variable of its own', () => {
    const options = Object.values(OPTIONS);
    expect(new Set(options.map(({ flag }) => flag)).size).toBe(options.length);
    for (const { flag, env } of options) expect(env).toBe(`BEATBRIDGE_${flag.slice(2).toUpperCase().replaceAll('-', '_')}`);
    expect(OPTIONS.pushDelayMs).toMatchObject({ flag: '--push-delay', env: 'BEATBRIDGE_PUSH_DELAY' });
  });

  it('has a default for each that is a value of it', () => {
    const named = Object.values(OPTIONS).map(({ flag, default: value }) => [flag, String(value)]);
    expect(readOptions(Object.fromEntries(named), {})).toEqual(readOptions({}, {}));
  });

  it('says which flags are none, all of them, and what was meant', () => {
    expect(faultsOf({ '--prot': '80', '--grpcport': '', '--x': '', '--max-connection': '1' })).toEqual([
      '--prot is not an option, did you mean --port?',
      '--grpcport is not an option, did you mean --grpc-port?',
      '--x is not an option',
      '--max-connection is not an option, did you mean --max-connections?',
    ]);
  });

  it.each([
    ['--max-listed', '0', '--max-listed must be 1..100000000, got "0"'],
    ['--max-connections', '100000001', '--max-connections must be 1..100000000, got "100000001"'],
    ['--header-timeout', '10s', '--header-timeout must be 1..86400000, got "10s"'],
    ['--tls-port', 'any', '--tls-port must be 0..65535, or "none", got "any"'],
    ['--push-to-client-ip', 'yes', '--push-to-client-ip must be true or false, got "yes"'],
    ['--min-available', '0%', '--min-available must be a count from 1, or 1%..100%, got "0%"'],
    ['--context-path', 'nacos', '--context-path must be a path from the root, such as /registry, or / itself, got "nacos"'],
    ['--host', 'a b', '--host must be an address or a host name, got "a b"'],
    ['--log-level', 'x'.repeat(1_000), /got "x{200}"$/],
  ])('refuses %s %s', (flag, text, fault) => {
    expect(faultsOf({ [flag]: text })).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)]);
  });
});

describe('the options of a file', () => {
  const TEXT = 'port: 1111\nhost: 127.0.0.1\nminAvailable: 50%\npushToClientIp: true\nlogLevel: debug\n';

  it('come after flags and the environment, and before the defaults', () => {
    const file = written(TEXT);
    const { options, origins } = readSettings(
      { '--config': file, '--port': '2222' },
      { BEATBRIDGE_HOST: '127.0.0.2', BEATBRIDGE_LOG_LEVEL: '' },
    );
    expect(options).toMatchObject({
      port: 2222,
      host: '127.0.0.2',
      minAvailable: '50%',
      pushToClientIp: true,
      logLevel: 'debug',
      grpcPort: 9848,
    });
    const { port, host, minAvailable, grpcPort } = origins;
    expect([port, host, minAvailable, grpcPort].map(({ source }) => source)).toEqual([
      'flag',
      'env BEATBRIDGE_HOST',
      `${file}:3`,
      'default',
    ]);
  });

  it('are read from the file that a flag names, else from the one that the environment does', () => {
    const [one, other] = [written('port: 1'), written('port: 2')];
    expect(readOptions({ '--config': one }, { BEATBRIDGE_CONFIG: other }).port).toBe(1);
    expect(readOptions({}, { BEATBRIDGE_CONFIG: other }).port).toBe(2);
    expect(readOptions({}, { BEATBRIDGE_CONFIG: '' }).port).toBe(8848);
  });

  it('are refused together with what is wrong elsewhere, each with its place, even where something else wins', () => {
    const file = written('prot: 1\nport: 80a\nport: 81\nmaxListed: 0\n');
    expect(faultsOf({ '--config': file, '--port': '80', '--loud': '' }, { BEATBRIDGE_PROBES: 'yes', BEATBRIDGE_X: '1' })).toEqual(
      [
        'BEATBRIDGE_PROBES must be true or false, got "yes"',
        '--loud is not an option',
        'BEATBRIDGE_X is not an option',
        `${file}:1:1 prot is not an option, did you mean port?`,
        `${file}:2:7 port must be 0..65535, got "80a"`,
        `${file}:3:1 port is said twice, first in line 2`,
        `${file}:4:12 maxListed must be 1..100000000, got 0`,
      ],
    );
  });

  it('contradict each other and those from elsewhere by place', () => {
    const file = written('port: 80\nhealthPort: 81\ntlsPort: 8443');
    expect(faultsOf({ '--config': file, '--grpc-port': '80' }, { BEATBRIDGE_TLS_KEY: 'key.pem' })).toEqual([
      `${file}:1:7 port and --grpc-port must differ, both are 80`,
      `${file}:3:10 tlsPort needs tlsCert`,
      'BEATBRIDGE_TLS_KEY needs BEATBRIDGE_TLS_CERT',
    ]);
  });

  it('contradict nothing where they could not be read', () => {
    const ports = { '--health-port': '8848' };
    expect(faultsOf({ ...ports, '--config': written('port: 80a') })).toHaveLength(1);
    expect(faultsOf({ ...ports, '--config': written('port: "80') })).toHaveLength(1);
    expect(faultsOf({ ...ports, '--config': written('') })).toHaveLength(1);
    expect(faultsOf({ ...ports, '--port': '80a' })).toEqual(['--port must be 0..65535, got "80a"']);
  });

  it('do not name another file', () => {
    const file = written('config: other.yaml');
    expect(faultsOf({ '--config': file })).toEqual([`${file}:1:1 config is not an option`]);
  });
});
