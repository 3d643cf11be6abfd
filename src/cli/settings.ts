import {
  cipherFaults,
  contradictions,
  meantBy,
  NAMES,
  OPTIONS,
  type OptionName,
  type Options,
  OptionsError,
  portsTwice,
  type Said,
  settled,
  tlsFaults,
  unknownAmong,
} from '../options.ts';
import { ADDR_ENV, TOKEN_FILE_ENV } from './client/target.ts';
import { NO_FILE, readConfigFile } from './config-file.ts';

/** What the process is told, by flags, by the environment and by a file: the options that come of it, and where each comes from. */

/** Where the file is, which is no option: what is said by it cannot say it. */
export const CONFIG = { flag: '--config', env: 'BEATBRIDGE_CONFIG', unit: 'file', help: 'a YAML file of options' } as const;

export interface Settings {
  readonly options: Options;
  readonly origins: Readonly<Record<OptionName, Origin>>;
}

/** Where the value of an option comes from. */
export interface Origin {
  readonly kind: 'flag' | 'env' | 'file' | 'default';
  /** `flag`, `env BEATBRIDGE_PORT`, `FILE:LINE` or `default`. */
  readonly source: string;
  /** How a fault names the option. */
  readonly place: string;
}

interface FoundSaid extends Said {
  readonly origin: Origin;
}

/**
 * `flags` by flag, as far as they were given. A flag wins over the environment, the environment over the file, the file over the
 * default. Throws `OptionsError`.
 */
export function readSettings(
  flags: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const fromFlag = flags[CONFIG.flag];
  const path = fromFlag ?? (env[CONFIG.env] || undefined);
  const file = path === undefined ? NO_FILE : readConfigFile(path, fromFlag === undefined ? CONFIG.env : CONFIG.flag);
  const said = new Map<OptionName, FoundSaid>();
  for (const name of NAMES) {
    const one = saidByProcess(name, flags, env);
    const inFile = file.said.get(name);
    if (one !== undefined) said.set(name, one);
    else if (inFile !== undefined) {
      said.set(name, { ...inFile, origin: { kind: 'file', source: inFile.source, place: inFile.place } });
    }
  }
  const { options, wrong, faults } = settled(said);
  const inDoubt = new Set([...wrong, ...[...file.wrong].filter((name) => !said.has(name))]);
  const origins = originsOf(said);
  const placeOf = (name: OptionName) => origins[name].place;
  const all = [
    ...faults,
    ...unknownIn(flags, env),
    ...file.faults,
    ...portsTwice(options, placeOf, inDoubt),
    ...contradictions(options, placeOf, inDoubt),
    ...halfTls(options, origins, inDoubt),
    ...cipherFaults(options, placeOf, inDoubt),
  ];
  if (all.length > 0) throw new OptionsError(all);
  return { options, origins };
}

function saidByProcess(
  name: OptionName,
  flags: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): FoundSaid | undefined {
  const option = OPTIONS[name];
  const fromFlag = flags[option.flag];
  const text = fromFlag ?? env[option.env] ?? '';
  if (fromFlag === undefined && (text === '' || isServiceLink(option.env, text))) return undefined;
  const origin: Origin =
    fromFlag === undefined
      ? { kind: 'env', source: `env ${option.env}`, place: option.env }
      : { kind: 'flag', source: 'flag', place: option.flag };
  return { value: meantBy(option.bounds, text), place: origin.place, text, origin };
}

function originsOf(said: ReadonlyMap<OptionName, FoundSaid>): Readonly<Record<OptionName, Origin>> {
  const origins = NAMES.map((name): [OptionName, Origin] => {
    const byDefault: Origin = { kind: 'default', source: 'default', place: `${OPTIONS[name].flag} (by default)` };
    return [name, said.get(name)?.origin ?? byDefault];
  });
  // Made of all names.
  return Object.fromEntries(origins) as Record<OptionName, Origin>;
}

function unknownIn(flags: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>>): string[] {
  const options = [CONFIG, ...Object.values(OPTIONS)];
  const variables = Object.entries(env).flatMap(([name, text = '']) =>
    name.startsWith('BEATBRIDGE_') && !OF_CLIENTS.has(name) && !isServiceLink(name, text) ? [name] : [],
  );
  return [
    ...unknownAmong(
      Object.keys(flags),
      options.map(({ flag }) => flag),
    ),
    ...unknownAmong(
      variables,
      options.map(({ env }) => env),
    ),
  ];
}

/** What tells the commands that ask a server which one: a server may be started beside them. */
const OF_CLIENTS: ReadonlySet<string> = new Set([ADDR_ENV, TOKEN_FILE_ENV]);

/** What is missing is named as the one that needs it was. */
function halfTls(options: Options, origins: Readonly<Record<OptionName, Origin>>, inDoubt: ReadonlySet<OptionName>): string[] {
  const { tlsPort, tlsCert, tlsKey, tlsClientCa } = options;
  const needs = (one: OptionName, other: OptionName): string[] =>
    inDoubt.has(one) || inDoubt.has(other) ? [] : [`${origins[one].place} needs ${spelled(other, origins[one].kind)}`];
  return [
    ...(tlsPort !== 'none' && tlsCert === '' ? needs('tlsPort', 'tlsCert') : []),
    ...(tlsCert !== '' && tlsKey === '' ? needs('tlsCert', 'tlsKey') : []),
    ...(tlsKey !== '' && tlsCert === '' ? needs('tlsKey', 'tlsCert') : []),
    ...(tlsClientCa !== '' && tlsCert === '' ? needs('tlsClientCa', 'tlsCert') : []),
    ...tlsFaults(options, { cert: tlsCert !== '', clientCa: tlsClientCa !== '' }, needs),
  ];
}

function spelled(name: OptionName, kind: Origin['kind']): string {
  if (kind === 'file') return name;
  return kind === 'env' ? OPTIONS[name].env : OPTIONS[name].flag;
}

/**
 * What Kubernetes puts into the environment of every pod beside a Service named `beatbridge`, or `beatbridge-` and more:
 * BEATBRIDGE_SERVICE_HOST, BEATBRIDGE_GRPC_PORT_9848_TCP and the like, and BEATBRIDGE_PORT=tcp://10.0.0.1:8848, which is no port to
 * listen on.
 */
function isServiceLink(name: string, text: string): boolean {
  if (/_PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(text)) return true;
  return /^BEATBRIDGE_(\w+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_\w+)?$/.test(name);
}
