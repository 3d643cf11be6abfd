import type { Registration } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import { MissingParam, RequestError, shown } from '../errors.ts';
import { isObject, type JsonObject, parseJson, scalar, shownJson, truth } from '../json.ts';
import {
  checkedInstanceMetadata,
  checkedNamespace,
  checkedPlace,
  checkedService,
  checkedWeight,
  HOME,
  metadataFrom,
  readClusters,
  registrationOf,
} from '../rules.ts';
import { each, type Paused } from '../turns.ts';

/**
 * JSON bodies of the 2.x protocol -> typed commands, with the leniency that clients count on: null is as good as nothing, blanks
 * are defaults, and what is not known is not looked at.
 */

/** Undefined for what is no JSON object; refused when it is nested too deep. */
export function readBody(bytes: Uint8Array, { maxBytes, maxValues }: BodyLimits = FEW): JsonObject | undefined {
  if (bytes.length > maxBytes)
    throw new RequestError('too-large', `the body must not exceed ${maxBytes} bytes, got ${bytes.length}`);
  const value = parseJson(decoder.decode(bytes), maxValues);
  return isObject(value) ? value : undefined;
}

/** What a body may have, so that it is read in one turn of the event loop. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** As JSON has them, lists and objects too. */
  readonly maxValues: number;
}

/** Nearly all have little to say. */
const FEW: BodyLimits = { maxBytes: 256 << 10, maxValues: 10_000 };

/** Of a text of the configuration service; how long it may be, others say. */
export const ONE_TEXT: BodyLimits = { maxBytes: Number.POSITIVE_INFINITY, maxValues: FEW.maxValues };

/** Of a list of so many things, each of which is said with no more than 32 values. */
export function listOf(count: number): BodyLimits {
  return { maxBytes: Number.POSITIVE_INFINITY, maxValues: Math.max(FEW.maxValues, 32 * count) };
}

/** Of one instance. */
export function oneInstance({ maxMetadataLength }: InstanceLimits): BodyLimits {
  return { ...FEW, maxBytes: Math.max(FEW.maxBytes, 8 * maxMetadataLength) };
}

const decoder = new TextDecoder();

/** Text, "" when it is left out. What is kept for long, or echoed, must be short: a message may have 10 MiB. */
export function textOf(body: JsonObject, name: string, maxLength = MAX_TEXT_LENGTH): string {
  const text = scalar(body, name) ?? '';
  if (text.length > maxLength) throw new RequestError('invalid', `${name} must have at most ${maxLength} characters`);
  return text;
}

/** Only true, or the word for it, is true. */
export function flagOf(body: JsonObject, name: string): boolean {
  return truth(scalar(body, name)) ?? false;
}

/** One of the words that the type of a request may be. */
export function typeOf<T extends string>(body: JsonObject, ...types: readonly T[]): T {
  const text = textOf(body, 'type');
  const type = types.find((known) => known === text);
  if (type === undefined) throw new RequestError('invalid', `type must be one of ${types.join(', ')}, got ${shown(text)}`);
  return type;
}

/** The namespace that a naming request means. Python's clients leave it blank in some kinds of request. */
export function namespaceOf(body: JsonObject): string {
  return checkedNamespace(textOf(body, 'namespace').trim() || HOME.namespace);
}

/** The group that a naming request means. */
export function groupOf(body: JsonObject): string {
  return textOf(body, 'groupName').trim() || HOME.group;
}

/** The service that a naming request is about. */
export function serviceOf(body: JsonObject): ServiceName {
  const name = textOf(body, 'serviceName').trim();
  if (name === '') throw new MissingParam('serviceName');
  return checkedService(name, namespaceOf(body), groupOf(body));
}

/** Which clusters of a service are to be seen. */
export interface ClusterQuery {
  /** Empty means all. */
  readonly clusters: readonly string[];
  /** As the client wrote them: it finds its cached data by name and this text. */
  readonly clustersVerbatim: string;
}

/** The clusters that a request names, under one name or another. */
export function clustersOf(body: JsonObject, name: string): ClusterQuery {
  const clustersVerbatim = textOf(body, name);
  return { clusters: readClusters(clustersVerbatim), clustersVerbatim };
}

export interface InstanceLimits {
  /** Characters of all keys and values of one instance. */
  readonly maxMetadataLength: number;
}

export interface BatchLimits extends InstanceLimits {
  /** Instances in one batch. */
  readonly maxBatch: number;
}

/** The one instance of a request. */
export function instanceOf(body: JsonObject, ephemeral: boolean, limits: InstanceLimits): Registration {
  if (!isObject(body.instance)) throw new MissingParam('instance');
  return readInstance(body.instance, ephemeral, limits);
}

/** All of a batch, which may be large. None is legal: it takes back what was registered before. */
export function* instancesOf(body: JsonObject, limits: BatchLimits): Paused<readonly Registration[]> {
  const { maxBatch } = limits;
  const list = body.instances ?? [];
  if (!Array.isArray(list) || !list.every(isObject)) throw new RequestError('invalid', 'instances must be a list of objects');
  if (list.length > maxBatch)
    throw new RequestError('too-many', `a batch must not have more than ${maxBatch} instances, got ${list.length} (--max-batch)`);
  const instances: Registration[] = [];
  yield* each(list, (instance) => void instances.push(readInstance(instance, true, limits)));
  return instances;
}

/** A page of a list; what is less than it can be counts as 0. Dubbo asks for page 0 and for 2147483647 entries. */
export function countOf(body: JsonObject, name: string): number {
  const value = Number(scalar(body, name) ?? 0);
  return Number.isInteger(value) && value > 0 ? value : 0;
}

/** How a client introduces itself. */
export interface Setup {
  readonly clientVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** It waits for the server's abilities: so do clients that name their own, though they name none. */
  readonly negotiates: boolean;
}

/** What a client says of itself when it sets up a connection. */
export function setupOf(body: JsonObject): Setup {
  const labels: [string, string][] = [];
  // What is too long, or no text, is left out: it is for operators to read, and no reason to turn a client away.
  for (const [name, value] of Object.entries(isObject(body.labels) ? body.labels : {}).slice(0, MAX_LABELS))
    if (name.length <= MAX_TEXT_LENGTH) labels.push([name, shortText(value)]);
  return {
    clientVersion: shortText(body.clientVersion),
    labels: Object.fromEntries(labels),
    negotiates: body.abilityTable !== undefined && body.abilityTable !== null,
  };
}

const MAX_LABELS = 100;
const MAX_TEXT_LENGTH = 1_024;

function shortText(value: unknown): string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH ? value : '';
}

/** Weight, health and the rest are taken as they are sent; whether it is ephemeral, the kind of request says. */
function readInstance(instance: JsonObject, ephemeral: boolean, { maxMetadataLength }: InstanceLimits): Registration {
  const ip = textOf(instance, 'ip').trim();
  if (ip === '') throw new MissingParam('ip');
  const weight = scalar(instance, 'weight');
  const metadata = metadataFrom(instance.metadata ?? {}) ?? badMetadata(instance);
  return registrationOf({
    ...checkedPlace(ip, textOf(instance, 'port') || '0', textOf(instance, 'clusterName').trim() || undefined),
    ephemeral,
    weight: weight === undefined ? undefined : checkedWeight(weight),
    healthy: truth(scalar(instance, 'healthy')),
    enabled: truth(scalar(instance, 'enabled')),
    metadata: checkedInstanceMetadata(metadata, maxMetadataLength),
  });
}

function badMetadata({ metadata }: JsonObject): never {
  throw new RequestError('bad-metadata', `metadata must be a flat object, got ${shownJson(metadata)}`);
}
