import { parse } from 'node:querystring';
import type { Edit, InstanceId, Metadata, Registration, Silence } from '../registry/instance.ts';
import { DEFAULT_SILENCE } from '../registry/instance.ts';
import { DEFAULT_GROUP, DEFAULT_NAMESPACE, parseServiceName, type ServiceName } from '../registry/service-name.ts';

/**
 * Query, form and beat JSON -> typed commands, with every default and leniency that Nacos clients count on. It never answers: what
 * cannot be read is a `RequestError`.
 */
export type Params = Readonly<Record<string, string | undefined>>;

export type Reason = 'invalid' | 'not-found' | 'too-large' | 'no-such-api';

/** The request is at fault. The text is for the caller, shows the value and is bounded. */
export class RequestError extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Parameters may stand in the query or in the form for any method; the query wins, and of several values the first. A bad
 * %-escape stays as it is: the Go client (1.1.6) sends forms that it has not encoded.
 */
export function readParams(query: string, form: string): Params {
  const params: Record<string, string | undefined> = Object.create(null);
  for (const source of [form, query]) {
    if (source === '') continue;
    for (const [name, value] of Object.entries(parse(source))) params[name] = Array.isArray(value) ? value[0] : value;
  }
  return params;
}

/** `dom` is what the clients before 0.8 called it. */
export function readService(params: Params): ServiceName {
  const namespace = optional(params, 'namespaceId') ?? DEFAULT_NAMESPACE;
  checkText('namespaceId/tenant', namespace, 64, NAMESPACE);
  const text = optional(params, 'serviceName') ?? optional(params, 'dom');
  if (text === undefined) throw missing('serviceName');
  return checkedService(text, namespace, optional(params, 'groupName') ?? DEFAULT_GROUP);
}

/** The place of an instance; its kind is another question, for most requests do not say. */
export function readPlace(params: Params, clusterAlias = true): InstancePlace {
  const cluster = optional(params, 'clusterName') ?? (clusterAlias ? optional(params, 'cluster') : undefined);
  return checkedPlace(required(params, 'ip'), required(params, 'port'), cluster);
}

export type InstancePlace = Omit<InstanceId, 'ephemeral'>;

/** As given, or undefined. */
export function readEphemeral(params: Params): boolean | undefined {
  return optionalBoolean(params, 'ephemeral');
}

export function readRegistration(params: Params, defaultEphemeral = true): Registration {
  return {
    ...readPlace(params),
    ephemeral: readEphemeral(params) ?? defaultEphemeral,
    healthy: optionalBoolean(params, 'healthy') ?? true,
    enabled: readEnabled(params) ?? true,
    weight: readWeight(params) ?? 1,
    metadata: readMetadata(params) ?? {},
  };
}

/** What the request names of the three; the rest stays. */
export function readPartialEdit(params: Params): Edit {
  const enabled = readEnabled(params);
  const weight = readWeight(params);
  const metadata = readMetadata(params);
  return {
    ...(enabled !== undefined && { enabled }),
    ...(weight !== undefined && { weight }),
    ...(metadata !== undefined && { metadata }),
  };
}

/** As `healthyOnly` and `isCheck` are read: only "true" is true. */
export function readFlag(params: Params, name: string): boolean {
  return optional(params, name)?.toLowerCase() === 'true';
}

/** `enable` is the older name and gives way. */
function readEnabled(params: Params): boolean | undefined {
  return optionalBoolean(params, 'enabled') ?? optionalBoolean(params, 'enable');
}

export function readHealthy(params: Params): boolean | undefined {
  return optionalBoolean(params, 'healthy');
}

/** A comma list; blanks do not count, and none means all. */
export function readClusters(params: Params): readonly string[] {
  const clusters = (optional(params, 'clusters') ?? '')
    .split(',')
    .map((cluster) => cluster.trim())
    .filter((cluster) => cluster !== '');
  for (const cluster of clusters) checkText('cluster', cluster, 64, CLUSTER);
  return clusters;
}

/** As sent, where the answer has to repeat it. */
export function readVerbatim(params: Params, name: string): string {
  return params[name] ?? '';
}

export interface Beat {
  readonly service: ServiceName;
  readonly place: InstancePlace;
  /** What a full beat says of the instance; a light beat says nothing. */
  readonly registration: Registration | undefined;
}

/** A full beat carries JSON in `beat`, a light one only ip, port and cluster. */
export function readBeat(params: Params): Beat {
  const service = readService(params);
  const text = optional(params, 'beat');
  const cluster = optional(params, 'clusterName');
  if (text === undefined) {
    const ip = optional(params, 'ip') ?? '';
    return { service, place: checkedPlace(ip, optional(params, 'port') ?? '0', cluster), registration: undefined };
  }
  const beat = parseBeatJson(text);
  const ip = scalar(beat, 'ip')?.trim() ?? '';
  if (ip === '') throw missing('ip');
  const place = checkedPlace(ip, scalar(beat, 'port') ?? '0', scalar(beat, 'cluster')?.trim() || cluster);
  const registration: Registration = {
    ...place,
    ephemeral: truth(scalar(beat, 'ephemeral')) ?? true,
    healthy: true,
    enabled: true,
    // A beat that names no weight means 0: so reads every Nacos (RsInfo's default).
    weight: parseNumber(scalar(beat, 'weight') ?? '0'),
    metadata: metadataFrom(beat.metadata ?? {}) ?? fail(`metadata format incorrect:${shown(text)}`),
  };
  return { service, place, registration };
}

