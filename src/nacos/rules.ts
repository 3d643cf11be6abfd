import { askedCheckOf } from '../registry/check-metadata.ts';
import { type Address, DEFAULT_SILENCE, type Metadata, type Registration, type Silence } from '../registry/instance.ts';
import { parseServiceName, type ServiceName } from '../registry/service-name.ts';
import type { ConfigId } from './configs.ts';
import { RequestError, shown, TooLong } from './errors.ts';
import { isObject, type JsonObject, scalar, shownJson } from './json.ts';

/**
 * What Nacos takes for granted and what it refuses, each rule once, for every version and transport: the defaults of names and
 * registrations, the form of names and values, silence, protection, pages. Nothing here reads a request or touches the registry.
 */

/** What is meant where no namespace and no group is said. */
export const HOME = { namespace: 'public', group: 'DEFAULT_GROUP' } as const;
/** The cluster of an instance that names none. */
export const DEFAULT_CLUSTER_NAME = 'DEFAULT';

/** Where an instance is, as a request says. Only the address tells whom it means. */
export interface Place extends Address {
  readonly cluster: string;
}

/** What a request says of an instance; undefined is what it leaves out. */
export type Named = Address & { readonly [K in Exclude<keyof Registration, keyof Address>]?: Registration[K] | undefined };

const NO_METADATA: Metadata = {};

/** A registration from what a request says, and for what it leaves out, from `otherwise` and then the defaults. */
export function registrationOf(named: Named, otherwise: Partial<Registration> = {}): Registration {
  return {
    ip: named.ip,
    port: named.port,
    cluster: named.cluster ?? otherwise.cluster ?? DEFAULT_CLUSTER_NAME,
    ephemeral: named.ephemeral ?? otherwise.ephemeral ?? true,
    weight: named.weight ?? otherwise.weight ?? 1,
    enabled: named.enabled ?? otherwise.enabled ?? true,
    healthy: named.healthy ?? otherwise.healthy ?? true,
    metadata: named.metadata ?? otherwise.metadata ?? NO_METADATA,
  };
}

/** The namespace, if it may be called so. */
export function checkedNamespace(namespace: string): string {
  // As most are called.
  if (namespace !== HOME.namespace) checkText('namespaceId/tenant', namespace, 64, NAMESPACE);
  return namespace;
}

/** Reads `name` or `group@@name`. */
export function checkedService(text: string, namespace: string, group: string): ServiceName {
  const service = parseServiceName(text, namespace, group);
  if (service === undefined) fail("Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'");
  if (service.group !== HOME.group) checkText('group', service.group, 128, GROUP);
  if (!PLAIN_NAME.test(service.name)) checkText('serviceName', service.name, 512, NAME);
  return service;
}

/**
 * Reads what names a text of the configuration service. The default namespace is blank to some clients, and to others it is called;
 * whoever has published into it under one of these finds it under all. A blank data id is for the caller to refuse.
 */
export function checkedConfigId(tenant: string, groupText: string, dataIdText: string): ConfigId {
  const namespace = DEFAULT_TENANT.test(tenant.trim()) ? HOME.namespace : checkedNamespace(tenant.trim());
  const group = groupText.trim() || HOME.group;
  const dataId = dataIdText.trim();
  checkText('group', group, 128, GROUP);
  if (dataId !== '') checkText('dataId', dataId, 256, GROUP);
  return { namespace, group, dataId };
}

/** As Nacos 3 folds them, for every version: 2.5.1 keeps what is published into `public` where no reader finds it. */
const DEFAULT_TENANT = /^(public|null)?$/i;

/** What a publisher says of a text; blank is as good as unsaid. */
export interface Publication {
  readonly content: string;
  readonly type: string;
  /** Some readers alone are to have it. */
  readonly tag: string;
  readonly betaIps: string;
  /** What readers need to decipher it. */
  readonly encryptedDataKey: string;
}

/** The text, if it is one for every reader, and its type: Nacos takes what it does not know for `text`. */
export function checkedPublication({ content, type, ...unkept }: Publication): {
  readonly content: string;
  readonly type: string;
} {
  if (content.trim() === '') throw new RequestError('missing-param', 'caused: content is blank : ;', CONTENT_MISSING);
  for (const [name, value] of Object.entries(unkept))
    if (value.trim() !== '')
      fail(`${name} must be left out, got "${shown(value)}": a text is for all readers, and kept as it is`);
  return { content, type: CONFIG_TYPES.has(type) ? type : 'text' };
}

