/** Every option of the program, once. A flag wins over the environment, the environment over the default. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly grpcPort: number;
  readonly healthPort: number;
  readonly tlsPort: number | 'none';
  /** Files in PEM; "" when not given. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly dataDir: 'none';
  readonly minAvailable: string;
  readonly defaultService: string;
  readonly maxListed: number;
  readonly pushDelayMs: number;
  readonly pushToClientIp: boolean;
  readonly restartGraceMs: number;
  readonly logLevel: LogLevel;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Option<T> {
  readonly flag: string;
  /** What stands for the value in the help. */
  readonly placeholder: string;
  readonly env: string;
  readonly default: T;
  readonly help: string;
  /** Reads what the user wrote; undefined when it is no value of the option. */
  readonly parse: (text: string) => T | undefined;
  /** What a value has to be, to complete "--port must be …". */
  readonly expected: string;
}

const PORT = { placeholder: 'port', parse: parsePort, expected: '0..65535' } as const;

export const OPTIONS: { readonly [K in keyof Config]: Option<Config[K]> } = {
  host: {
    flag: '--host',
    placeholder: 'address',
    env: 'BEATBRIDGE_HOST',
    default: '0.0.0.0',
    help: 'address to listen on, for all ports',
    parse: (text) => (/^\S+$/.test(text) ? text : undefined),
    expected: 'an address or a host name',
  },
  port: {
    ...PORT,
    flag: '--port',
    env: 'BEATBRIDGE_PORT',
    default: 8848,
    help: 'main port: Nacos and health; 0 = any free port',
  },
  grpcPort: {
    ...PORT,
    flag: '--grpc-port',
    env: 'BEATBRIDGE_GRPC_PORT',
    default: 9848,
    help: 'the same once more, where Nacos 2.x clients look (main port + 1000); 0 = any free port',
  },
  healthPort: {
    ...PORT,
    flag: '--health-port',
    env: 'BEATBRIDGE_HEALTH_PORT',
    default: 20000,
    help: 'health only, where Dubbo-go callers look; 0 = any free port',
  },
  tlsPort: {
    flag: '--tls-port',
    placeholder: 'port',
    env: 'BEATBRIDGE_TLS_PORT',
    default: 'none',
    help: 'a port with nothing but TLS: Nacos and health, HTTP/1.1 and HTTP/2; 0 = any free port',
    parse: (text) => (text === 'none' ? text : parsePort(text)),
    expected: '0..65535, or "none"',
  },
  tlsCert: {
    flag: '--tls-cert',
    placeholder: 'file',
    env: 'BEATBRIDGE_TLS_CERT',
    default: '',
    help: 'a certificate with its chain, in PEM: the gRPC port speaks TLS too then, beside cleartext',
    parse: (text) => text,
    expected: 'a file',
  },
  tlsKey: {
    flag: '--tls-key',
    placeholder: 'file',
    env: 'BEATBRIDGE_TLS_KEY',
    default: '',
    help: 'the private key of the certificate, in PEM',
    parse: (text) => text,
    expected: 'a file',
  },
  dataDir: {
    flag: '--data-dir',
    placeholder: 'directory',
    env: 'BEATBRIDGE_DATA_DIR',
    default: 'none',
    help: 'where to keep what must survive a restart; only "none" until there is a store: nothing is kept',
    parse: (text) => (text === 'none' ? text : undefined),
    expected: '"none" as long as there is no store',
  },
  minAvailable: {
    flag: '--min-available',
    placeholder: 'count|percent',
    env: 'BEATBRIDGE_MIN_AVAILABLE',
    default: '1',
    help: 'how many instances make a service SERVING that does not say it itself (metadata health.min-available): 2, or 50%',
    parse: (text) => (/^[1-9]\d{0,6}$|^([1-9]\d?|100)%$/.test(text) ? text : undefined),
    expected: 'a count from 1, or 1%..100%',
  },
  defaultService: {
    flag: '--default-service',
    placeholder: 'name',
    env: 'BEATBRIDGE_DEFAULT_SERVICE',
    default: '',
    help: 'whom callers mean that can name none: /health itself, and the default path of AWS ALB; "" is the bridge',
    parse: (text) => text,
    expected: 'a health name',
  },
  maxListed: {
    flag: '--max-listed',
    placeholder: 'count',
    env: 'BEATBRIDGE_MAX_LISTED',
    default: 100,
    help: 'entries, with "" counted, beyond which List is refused with RESOURCE_EXHAUSTED',
    parse: (text) => (/^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined),
    expected: 'a count from 1',
  },
  pushDelayMs: {
    flag: '--push-delay',
    placeholder: 'ms',
    env: 'BEATBRIDGE_PUSH_DELAY',
    default: 20,
    help: 'how long a push to Nacos subscribers waits for more changes, in milliseconds',
    parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 10_000 ? Number(text) : undefined),
    expected: '0..10000',
  },
  pushToClientIp: {
    flag: '--push-to-client-ip',
    placeholder: 'true|false',
    env: 'BEATBRIDGE_PUSH_TO_CLIENT_IP',
    default: false,
    help: 'push to the address that a client names, instead of the one that its request came from: lets callers aim datagrams at others',
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
    expected: 'true or false',
  },
  restartGraceMs: {
    flag: '--restart-grace',
    placeholder: 'ms',
    env: 'BEATBRIDGE_RESTART_GRACE',
    default: 30_000,
    help: 'for how long after the start a service that nobody has spoken of is not pushed as empty: its providers may be on their way back, in milliseconds',
    parse: (text) => (/^\d{1,7}$/.test(text) && Number(text) <= 3_600_000 ? Number(text) : undefined),
    expected: '0..3600000',
  },
  logLevel: {
    flag: '--log-level',
    placeholder: 'level',
    env: 'BEATBRIDGE_LOG_LEVEL',
    default: 'info',
    help: `least severe log line to write (to stderr): ${LOG_LEVELS.join(', ')}`,
    parse: (text) => LOG_LEVELS.find((level) => level === text),
    expected: `one of ${LOG_LEVELS.join(', ')}`,
  },
};

