import { RequestError, shown } from '../errors.ts';
import type { Page } from '../rules.ts';
import { type ClusterSettings, DEFAULT_CLUSTER } from '../settings.ts';
import { readClusterSettings } from './checkers.ts';
import { optional, type Params } from './params.ts';

/** What 3.x reads in a stricter way, or refuses in other words, than the versions before it. */

/** Must be given, and is no part of a form: 3.x words its absence so. */
export function requiredBare(params: Params, name: string, type: 'String' | 'Integer' = 'String'): string {
  return requiredAs(params, name, `Required request parameter '${name}' for method parameter type ${type} is not present`);
}

/** The same of namespaces and members, which 3.x words by hand. */
export function requiredCore(params: Params, name: string): string {
  return requiredAs(params, name, `required parameter '${name}' is missing`);
}

function requiredAs(params: Params, name: string, words: string): string {
  const value = optional(params, name);
  if (value === undefined) throw new RequestError('missing-param', words);
  return value;
}

/** Yes or no, or left out: any other word is refused, where older versions take it for no. */
export function readStrictTruth(params: Params, name: string): boolean | undefined {
  const text = optional(params, name);
  if (text === undefined) return undefined;
  const word = text.toLowerCase();
  if (YES.has(word)) return true;
  return NO.has(word) ? false : fail(`${name} must be true or false, got ${shown(text)}`);
}

/** As `readStrictTruth`, for the parameters that say what an instance is. */
export function checkTruths(params: Params): void {
  for (const name of ['healthy', 'enabled', 'ephemeral']) readStrictTruth(params, name);
}

// As Spring reads them.
const YES = new Set(['true', 'on', 'yes', '1']);
const NO = new Set(['false', 'off', 'no', '0']);

/** The first hundred, unless told otherwise; a page before the first is refused. */
export function readStrictPage(params: Params): Page {
  return { pageNo: positive(params, 'pageNo', 1), pageSize: positive(params, 'pageSize', 100) };
}

function positive(params: Params, name: string, otherwise: number): number {
  const text = optional(params, name) ?? String(otherwise);
  if (!/^-?\d{1,10}$/.test(text)) fail(`${name} must be a positive integer, got ${shown(text)}`);
  return Number(text) >= 1
    ? Number(text)
    : fail(`Required parameter '${name}' should be positive integer, current is ${Number(text)}`);
}

/** As of the versions before, but that the port of the instance is checked unless told otherwise. */
export function readClusterSettingsV3(params: Params): ClusterSettings {
  const useInstancePort4Check = readStrictTruth(params, 'useInstancePort4Check') ?? DEFAULT_CLUSTER.useInstancePort;
  return readClusterSettings(params.with('useInstancePort4Check', String(useInstancePort4Check)));
}

function fail(message: string): never {
  throw new RequestError('invalid', message);
}
