import { describe, expect, it } from 'vitest';
import { checkOptions, OPTIONS, OptionsError, readOptions } from '../src/options.ts';

function faultsIn(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof OptionsError) return error.faults;
    throw error;
  }
  return [];
}

const faultsOf = (flags: Parameters<typeof readOptions>[0], env: Record<string, string> = {}) =>
  faultsIn(() => readOptions(flags, env));

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
      dataDir: 'none',
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
    expect(
      faultsOf({ '--port': '80a' }, { BEATBRIDGE_LOG_LEVEL: 'loud', BEATBRIDGE_HEALTHPORT: '1' }),
    ).toEqual([
      '--port must be 0..65535, got "80a"',
      'BEATBRIDGE_LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"',
      'BEATBRIDGE_HEALTHPORT is not an option, did you mean BEATBRIDGE_HEALTH_PORT?',
    ]);
  });

  it.each(['-1', '65536', '1e3', '', ' 80', '0x50'])('takes no port %j', (port) => {
    expect(faultsOf({ '--port': port })).toHaveLength(1);
  });

  it('takes one port for one purpose only, but any number of free ones', () => {
    expect(faultsOf({ '--health-port': '8848' })).toEqual(['--port and --health-port must differ, both are 8848']);
    expect(faultsOf({ '--port': '0', '--grpc-port': '0', '--health-port': '0' })).toEqual([]);
  });

  it('wants all of TLS or nothing', () => {
    expect(faultsOf({ '--tls-port': '8443' })).toEqual(['--tls-port needs --tls-cert']);
    expect(faultsOf({ '--tls-port': '8443', '--tls-cert': 'cert.pem' })).toEqual(['--tls-cert needs --tls-key']);
    expect(faultsOf({ '--tls-key': 'key.pem' })).toEqual(['--tls-key needs --tls-cert']);
    expect(faultsOf({ '--tls-cert': 'cert.pem', '--tls-key': 'key.pem' })).toEqual([]);
    expect(faultsOf({ '--tls-port': '8443', '--tls-cert': 'cert.pem', '--tls-key': 'key.pem' })).toEqual([]);
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

describe('the options of an embedder', () => {
  it('are the same, with the same defaults', () => {
    expect(checkOptions({})).toEqual(readOptions({}, {}));
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
    [{ tlsPort: 1 }, 'tlsPort is for the command line only, give tls in its place'],
    [{ logLevel: 'info' }, 'logLevel is for the command line only, give log in its place'],
    [{ maxConnection: 1 }, 'maxConnection is not an option, did you mean maxConnections?'],
    [{ toString: 1 }, 'toString is not an option'],
    [{ log: console.log }, 'log must be a pino logger'],
  ])('%j is refused', (given, fault) => {
    expect(faultsIn(() => checkOptions(given))).toEqual([fault]);
  });
});