const CONTENT_MISSING = "Required parameter 'content' type String is not present";
const CONFIG_TYPES = new Set(['properties', 'xml', 'json', 'text', 'html', 'yaml', 'toml']);

/** Reads the place of an instance. A blank ip is for the caller to refuse: a light beat may do without. */
export function checkedPlace(ip: string, port: string, cluster: string = DEFAULT_CLUSTER_NAME): Place {
  if (ip !== '') checkText('ip', ip, 128, IP);
  checkedCluster(cluster);
  const digits = port.trim();
  const number = Number(digits);
  if (!DIGITS.test(digits) || number > 65_535) fail("Param 'port' is illegal, the value should be between 0 and 65535.");
  return { ip, port: number, cluster };
}

/** The cluster, if it may be called so. */
export function checkedCluster(cluster: string): string {
  if (cluster !== DEFAULT_CLUSTER_NAME) checkText('cluster', cluster, 64, CLUSTER);
  return cluster;
}

/** 0, or 0.01 to 10000. */
export function checkedWeight(text: string): number {
  const weight = checkedNumber(text);
  if (weight < 0 || weight > 10_000)
    throw new RequestError('bad-weight', 'instance format invalid: The weights range from 0.0 to 10000.0');
  return weight > 0 ? Math.max(weight, 0.01) : 0;
}

/** 0 to 1. What is less or more means the nearer of them: 2.x takes it, and the tests of nacos-sdk-cpp send 2. */
export function checkedThreshold(text: string): number {
  return Math.min(Math.max(checkedNumber(text), 0), 1);
}

/** By what consumers are said to be matched with instances. Nobody is chosen by it here. */
export interface Selector {
  readonly type: string;
  readonly expression?: string;
}

/** What Nacos knows of a selector, if it knows the type. */
export function checkedSelector(json: JsonObject): Selector {
  const type = scalar(json, 'type') ?? '';
  const expression = scalar(json, 'expression');
  if (expression !== undefined && expression.length > MAX_EXPRESSION_LENGTH)
    throw new RequestError('bad-selector', `expression must have at most ${MAX_EXPRESSION_LENGTH} characters`);
  if (!SELECTOR_TYPES.includes(type)) {
    const right = `its type must be ${SELECTOR_TYPES.join(' or ')}, got ${shownJson(json)}`;
    throw new RequestError('bad-selector', `not match any type of selector! ${right}`);
  }
  return { type, ...(expression !== undefined && { expression }) };
}

const MAX_EXPRESSION_LENGTH = 4_096;

/** What a selector may be. */
export const SELECTOR_TYPES: readonly string[] = ['label', 'none'];

/** Any finite number. */
export function checkedNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : fail(`For input string: "${shown(text)}"`);
}

/** A comma list of clusters; blanks do not count, and none means all. */
export function readClusters(text: string): readonly string[] {
  if (text === '') return EVERY_CLUSTER;
  // It is kept with a subscription, to the letter.
  if (text.length > MAX_CLUSTERS_LENGTH) fail(`clusters must have at most ${MAX_CLUSTERS_LENGTH} characters, got ${text.length}`);
  const clusters = text
    .split(',')
    .map((cluster) => cluster.trim())
    .filter((cluster) => cluster !== '');
  for (const cluster of clusters) checkedCluster(cluster);
  return clusters;
}

const EVERY_CLUSTER: readonly string[] = [];
const MAX_CLUSTERS_LENGTH = 1_024;

/** Scalars become strings; undefined for what is no flat object. PHP writes an empty map as an empty list. */
export function metadataFrom(value: unknown): Metadata | undefined {
  if (Array.isArray(value) && value.length === 0) return {};
  if (!isObject(value)) return undefined;
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'object' && item !== null) return undefined;
    entries.push([key, item === null ? '' : String(item)]);
  }
  return Object.fromEntries(entries);
}

