import { unescape as unescapeQuery } from 'node:querystring';
import { flat } from '../../registry/flat.ts';
import type { Metadata } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import type { Permit } from '../../rights/admission.ts';
import type { Said } from '../catalog.ts';
import { MissingParam, RequestError, shown } from '../errors.ts';
import { permitted } from '../gate.ts';
import { isObject, parseJson, parseMetadata, scalar, truth } from '../json.ts';
import type { Batch } from '../naming.ts';
import {
  checkedNamespace,
  checkedPlace,
  checkedSelector,
  checkedService,
  checkedThreshold,
  checkedWeight,
  HOME,
  metadataFrom,
  type Named,
  type Page,
  type Place,
  type Selector,
} from '../rules.ts';
import { DEFAULT_NACOS_SETTINGS } from '../settings.ts';

/**
 * Query, form and beat JSON -> typed commands, with every leniency that Nacos clients count on. It never answers: what cannot be
 * read is a `RequestError`. What is left out stays left out: defaults are `rules.ts`'s.
 */

/** What a request says, by name. */
export class Params {
  /** What the caller may: whatever names a service asks it. Undefined where nobody is asked. */
  permit: Permit | undefined;
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  static of(said: Readonly<Record<string, string>>): Params {
    const params = new Params();
    for (const [name, value] of Object.entries(said)) params.add(name, value);
    return params;
  }

  /** The first value of that name. There are few, and a table of them would have to be made for every beat. */
  get(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }

  /** The same with another value in place of what there is of that name. */
  with(name: string, value: string): Params {
    const params = Params.of({ [name]: value });
    params.permit = this.permit;
    for (const [i, other] of this.#names.entries()) params.add(other, this.#values[i] ?? '');
    return params;
  }

  /** Behind those that there are: of a name that is there already it has no effect. */
  add(name: string, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  /** All, those that came twice too. */
  *pairs(): Iterable<readonly [name: string, value: string]> {
    for (const [i, name] of this.#names.entries()) yield [name, this.#values[i] ?? ''];
  }

  /** Each name once. */
  entries(): [name: string, value: string][] {
    return this.#names.flatMap((name, i): [string, string][] =>
      this.#names.indexOf(name) === i ? [[name, this.#values[i] ?? '']] : [],
    );
  }
}

/**
 * Parameters may stand in the query or in the form for any method; the query wins, and of several values the first. A bad
 * %-escape stays as it is: the Go client (1.1.6) sends forms that it has not encoded. Read by hand, as every beat comes by here:
 * `node:querystring` looks at each character.
 */
export function readParams(query: string, form: string): Params {
  const params = new Params();
  if (query !== '') addParams(params, query);
  if (form !== '') addParams(params, form);
  return params;
}

function addParams(params: Params, source: string): void {
  const decode = decoderFor(source);
  // Looked for no more often than it is found: a long text of names alone would be searched again for each.
  let equals = -1;
  for (let start = 0, count = 0; start < source.length && count < MAX_PARAMS; count++) {
    const end = indexOrEnd(source, '&', start);
    if (end > start) {
      if (equals < start) equals = indexOrEnd(source, '=', start);
      const cut = Math.min(equals, end);
      params.add(decode(source.slice(start, cut)), decode(source.slice(cut + 1, end)));
    }
    start = end + 1;
  }
}

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}

/** Of one text, empty ones included; as many as `node:querystring` reads. What comes behind them is not looked at. */
const MAX_PARAMS = 1_000;
const MORE_THAN_ESCAPES = /[+]|[^\0-\x7f]/;
const BEYOND_ASCII = /[^\0-\x7f]+/g;

/** By what there is to be decoded anywhere in it, so that its names and values are not searched one by one for what is not there. */
function decoderFor(source: string): (text: string) => string {
  if (MORE_THAN_ESCAPES.test(source)) return decoded;
  return source.includes('%') ? unescaped : asItIs;
}

/** What is beyond ASCII is encoded before it is decoded, because beside a bad escape Node keeps only the low byte of each character. */
function decoded(text: string): string {
  return unescaped(text.replaceAll('+', ' ').replace(BEYOND_ASCII, encoded));
}

function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  // Half of all names of services are grouped, and have no other escape.
  const grouped = text.replace('%40%40', '@@');
  return grouped.includes('%') ? unescapeQuery(text) : grouped;
}

