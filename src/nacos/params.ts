import { parse, unescape as unescapeQuery } from 'node:querystring';
import { flat } from '../registry/flat.ts';
import type { Edit, InstanceId, Metadata, Registration, Silence } from '../registry/instance.ts';
import { DEFAULT_SILENCE } from '../registry/instance.ts';
import { DEFAULT_GROUP, DEFAULT_NAMESPACE, parseServiceName, type ServiceName } from '../registry/service-name.ts';
import { type Check, type ClusterSettings, DEFAULT_CLUSTER, type ServiceSettings } from '../registry/service-settings.ts';
import { MissingParam, type Reason, RequestError, shown } from './request-error.ts';

/**
 * Query, form and beat JSON -> typed commands, with every default and leniency that Nacos clients count on; and the checks of single
 * values, which `bodies.ts` makes of 2.x's JSON too. It never answers: what cannot be read is a `RequestError`.
 */
export type Params = Readonly<Record<string, string | undefined>>;

/**
 * Parameters may stand in the query or in the form for any method; the query wins, and of several values the first. A bad
 * %-escape stays as it is: the Go client (1.1.6) sends forms that it has not encoded. What is beyond ASCII in them is encoded
 * before they are read, because beside a bad escape Node keeps only the low byte of each character.
 */
export function readParams(query: string, form: string): Params {
  const params: Record<string, string | undefined> = Object.create(null);
  for (const source of [form, query]) {
    if (source === '') continue;
    for (const [name, value] of Object.entries(parse(source.replace(BEYOND_ASCII, encoded))))
      params[name] = Array.isArray(value) ? value[0] : value;
  }
  return params;
}

const BEYOND_ASCII = /[^\0-\x7f]+/g;

/** By way of bytes, as `encodeURIComponent` throws on half a surrogate pair. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** `dom` is what the clients before 0.8 called it. */
export function readService(params: Params): ServiceName {
  const namespace = readNamespace(params);
  const text = optional(params, 'serviceName') ?? optional(params, 'dom');
  if (text === undefined) throw new MissingParam('serviceName');
  return checkedService(text, namespace, optional(params, 'groupName') ?? DEFAULT_GROUP);
}

