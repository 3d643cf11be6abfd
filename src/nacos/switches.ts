import type { Source } from '../registry/changes.ts';
import { groupedName } from '../registry/service-name.ts';
import type { DurablePart } from './durability.ts';
import { RequestError, shown } from './errors.ts';
import { type OnOperated, tellOperated } from './operated.ts';
import { checkedService, HOME, LEAST_BEAT_INTERVAL_MS } from './rules.ts';

/**
 * The switches that operators set while the server runs. Those that mean something here act at once; the others of Nacos's are kept
 * and shown, as scripts read them back.
 */
export class Switches {
  #values: SwitchValues = DEFAULTS;
  readonly #listeners = new Set<() => void>();
  readonly #onOperated: OnOperated;
  /** One value: what is not as at the start. */
  readonly durable: DurablePart = {
    name: 'switches',
    onChange: (listener) => this.onChange(() => listener('')),
    read: () => this.#changes(),
    restore: (entries) => {
      for (const [, changes] of entries) this.#change(changes as Change);
    },
  };

  constructor(onOperated: OnOperated = () => {}) {
    this.#onOperated = onOperated;
  }

  get values(): SwitchValues {
    return this.#values;
  }

  /** Sets one entry, by the name that Nacos calls it in requests. An unknown entry changes nothing, silently, as in Nacos. */
  set(entry: string, value: string, by?: Source): void {
    const change = Object.hasOwn(ENTRIES, entry) ? ENTRIES[entry]?.(value) : undefined;
    if (change === undefined) return;
    const before = this.#values;
    this.#change(change);
    tellOperated(this.#onOperated, by, { switches: before }, { switches: this.#values });
  }

  #change(change: Change): void {
    this.#values = { ...this.#values, ...change };
    for (const listener of this.#listeners) listener();
  }

  #changes(): Change | undefined {
    const now = new Map<string, unknown>(Object.entries(this.#values));
    const changed = Object.entries(DEFAULTS).filter(([name, value]) => JSON.stringify(now.get(name)) !== JSON.stringify(value));
    return changed.length === 0 ? undefined : Object.fromEntries(changed.map(([name]) => [name, now.get(name)]));
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }
}

/** What an operator can make the server say that it is. */
export type ServerStatus = 'UP' | 'DOWN' | 'STARTING' | 'PAUSED' | 'WRITE_ONLY' | 'READ_ONLY';

/** How often instances are checked actively, in Nacos's words. */
export interface HealthParams {
  readonly max: number;
  readonly min: number;
  readonly factor: number;
}

/** All of them, as Nacos names them in answers. */
export interface SwitchValues {
  readonly masters: readonly string[] | null;
  readonly adWeightMap: Readonly<Record<string, number>>;
  /** How long a subscriber that is pushed to goes by what it has, in milliseconds. */
  readonly defaultPushCacheMillis: number;
  /** How often instances beat that have not said it themselves, in milliseconds. */
  readonly clientBeatInterval: number;
  /** How long a client that is not pushed to goes by what it has, in milliseconds. */
  readonly defaultCacheMillis: number;
  readonly distroThreshold: number;
  /** Off: silence has no effect, and instances are checked only in the services of the white list. */
  readonly healthCheckEnabled: boolean;
  readonly autoChangeHealthCheckEnabled: boolean;
  readonly distroEnabled: boolean;
  readonly enableStandalone: boolean;
  readonly pushEnabled: boolean;
  /** After how many checks in a row an instance is seen as they find it. */
  readonly checkTimes: number;
  readonly httpHealthParams: HealthParams;
  readonly tcpHealthParams: HealthParams;
  readonly mysqlHealthParams: HealthParams;
  readonly incrementalList: readonly string[];
  readonly serverStatusSynchronizationPeriodMillis: number;
  readonly serviceStatusSynchronizationPeriodMillis: number;
  readonly disableAddIP: boolean;
  readonly sendBeatOnly: boolean;
  /** Whether clients may leave the instance out of their beats. */
  readonly lightBeatEnabled: boolean;
  /** Path prefix -> the bare status that requests below it get. */
  readonly limitedUrlMap: Readonly<Record<string, number>>;
  readonly distroServerExpiredMillis: number;
  readonly pushGoVersion: string;
  readonly pushJavaVersion: string;
  readonly pushPythonVersion: string;
  readonly pushCVersion: string;
  readonly pushCSharpVersion: string;
  readonly enableAuthentication: boolean;
  /** Makes the server answer as if it were in this state. */
  readonly overriddenServerStatus: ServerStatus | null;
  readonly defaultInstanceEphemeral: boolean;
  /** Grouped names of services, of whatever namespace, that are checked all the same. */
  readonly healthCheckWhiteList: readonly string[];
  readonly name: string;
  readonly checksum: string | null;
}

/** Nothing is: to be told without a look into it. */
export const NONE_LIMITED: SwitchValues['limitedUrlMap'] = {};

// Nacos 1.4.2 as it starts.
const DEFAULTS: SwitchValues = {
  masters: null,
  adWeightMap: {},
  defaultPushCacheMillis: 10_000,
  clientBeatInterval: 5_000,
  defaultCacheMillis: 3_000,
  distroThreshold: 0.7,
  healthCheckEnabled: true,
  autoChangeHealthCheckEnabled: true,
  distroEnabled: true,
  enableStandalone: true,
  pushEnabled: true,
  checkTimes: 3,
  httpHealthParams: { max: 5_000, min: 500, factor: 0.85 },
  tcpHealthParams: { max: 5_000, min: 1_000, factor: 0.75 },
  mysqlHealthParams: { max: 3_000, min: 2_000, factor: 0.65 },
  incrementalList: [],
  serverStatusSynchronizationPeriodMillis: 2_000,
  serviceStatusSynchronizationPeriodMillis: 5_000,
  disableAddIP: false,
  sendBeatOnly: false,
  lightBeatEnabled: true,
  limitedUrlMap: NONE_LIMITED,
  distroServerExpiredMillis: 10_000,
  pushGoVersion: '0.1.0',
  pushJavaVersion: '0.1.0',
  pushPythonVersion: '0.4.3',
  pushCVersion: '1.0.12',
  pushCSharpVersion: '0.9.0',
  enableAuthentication: false,
  overriddenServerStatus: null,
  defaultInstanceEphemeral: true,
  healthCheckWhiteList: [],
  name: '00-00---000-NACOS_SWITCH_DOMAIN-000---00-00',
  checksum: null,
};

type Change = Partial<SwitchValues>;

const PUSH_VERSIONS = {
  java: 'pushJavaVersion',
  python: 'pushPythonVersion',
  c: 'pushCVersion',
  go: 'pushGoVersion',
  csharp: 'pushCSharpVersion',
} as const;

const STATES: readonly ServerStatus[] = ['UP', 'DOWN', 'STARTING', 'PAUSED', 'WRITE_ONLY', 'READ_ONLY'];

const ENTRIES: Readonly<Record<string, (value: string) => Change | undefined>> = {
  distroThreshold: (value) => ({ distroThreshold: number(value, 0) }),
  clientBeatInterval: (value) => ({ clientBeatInterval: integer(value, LEAST_BEAT_INTERVAL_MS) }),
  pushVersion: (value) => {
    const [, kind = '', version = ''] = /^(\w+):(\d+\.\d+\.\d+)$/.exec(value) ?? [];
    const field = Object.entries(PUSH_VERSIONS).find(([name]) => name === kind)?.[1];
    if (field === undefined) throw new RequestError('invalid', `pushVersion must be LANGUAGE:X.Y.Z, got ${shown(value)}`);
    return { [field]: version };
  },
  pushCacheMillis: (value) => ({ defaultPushCacheMillis: integer(value, 10_000) }),
  defaultCacheMillis: (value) => ({ defaultCacheMillis: integer(value, 1_000) }),
  masters: (value) => ({ masters: list(value) }),
  distro: (value) => ({ distroEnabled: boolean(value) }),
  check: (value) => ({ healthCheckEnabled: boolean(value) }),
  pushEnabled: (value) => ({ pushEnabled: boolean(value) }),
  serviceStatusSynchronizationPeriodMillis: (value) => ({ serviceStatusSynchronizationPeriodMillis: integer(value, 5_000) }),
  serverStatusSynchronizationPeriodMillis: (value) => ({ serverStatusSynchronizationPeriodMillis: integer(value, 1_000) }),
  healthCheckTimes: (value) => ({ checkTimes: integer(value, 1) }),
  disableAddIP: (value) => ({ disableAddIP: boolean(value) }),
  sendBeatOnly: (value) => ({ sendBeatOnly: boolean(value) }),
  limitedUrlMap: (value) => ({
    limitedUrlMap: value === 'null' ? {} : Object.fromEntries(list(value).map((pair) => limitedUrl(pair))),
  }),
  enableStandalone: (value) => ({ enableStandalone: boolean(value) }),
  overriddenServerStatus: (value) => ({ overriddenServerStatus: value === 'null' || value === '' ? null : state(value) }),
  defaultInstanceEphemeral: (value) => ({ defaultInstanceEphemeral: boolean(value) }),
  distroServerExpiredMillis: (value) => ({ distroServerExpiredMillis: integer(value, 1) }),
  lightBeatEnabled: (value) => ({ lightBeatEnabled: boolean(value) }),
  // Nacos shows it and lets nobody set it.
  healthCheckWhiteList: (value) => ({ healthCheckWhiteList: value === 'null' ? [] : list(value).map(grouped) }),
  autoChangeHealthCheckEnabled: (value) => ({ autoChangeHealthCheckEnabled: boolean(value) }),
};

function boolean(value: string): boolean {
  return value.toLowerCase() === 'true';
}

function number(value: string, above: number): number {
  const parsed = Number(value);
  if (value === '' || !Number.isFinite(parsed) || parsed <= above)
    throw new RequestError('invalid', `the value must be a number above ${above}, got ${shown(value)}`);
  return parsed;
}

function integer(value: string, least: number): number {
  const parsed = Number(value);
  if (!/^\d+$/.test(value) || parsed < least || parsed > 2 ** 31)
    throw new RequestError('invalid', `the value must be a whole number of at least ${least}, got ${shown(value)}`);
  return parsed;
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `GROUP@@NAME`, also for a bare name. */
function grouped(name: string): string {
  return groupedName(checkedService(name, HOME.namespace, HOME.group));
}

/** `/nacos/v1/ns/x:418` */
function limitedUrl(pair: string): [string, number] {
  const [, prefix, status] = /^(\/.*):(\d{3})$/.exec(pair) ?? [];
  if (prefix === undefined || Number(status) < 200 || Number(status) > 599)
    throw new RequestError('invalid', `limitedUrlMap must be PREFIX:STATUS,..., got ${shown(pair)}`);
  return [prefix, Number(status)];
}

function state(value: string): ServerStatus {
  const found = STATES.find((known) => known === value);
  if (found === undefined)
    throw new RequestError('invalid', `the value must be one of ${STATES.join(', ')}, got ${shown(value)}`);
  return found;
}

/** One switch that is not as at the start, in the words in which it is set. */
export interface SwitchEntry {
  readonly entry: string;
  readonly value: string;
}

/** What of these values, as they are shown, is not as at the start: what would have to be said to a new server. */
export function changedEntries(shownValues: Readonly<Record<string, unknown>>): readonly SwitchEntry[] {
  const given = new Map(Object.entries(shownValues));
  return Object.entries(DEFAULTS).flatMap(([field, value]): SwitchEntry[] => {
    const now = given.get(field);
    if (now === undefined || JSON.stringify(now) === JSON.stringify(value)) return [];
    const language = Object.entries(PUSH_VERSIONS).find(([, name]) => name === field)?.[0];
    if (language !== undefined) return [{ entry: 'pushVersion', value: `${language}:${String(now)}` }];
    const entry = Object.hasOwn(ENTRIES, field) ? field : ENTRY_OF[field];
    return entry === undefined ? [] : [{ entry, value: written(now) }];
  });
}

/** Where what is set is called otherwise than what is shown. */
const ENTRY_OF: Readonly<Record<string, string>> = {
  defaultPushCacheMillis: 'pushCacheMillis',
  distroEnabled: 'distro',
  healthCheckEnabled: 'check',
  checkTimes: 'healthCheckTimes',
};

/** A list with commas, and a map as PREFIX:STATUS; nothing of either is `null`. */
function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Array.isArray(value) ? value.map(String) : Object.entries(value).map(([key, item]) => `${key}:${String(item)}`);
  return parts.length === 0 ? 'null' : parts.join(',');
}
