import { RequestError, shown } from './errors.ts';

/** Reading JSON that callers wrote, over HTTP and over gRPC, with the leniency that clients count on. */

/** What stands between braces in JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Undefined for what is no JSON, and for what is nested so deep that it can be read but not written: showing it would fail. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // Each level takes two characters.
    return text.length > 2 * MAX_LEVELS && isDeeper(value, MAX_LEVELS) ? undefined : value;
  } catch {
    return undefined;
  }
}

const MAX_LEVELS = 200;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
}

/** Neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A scalar of JSON as text; a list or an object is refused, null counts as missing. */
export function scalar(json: JsonObject, name: string): string | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object')
    throw new RequestError('invalid', `${name} must be a scalar, got ${shown(JSON.stringify(value))}`);
  return String(value);
}

const TRUE = new Set(['true', 'on', 'yes', 'y', 't']);

/** What a text says of yes and no, as Spring reads it; undefined when it says nothing. */
export function truth(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase() ?? '';
  return word === '' ? undefined : TRUE.has(word);
}