export function readNamespace(params: Params): string {
  return checkedNamespace(optional(params, 'namespaceId') ?? DEFAULT_NAMESPACE);
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

/** `valid` is the older name. */
export function readHealthy(params: Params): boolean | undefined {
  return optionalBoolean(params, 'healthy') ?? optionalBoolean(params, 'valid');
}

/** A whole number of at least 0, as pages are counted; anything that is none is refused. */
export function readCount(params: Params, name: string, fallback?: number): number {
  const text = fallback === undefined ? required(params, name) : optional(params, name);
  if (text === undefined) return fallback ?? 0;
  // Spring Cloud asks for pages of 2147483647; a page before the first is the first.
  return /^-?\d{1,10}$/.test(text) ? Math.max(Number(text), 0) : fail(`For input string: "${shown(text)}"`);
}

/** Settings as a request names them, over those in force. */
export function readServiceSettings(
  params: Params,
  now: Pick<ServiceSettings, 'clusters'>,
  thresholdRequired: boolean,
): ServiceSettings {
  const threshold = thresholdRequired ? required(params, 'protectThreshold') : (optional(params, 'protectThreshold') ?? '0');
  const protectThreshold = parseNumber(threshold);
  if (protectThreshold < 0 || protectThreshold > 1) fail(`protectThreshold must be 0..1, got ${shown(threshold)}`);
  return { protectThreshold, metadata: readMetadata(params) ?? {}, selector: readSelector(params), clusters: now.clusters };
}

/** Some clients encode it twice. */
function readSelector(params: Params): JsonObject {
  const text = optional(params, 'selector');
  if (text === undefined) return { type: 'none' };
  const selector = parseJson(text) ?? parseJson(unescapeQuery(text));
  return isObject(selector) ? selector : fail(`selector must be a JSON object, got ${shown(text)}`);
}

export function readClusterSettings(params: Params): ClusterSettings {
  const checkPort = Number(required(params, 'checkPort'));
  if (!Number.isInteger(checkPort) || checkPort < 0 || checkPort > 65_535)
    fail(`checkPort must be 0..65535, got ${shown(required(params, 'checkPort'))}`);
  return {
    checkPort,
    useInstancePort: truth(required(params, 'useInstancePort4Check')) ?? DEFAULT_CLUSTER.useInstancePort,
    check: readCheck(required(params, 'healthChecker')),
    metadata: readMetadata(params) ?? {},
  };
}

function readCheck(text: string): Check {
  const json = parseJson(text);
  if (!isObject(json)) fail(`healthChecker must be a JSON object, got ${shown(text)}`);
  switch (scalar(json, 'type')?.toUpperCase()) {
    case 'TCP':
      return { type: 'tcp' };
    case 'HTTP':
      return {
        type: 'http',
        path: scalar(json, 'path') ?? '',
        headers: scalar(json, 'headers') ?? '',
        expectedResponseCode: parseNumber(scalar(json, 'expectedResponseCode') ?? '200'),
      };
    case 'MYSQL':
      return {
        type: 'mysql',
        user: scalar(json, 'user') ?? '',
        password: scalar(json, 'pwd') ?? '',
        command: scalar(json, 'cmd') ?? '',
      };
    default:
      return { type: 'none' };
  }
}

/** Which instances a batch is about: all of a kind, or those that it lists. */
export function readBatch(params: Params): { readonly ephemeral: boolean } | readonly InstanceId[] {
  const consistency = optional(params, 'consistencyType');
  if (consistency === 'ephemeral' || consistency === 'persist') return { ephemeral: consistency === 'ephemeral' };
  const text = optional(params, 'instances');
  if (text === undefined) return [];
  const list = parseJson(text);
  if (!Array.isArray(list) || !list.every(isObject)) fail(`instances must be a JSON array of objects, got ${shown(text)}`);
  return list.map((item) => ({
    ...checkedPlace(scalar(item, 'ip') ?? '', scalar(item, 'port') ?? '', scalar(item, 'clusterName')?.trim() || undefined),
    ephemeral: truth(scalar(item, 'ephemeral')) ?? true,
  }));
}

/** A comma list; blanks do not count, and none means all. */
export function readClusters(text: string): readonly string[] {
  // It is kept with a subscription, to the letter.
  if (text.length > MAX_CLUSTERS_LENGTH) fail(`clusters must have at most ${MAX_CLUSTERS_LENGTH} characters, got ${text.length}`);
  const clusters = text
    .split(',')
    .map((cluster) => cluster.trim())
    .filter((cluster) => cluster !== '');
  for (const cluster of clusters) checkText('cluster', cluster, 64, CLUSTER);
  return clusters;
}

const MAX_CLUSTERS_LENGTH = 1_024;

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
  if (ip === '') throw new MissingParam('ip');
  const place = checkedPlace(ip, scalar(beat, 'port') ?? '0', scalar(beat, 'cluster')?.trim() || cluster);
  const registration: Registration = {
    ...place,
    ephemeral: truth(scalar(beat, 'ephemeral')) ?? true,
    healthy: true,
    enabled: true,
    // A beat that names no weight means 0: so reads every Nacos (RsInfo's default).
    weight: parseNumber(scalar(beat, 'weight') ?? '0'),
    metadata: metadataFrom(beat.metadata ?? {}) ?? fail(`metadata format incorrect:${shown(text)}`, 'bad-metadata'),
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

/** What stands between braces in JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function optional(params: Params, name: string): string | undefined {
  const value = params[name]?.trim();
  return value === '' ? undefined : value;
}

export function required(params: Params, name: string): string {
  const value = optional(params, name);
  if (value === undefined) throw new MissingParam(name);
  return value;
}

function fail(message: string, reason: Reason = 'invalid'): never {
  throw new RequestError(reason, message);
}

function optionalBoolean(params: Params, name: string): boolean | undefined {
  return truth(optional(params, name));
}

const TRUE = new Set(['true', 'on', 'yes', 'y', 't']);

export function truth(text: string | undefined): boolean | undefined {
  return text === undefined || text.trim() === '' ? undefined : TRUE.has(text.trim().toLowerCase());
}

function readWeight(params: Params): number | undefined {
  const text = optional(params, 'weight');
  if (text === undefined) return undefined;
  return checkedWeight(text);
}

export function checkedWeight(text: string): number {
  const weight = parseNumber(text);
  if (weight < 0 || weight > 10_000) fail('instance format invalid: The weights range from 0.0 to 10000.0', 'bad-weight');
  return weight > 0 ? Math.max(weight, 0.01) : 0;
}

function parseNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : fail(`For input string: "${shown(text)}"`);
}

export function readMetadata(params: Params): Metadata | undefined {
  const text = optional(params, 'metadata');
  if (text === undefined) return undefined;
  return metadataFrom(parseJson(text)) ?? pairs(text) ?? fail(`metadata format incorrect:${shown(text)}`, 'bad-metadata');
}

/** Scalars become strings; undefined for what is no flat object. PHP writes an empty map as an empty list. */
export function metadataFrom(value: unknown): Metadata | undefined {
  if (Array.isArray(value) && value.length === 0) return {};
  if (!isObject(value)) return undefined;
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'object' && item !== null) return undefined;
    entries.push([key, item === null ? '' : String(item)]);
  }
  return bounded(Object.fromEntries(entries));
}