/** How long an instance with this metadata may be silent. Only whole, positive numbers of milliseconds count. */
export function silenceOf(metadata: Metadata): Silence {
  const beatIntervalMs = milliseconds(metadata['preserved.heart.beat.interval']);
  const unhealthyAfterMs = milliseconds(metadata['preserved.heart.beat.timeout']);
  const removedAfterMs = milliseconds(metadata['preserved.ip.delete.timeout']);
  if ((beatIntervalMs ?? unhealthyAfterMs ?? removedAfterMs) === undefined) return DEFAULT_SILENCE;
  return {
    beatIntervalMs: beatIntervalMs ?? DEFAULT_SILENCE.beatIntervalMs,
    unhealthyAfterMs: unhealthyAfterMs ?? DEFAULT_SILENCE.unhealthyAfterMs,
    removedAfterMs: removedAfterMs ?? DEFAULT_SILENCE.removedAfterMs,
  };
}

// An answer of 0 would make clients beat in a busy loop, and 2^31 ms are 24 days.
function milliseconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 ? Math.min(value, 2 ** 31) : undefined;
}

function optional(params: Params, name: string): string | undefined {
  const value = params[name]?.trim();
  return value === '' ? undefined : value;
}

function required(params: Params, name: string): string {
  const value = optional(params, name);
  if (value === undefined) throw missing(name);
  return value;
}

function missing(name: string): RequestError {
  return new RequestError('invalid', `Param '${name}' is required.`);
}

function fail(message: string): never {
  throw new RequestError('invalid', message);
}

function optionalBoolean(params: Params, name: string): boolean | undefined {
  return truth(optional(params, name));
}

const TRUE = new Set(['true', 'on', 'yes', 'y', 't']);

function truth(text: string | undefined): boolean | undefined {
  return text === undefined || text.trim() === '' ? undefined : TRUE.has(text.trim().toLowerCase());
}

function readWeight(params: Params): number | undefined {
  const text = optional(params, 'weight');
  if (text === undefined) return undefined;
  const weight = parseNumber(text);
  if (weight < 0 || weight > 10_000) fail('instance format invalid: The weights range from 0.0 to 10000.0');
  return weight > 0 ? Math.max(weight, 0.01) : 0;
}

function parseNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : fail(`For input string: "${shown(text)}"`);
}

function readMetadata(params: Params): Metadata | undefined {
  const text = optional(params, 'metadata');
  if (text === undefined) return undefined;
  return metadataFrom(parseJson(text)) ?? pairs(text) ?? fail(`metadata format incorrect:${shown(text)}`);
}

/** Scalars become strings; undefined for what is no flat object. */
function metadataFrom(value: unknown): Metadata | undefined {
  if (!isObject(value)) return undefined;
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'object' && item !== null) return undefined;
    entries.push([key, item === null ? '' : String(item)]);
  }
  return Object.fromEntries(entries);
}

/** `k1=v1,k2=v2` */
function pairs(text: string): Metadata | undefined {
  const entries = text.split(',').map((pair) => pair.split('='));
  return entries.every((entry) => entry.length === 2 && entry[0] !== '') ? Object.fromEntries(entries) : undefined;
}

function parseBeatJson(text: string): Readonly<Record<string, unknown>> {
  const beat = parseJson(text);
  return isObject(beat) ? beat : fail(`beat must be a JSON object, got ${shown(text)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A scalar of the beat as text; a list or an object is refused, null counts as missing. */
function scalar(beat: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = beat[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') fail(`${name} of the beat must be a scalar, got ${shown(JSON.stringify(value))}`);
  return String(value);
}

const NAMESPACE = /^[\w-]+$/;
const GROUP = /^[\w\-:.]+$/;
const NAME = /^(?!@)(?:(?!@@)[^\u4E00-\u9FA5\s])+$/;
const CLUSTER = /^[\w-]+$/;
const IP = /^[^\u4E00-\u9FA5\s]+$/;

function checkedService(text: string, namespace: string, defaultGroup: string): ServiceName {
  const service = parseServiceName(text, namespace, defaultGroup);
  if (service === undefined) fail("Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'");
  checkText('group', service.group, 128, GROUP);
  checkText('serviceName', service.name, 512, NAME);
  return service;
}

function checkedPlace(ip: string, port: string, cluster = 'DEFAULT'): InstancePlace {
  if (ip !== '') checkText('ip', ip, 128, IP);
  checkText('cluster', cluster, 64, CLUSTER);
  const number = Number(port.trim());
  if (!/^\d+$/.test(port.trim()) || number > 65_535) fail("Param 'port' is illegal, the value should be between 0 and 65535.");
  return { ip, port: number, cluster };
}

// The texts are those of Nacos from 2.3 on.
function checkText(param: string, text: string, maxLength: number, form: RegExp): void {
  if (text.length > maxLength) fail(`Param '${param}' is illegal, the param length should not exceed ${maxLength}.`);
  if (!form.test(text)) fail(`Param '${param}' is illegal, illegal characters should not appear in the param.`);
}

function shown(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
