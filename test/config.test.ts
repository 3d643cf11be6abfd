import { describe, expect, it } from 'vitest';
import { ConfigError, OPTIONS, readConfig } from '../src/config.ts';

function problemsOf(flags: Parameters<typeof readConfig>[0], env: Record<string, string> = {}): readonly string[] {
  try {
    readConfig(flags, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('needs nothing to be said', () => {
    expect(readConfig({}, {})).toEqual({
      host: '0.0.0.0',
      port: 8848,
      grpcPort: 9848,
      healthPort: 20000,
      tlsPort: 'none',
      tlsCert: '',
      tlsKey: '',
      dataDir: 'none',
      minAvailable: '1',
      defaultService: '',
      maxListed: 100,
      pushDelayMs: 20,
      pushToClientIp: false,
      restartGraceMs: 30_000,
      logLevel: 'info',
    });
  });

  it('takes a flag before the environment before the default', () => {
    const env = { BEATBRIDGE_PORT: '1111', BEATBRIDGE_HOST: '127.0.0.1', BEATBRIDGE_LOG_LEVEL: '' };
    expect(readConfig({ port: '2222' }, env)).toMatchObject({ port: 2222, host: '127.0.0.1', logLevel: 'info' });
  });

  it('says all that is wrong at once, with the place and the value', () => {
    expect(problemsOf({ port: '80a', dataDir: './data' }, { BEATBRIDGE_LOG_LEVEL: 'loud', BEATBRIDGE_HEALTHPORT: '1' })).toEqual([
      '--port must be 0..65535, got "80a"',
      '--data-dir must be "none" as long as there is no store, got "./data"',
      'BEATBRIDGE_LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"',
      'BEATBRIDGE_HEALTHPORT is not an option',
    ]);
  });

  it.each(['-1', '65536', '1e3', '', ' 80', '0x50'])('takes no port %j', (port) => {
    expect(problemsOf({ port })).toHaveLength(1);
  });

  it('takes one port for one purpose only, but any number of free ones', () => {
    expect(problemsOf({ healthPort: '8848' })).toEqual(['--port and --health-port must differ, both are 8848']);
    expect(problemsOf({ port: '0', grpcPort: '0', healthPort: '0' })).toEqual([]);
  });

  it('wants all of TLS or nothing', () => {
    expect(problemsOf({ tlsPort: '8443' })).toEqual(['--tls-port needs --tls-cert']);
    expect(problemsOf({ tlsPort: '8443', tlsCert: 'cert.pem' })).toEqual(['--tls-cert needs --tls-key']);
    expect(problemsOf({ tlsKey: 'key.pem' })).toEqual(['--tls-key needs --tls-cert']);
    expect(problemsOf({ tlsCert: 'cert.pem', tlsKey: 'key.pem' })).toEqual([]);
    expect(problemsOf({ tlsPort: '8443', tlsCert: 'cert.pem', tlsKey: 'key.pem' })).toEqual([]);
  });

  it('is not confused by what Kubernetes says of a Service of the same name', () => {
    const env = {
      BEATBRIDGE_SERVICE_HOST: '10.0.0.1',
      BEATBRIDGE_SERVICE_PORT_MAIN: '8848',
      BEATBRIDGE_PORT: 'tcp://10.0.0.1:8848',
      BEATBRIDGE_PORT_8848_TCP_ADDR: '10.0.0.1',
    };
    expect(readConfig({}, env).port).toBe(8848);
  });

  it('names each option by a flag and an environment variable of its own', () => {
    const options = Object.values(OPTIONS);
    expect(new Set(options.map(({ flag }) => flag)).size).toBe(options.length);
    for (const { flag, env } of options) expect(env).toBe(`BEATBRIDGE_${flag.slice(2).toUpperCase().replaceAll('-', '_')}`);
  });
});