/** `k1=v1,k2=v2` */
function pairs(text: string): Metadata | undefined {
  const entries = text.split(',').map((pair) => pair.split('='));
  return entries.every((entry) => entry.length === 2 && entry[0] !== '') ? flat(bounded(Object.fromEntries(entries))) : undefined;
}

/** Nacos 2.3 and later stop at 1,024 unless told otherwise; the registry must hold a million of these. */
const MAX_METADATA_LENGTH = 16 << 10;

function bounded(metadata: Metadata): Metadata {
  let length = 0;
  for (const [key, value] of Object.entries(metadata)) length += key.length + value.length;
  if (length > MAX_METADATA_LENGTH)
    fail(`Param 'Metadata' is illegal, the param length should not exceed ${MAX_METADATA_LENGTH}.`, 'bad-metadata');
  return metadata;
}

function parseBeatJson(text: string): JsonObject {
  const beat = parseJson(text);
  return isObject(beat) ? beat : fail(`beat must be a JSON object, got ${shown(text)}`);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A scalar of JSON as text; a list or an object is refused, null counts as missing. */
export function scalar(json: JsonObject, name: string): string | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') fail(`${name} must be a scalar, got ${shown(JSON.stringify(value))}`);
  return String(value);
}

export function checkedNamespace(namespace: string): string {
  checkText('namespaceId/tenant', namespace, 64, NAMESPACE);
  return namespace;
}

const NAMESPACE = /^[\w-]+$/;
const GROUP = /^[\w\-:.]+$/;
const NAME = /^(?!@)(?:(?!@@)[^\u4E00-\u9FA5\s])+$/;
const CLUSTER = /^[\w-]+$/;
const IP = /^[^\u4E00-\u9FA5\s]+$/;

export function checkedService(text: string, namespace: string, defaultGroup: string): ServiceName {
  const service = parseServiceName(text, namespace, defaultGroup);
  if (service === undefined) fail("Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'");
  checkText('group', service.group, 128, GROUP);
  checkText('serviceName', service.name, 512, NAME);
  return service;
}

export function checkedPlace(ip: string, port: string, cluster = 'DEFAULT'): InstancePlace {
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