/** All that is wrong with the options at once, one line each, with the place it comes from. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** `flags` by option name, as far as they were given. Throws `ConfigError`. */
export function readConfig(
  flags: Readonly<Partial<Record<keyof Config, string>>>,
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const problems: string[] = [];

  function read<K extends keyof Config>(name: K): Config[K] {
    const option = OPTIONS[name];
    const fromFlag = flags[name];
    const text = fromFlag ?? env[option.env];
    if (text === undefined) return option.default;
    if (fromFlag === undefined && (text === '' || isServiceLink(option.env, text))) return option.default;
    const place = fromFlag === undefined ? option.env : option.flag;
    const value = option.parse(text);
    if (value === undefined) problems.push(`${place} must be ${option.expected}, got ${JSON.stringify(text.slice(0, 200))}`);
    return value ?? option.default;
  }

  const config: Config = {
    host: read('host'),
    port: read('port'),
    grpcPort: read('grpcPort'),
    healthPort: read('healthPort'),
    tlsPort: read('tlsPort'),
    tlsCert: read('tlsCert'),
    tlsKey: read('tlsKey'),
    dataDir: read('dataDir'),
    minAvailable: read('minAvailable'),
    defaultService: read('defaultService'),
    maxListed: read('maxListed'),
    pushDelayMs: read('pushDelayMs'),
    pushToClientIp: read('pushToClientIp'),
    restartGraceMs: read('restartGraceMs'),
    logLevel: read('logLevel'),
  };
  const known = new Set(Object.values(OPTIONS).map(({ env }) => env));
  for (const [name, text = ''] of Object.entries(env)) {
    if (name.startsWith('BEATBRIDGE_') && !known.has(name) && !isServiceLink(name, text))
      problems.push(`${name} is not an option`);
  }
  const ports = (['port', 'grpcPort', 'healthPort', 'tlsPort'] as const).map((name) => ({
    flag: OPTIONS[name].flag,
    port: config[name],
  }));
  for (const [i, a] of ports.entries()) {
    for (const b of ports.slice(i + 1)) {
      if (a.port === b.port && a.port !== 0) problems.push(`${a.flag} and ${b.flag} must differ, both are ${a.port}`);
    }
  }
  const { tlsCert, tlsKey } = OPTIONS;
  if (config.tlsPort !== 'none' && config.tlsCert === '') problems.push(`${OPTIONS.tlsPort.flag} needs ${tlsCert.flag}`);
  if (config.tlsCert !== '' && config.tlsKey === '') problems.push(`${tlsCert.flag} needs ${tlsKey.flag}`);
  if (config.tlsKey !== '' && config.tlsCert === '') problems.push(`${tlsKey.flag} needs ${tlsCert.flag}`);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/**
 * What Kubernetes puts into the environment of every pod beside a Service named `beatbridge`: BEATBRIDGE_SERVICE_HOST,
 * BEATBRIDGE_PORT_8848_TCP and the like, and BEATBRIDGE_PORT=tcp://10.0.0.1:8848, which is no port to listen on.
 */
function isServiceLink(name: string, text: string): boolean {
  return /^BEATBRIDGE_(SERVICE_(HOST|PORT)|PORT_\d+_)/.test(name) || (name === OPTIONS.port.env && /^(tcp|udp):\/\//.test(text));
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}