/** Nacos 2.3 and later stop at 1,024 characters unless told otherwise; the registry must hold a million of these. */
export function checkedMetadata(metadata: Metadata, maxLength: number): Metadata {
  if (lengthOf(metadata) > maxLength)
    throw new TooLong(
      'metadata of one',
      'bad-metadata',
      `Param 'Metadata' is illegal, the param length should not exceed ${maxLength}. (--max-metadata-length)`,
    );
  return metadata;
}

/** Keys and values, in characters. */
export function lengthOf(metadata: Metadata): number {
  let length = 0;
  for (const [key, value] of Object.entries(metadata)) length += key.length + value.length;
  return length;
}

/** Metadata of an instance: not too much of it, and what it says of silence and of checks makes sense. */
export function checkedInstanceMetadata(metadata: Metadata, maxLength: number): Metadata {
  checkSilence(silenceOf(checkedMetadata(metadata, maxLength)));
  const asked = askedCheckOf(metadata);
  if (asked !== undefined && 'fault' in asked) throw new RequestError('bad-metadata', asked.fault);
  return metadata;
}

/**
 * An instance that is to beat less often than it may be silent would be healthy and unhealthy by turns for ever; Nacos 2.5.1 refuses it
 * too.
 */
function checkSilence(silence: Silence): void {
  if (silence === DEFAULT_SILENCE) return;
  const { beatIntervalMs = DEFAULT_BEAT_INTERVAL_MS, unhealthyAfterMs, removedAfterMs } = silence;
  if (beatIntervalMs < unhealthyAfterMs && unhealthyAfterMs < removedAfterMs) return;
  const text =
    `preserved.heart.beat.interval (${beatIntervalMs}) must be below preserved.heart.beat.timeout (${unhealthyAfterMs}), ` +
    `and that below preserved.ip.delete.timeout (${removedAfterMs}), in milliseconds`;
  throw new RequestError('bad-instance', text);
}

/** What an instance is taken to beat at that does not say it. */
export const DEFAULT_BEAT_INTERVAL_MS = DEFAULT_SILENCE.unhealthyAfterMs / 3;

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

/** No client is asked to beat more often, whatever its metadata say: one would cost as much as a thousand others. */
export const LEAST_BEAT_INTERVAL_MS = 100;

// An answer of 0 would make clients beat in a busy loop, and 2^31 ms are 24 days.
function milliseconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 ? Math.min(value, 2 ** 31) : undefined;
}

/** Whether the share of the healthy among `instances` is no larger than the threshold; never where there is no instance. */
export function reachesProtection(instances: readonly { readonly healthy: boolean }[], threshold: number): boolean {
  return isProtected({ total: instances.length, healthy: instances.filter(({ healthy }) => healthy).length }, threshold);
}

/** The same, of instances that have been counted. */
export function isProtected(
  { total, healthy }: { readonly total: number; readonly healthy: number },
  threshold: number,
): boolean {
  return total > 0 && healthy / total <= threshold;
}

/** Pages count from 1. */
export interface Page {
  readonly pageNo: number;
  readonly pageSize: number;
}

/** One page of a list. Pages count from 1, and one before the first is the first. */
export function pageOf<T>(items: readonly T[], pageNo: number, pageSize: number): readonly T[] {
  const start = (Math.max(pageNo, 1) - 1) * pageSize;
  return items.slice(start, start + pageSize);
}

const NAMESPACE = /^[\w-]+$/;
const GROUP = /^[\w\-:.]+$/;
const NAME = /^(?!@)(?:(?!@@)[^\u4E00-\u9FA5\s])+$/;
/** As nearly all services are called: told in a fraction of the time, and at every beat. */
const PLAIN_NAME = /^[\w.:-]{1,512}$/;
const CLUSTER = /^[\w-]+$/;
const DIGITS = /^\d+$/;
const IP = /^[^\u4E00-\u9FA5\s]+$/;

// The texts are those of Nacos from 2.3 on.
function checkText(param: string, text: string, maxLength: number, form: RegExp): void {
  if (text.length > maxLength) fail(`Param '${param}' is illegal, the param length should not exceed ${maxLength}.`);
  if (!form.test(text)) fail(`Param '${param}' is illegal, illegal characters should not appear in the param.`);
}

function fail(message: string): never {
  throw new RequestError('invalid', message);
}