function asItIs(text: string): string {
  return text;
}

/** By way of bytes, as `encodeURIComponent` throws on half a surrogate pair. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** Without blanks around it; undefined when nothing is left. */
export function optional(params: Params, name: string): string | undefined {
  const value = params.get(name);
  if (value === undefined || (isInk(value.charCodeAt(0)) && isInk(value.charCodeAt(value.length - 1)))) return value;
  const trimmed = value.trim();
  return trimmed === '' ? undefined : trimmed;
}

/** Whether it is a character of ASCII that can be seen: there is nothing to be trimmed then. */
function isInk(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/** As `optional`, for what must be given. */
export function required(params: Params, name: string, type: 'String' | 'Integer' = 'String'): string {
  const value = optional(params, name);
  if (value === undefined) throw new MissingParam(name, type);
  return value;
}

/** As sent, where the answer has to repeat it. */
export function readVerbatim(params: Params, name: string): string {
  return params.get(name) ?? '';
}

/** As `healthyOnly` and `isCheck` are read: only "true" is true. */
export function readFlag(params: Params, name: string): boolean {
  return optional(params, name)?.toLowerCase() === 'true';
}

/** A whole number of at least 0, as pages are counted; anything that is none is refused. */
export function readCount(params: Params, name: string, fallback?: number): number {
  const text = fallback === undefined ? required(params, name) : optional(params, name);
  if (text === undefined) return fallback ?? 0;
  // Spring Cloud asks for pages of 2147483647; a page before the first is the first.
  return /^-?\d{1,10}$/.test(text) ? Math.max(Number(text), 0) : fail(`For input string: "${shown(text)}"`);
}

/** Both must be given, unless there are fallbacks. */
export function readPage(params: Params, fallback: Partial<Page> = {}): Page {
  return { pageNo: readCount(params, 'pageNo', fallback.pageNo), pageSize: readCount(params, 'pageSize', fallback.pageSize) };
}

/** `dom` is what the clients before 0.8 called it. */
export function readService(params: Params): ServiceName {
  const namespace = readNamespace(params);
  const text = optional(params, 'serviceName') ?? optional(params, 'dom');
  if (text === undefined) throw new MissingParam('serviceName');
  return permitted(params.permit, 'naming', checkedService(text, namespace, readGroup(params)));
}

/** The namespace that is meant. */
export function readNamespace(params: Params): string {
  return checkedNamespace(optional(params, 'namespaceId') ?? HOME.namespace);
}

/** The namespace of a text as it is called, in whatever version. */
export function readTenant(params: Params): string {
  return optional(params, 'namespaceId') ?? optional(params, 'tenant') ?? '';
}

/** The group that is meant. */
export function readGroup(params: Params): string {
  return optional(params, 'groupName') ?? HOME.group;
}

/** The place of an instance. */
export function readPlace(params: Params, clusterAlias = true): Place {
  const cluster = optional(params, 'clusterName') ?? (clusterAlias ? optional(params, 'cluster') : undefined);
  return checkedPlace(required(params, 'ip'), required(params, 'port', 'Integer'), cluster);
}

/** What a request says of an instance. `enable` and `valid` are the older names and give way. */
export function readNamed(params: Params): Named {
  const weight = optional(params, 'weight');
  const { ip, port, cluster } = readPlace(params);
  return {
    ip,
    port,
    cluster,
    ephemeral: readTruth(params, 'ephemeral'),
    healthy: readTruth(params, 'healthy'),
    enabled: readTruth(params, 'enabled') ?? readTruth(params, 'enable'),
    weight: weight === undefined ? undefined : checkedWeight(weight),
    metadata: readMetadata(params),
  };
}

/** As given, or undefined. */
export function readTruth(params: Params, name: string): boolean | undefined {
  return truth(optional(params, name));
}

/** `valid` is the older name. */
export function readHealthy(params: Params): boolean | undefined {
  return readTruth(params, 'healthy') ?? readTruth(params, 'valid');
}

/** JSON, or `k1=v1,k2=v2`. */
export function readMetadata(params: Params): Metadata | undefined {
  const text = optional(params, 'metadata');
  if (text === undefined) return undefined;
  return metadataFrom(parseMetadata(text)) ?? pairs(text) ?? badMetadata(text);
}

function pairs(text: string): Metadata | undefined {
  const entries = text.split(',').map((pair) => pair.split('='));
  return entries.every((entry) => entry.length === 2 && entry[0] !== '') ? flat(Object.fromEntries(entries)) : undefined;
}

/**
 * Which instances a batch is about: those that it lists, or else all of a kind. Java's maintainer client always names a kind, and
 * whoever lists instances beside it does not mean the others.
 */
export function readBatch(params: Params): Batch {
  const consistency = optional(params, 'consistencyType');
  const list = parseJson(optional(params, 'instances') ?? '[]');
  if (!Array.isArray(list) || !list.every(isObject))
    fail(`instances must be a JSON array of objects, got ${shown(optional(params, 'instances') ?? '')}`);
  if (list.length === 0 && (consistency === 'ephemeral' || consistency === 'persist'))
    return { ephemeral: consistency === 'ephemeral' };
  return {
    addresses: list.map((item) =>
      checkedPlace(scalar(item, 'ip') ?? '', scalar(item, 'port') ?? '', scalar(item, 'clusterName')?.trim() || undefined),
    ),
  };
}

/** Whose beat, and what it says. */
export interface Beat {
  readonly service: ServiceName;
  readonly place: Place;
  /** What a full beat says of the instance; a light beat says nothing. */
  readonly said: Named | undefined;
}

/** A full beat carries JSON in `beat`, a light one only ip, port and cluster. */
export function readBeat(params: Params): Beat {
  const service = readService(params);
  const text = optional(params, 'beat');
  const clusterName = optional(params, 'clusterName');
  const beat = text === undefined ? undefined : parseJson(text);
  if (text === undefined || saysNothing(beat)) {
    const ip = optional(params, 'ip') ?? '';
    return { service, place: checkedPlace(ip, optional(params, 'port') ?? '0', clusterName), said: undefined };
  }
  if (!isObject(beat)) fail(`beat must be a JSON object, got ${shown(text)}`);
  const ip = scalar(beat, 'ip')?.trim() ?? '';
  if (ip === '') throw new MissingParam('ip');
  const cluster = scalar(beat, 'cluster')?.trim() || clusterName;
  const place = checkedPlace(ip, scalar(beat, 'port') ?? '0', cluster);
  const weight = scalar(beat, 'weight');
  const said: Named = {
    ...place,
    cluster,
    ephemeral: truth(scalar(beat, 'ephemeral')),
    enabled: truth(scalar(beat, 'enabled')),
    weight: weight === undefined ? undefined : checkedWeight(weight),
    metadata:
      beat.metadata === undefined || beat.metadata === null ? undefined : (metadataFrom(beat.metadata) ?? badMetadata(text)),
  };
  return { service, place, said };
}

/** PHP's clients beat with an empty list, for want of anything to say. */
function saysNothing(beat: unknown): boolean {
  return typeof beat === 'object' && beat !== null && Object.keys(beat).length === 0;
}

/** What a request says of a service. What it leaves out is cleared. */
export function readServiceSettings(params: Params, thresholdRequired: boolean): Said {
  const threshold = thresholdRequired ? required(params, 'protectThreshold') : (optional(params, 'protectThreshold') ?? '0');
  return {
    protectThreshold: checkedThreshold(threshold),
    metadata: readMetadata(params) ?? {},
    selector: readSelector(params),
    ephemeral: readTruth(params, 'ephemeral'),
  };
}

/** Some clients encode it twice. */
function readSelector(params: Params): Selector {
  const text = optional(params, 'selector');
  if (text === undefined) return DEFAULT_NACOS_SETTINGS.selector;
  const selector = parseJson(text) ?? parseJson(unescapeQuery(text));
  return isObject(selector) ? checkedSelector(selector) : fail(`selector must be a JSON object, got ${shown(text)}`);
}

function badMetadata(text: string): never {
  throw new RequestError('bad-metadata', `metadata format incorrect:${shown(text)}`);
}

function fail(message: string): never {
  throw new RequestError('invalid', message);
}
