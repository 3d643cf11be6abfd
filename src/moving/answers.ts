import type { Edit, Metadata } from '../registry/instance.ts';
import { isObject } from './api.ts';
import { RefusedError } from './errors.ts';
import { type ClusterSaid, type InstanceSaid, isDefaultCluster, type Selector, sorted } from './lines.ts';

/** Reading what servers answer: every field is looked at before it is believed. */

export type Json = Readonly<Record<string, unknown>>;

/** Rejects what is no object: `what` it should have been. */
export function objectIn(value: unknown, what: string): Json {
  if (!isObject(value)) throw new RefusedError(200, `the answer has no ${what}`);
  return value;
}

export function listIn(json: Json, key: string): readonly Json[] {
  const list = json[key];
  if (!Array.isArray(list)) throw new RefusedError(200, `the answer has no list ${key}`);
  return list.map((item) => objectIn(item, key));
}

/** "" for what is none. */
export function textIn(json: Json, key: string): string {
  const value = json[key];
  return typeof value === 'string' ? value : '';
}

/** Java writes numbers as texts in places. */
export function numberIn(json: Json, key: string, otherwise: number): number {
  const value = json[key];
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}

export function flagIn(json: Json, key: string, otherwise: boolean): boolean {
  const value = json[key];
  return typeof value === 'boolean' ? value : otherwise;
}

export function metadataIn(json: Json, key = 'metadata'): Metadata {
  const value = json[key];
  if (!isObject(value)) return {};
  return sorted(Object.fromEntries(Object.entries(value).map(([name, item]) => [name, item === null ? '' : String(item)])));
}

/** Of a selector no more is known than its type and its expression. */
export function selectorIn(json: Json): Selector {
  const { selector } = json;
  if (!isObject(selector)) return { type: 'none' };
  const { type, expression } = selector;
  return { type: typeof type === 'string' ? type : 'none', ...(typeof expression === 'string' && { expression }) };
}

/** `port` and `useInstance`: how these two are called there. */
export function clusterIn(json: Json, port: string, useInstance: string): ClusterSaid {
  const checker = json.healthChecker;
  return {
    healthChecker: isObject(checker) ? sorted(checker) : { type: 'TCP' },
    checkPort: numberIn(json, port, 80),
    useInstancePort: flagIn(json, useInstance, true),
    metadata: metadataIn(json),
  };
}

/** Those of which somebody has said something. */
export function clustersIn(all: Iterable<readonly [name: string, cluster: ClusterSaid]>): Readonly<Record<string, ClusterSaid>> {
  return sorted(Object.fromEntries([...all].filter(([, cluster]) => !isDefaultCluster(cluster))));
}

export function instanceIn(json: Json): InstanceSaid {
  const edit = isObject(json.edit) ? editIn(json.edit) : undefined;
  return {
    ip: textIn(json, 'ip'),
    port: numberIn(json, 'port', 0),
    cluster: textIn(json, 'clusterName') || 'DEFAULT',
    ephemeral: flagIn(json, 'ephemeral', true),
    weight: numberIn(json, 'weight', 1),
    enabled: flagIn(json, 'enabled', true),
    healthy: flagIn(json, 'healthy', true),
    metadata: metadataIn(json),
    ...(edit !== undefined && { edit }),
  };
}

export function editIn(json: Json): Edit {
  const { enabled, weight, metadata } = json;
  const named = isObject(metadata) ? Object.entries(metadata) : [];
  const texts = named.map(([key, value]): [string, string | null] => [key, value === null ? null : String(value)]);
  return {
    ...(typeof enabled === 'boolean' && { enabled }),
    ...(typeof weight === 'number' && { weight }),
    ...(texts.length > 0 && { metadata: sorted(Object.fromEntries(texts)) }),
  };
}

/** Every item of a list that is given in pages: `fetch` answers one page, and how many there are in all. */
export async function allPages(fetch: (pageNo: number) => Promise<Page>): Promise<readonly Json[]> {
  const items: Json[] = [];
  for (let pageNo = 1; ; pageNo++) {
    const page = await fetch(pageNo);
    for (const item of page.items) items.push(item);
    // What is registered meanwhile moves pages: what never ends is no list.
    if (page.items.length === 0 || items.length >= page.count) return items;
  }
}

export interface Page {
  readonly items: readonly Json[];
  readonly count: number;
}

/** A page as 3.x writes it. */
export function pageIn(data: unknown): Page {
  const json = objectIn(data, 'page');
  return { items: listIn(json, 'pageItems'), count: numberIn(json, 'totalCount', 0) };
}

/** Undefined where the server says that there is none. */
export async function orAbsent<T>(asked: Promise<T>, isAbsent: (error: RefusedError) => boolean): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RefusedError && isAbsent(error)) return undefined;
    throw error;
  }
}
