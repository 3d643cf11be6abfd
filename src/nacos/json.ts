import { RequestError, shown } from './errors.ts';

/** Reading JSON that callers wrote, over HTTP and over gRPC, with the leniency that clients count on. */

/** What stands between braces in JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Undefined for what is no JSON; what is nested too deep is refused. Numbers in the metadata of an instance become the very text that the caller wrote, as in Nacos
 * (`1.0`, `12345678901234567890`, `1e3`): of the whole body, of its `instance`, and of each of its `instances`, unless it is very long.
 */
export function parseJson(text: string, mostValues = MAX_VALUES): unknown {
  const value = parsed(text, mostValues);
  const bearers = bearersOf(value);
  if (text.length > MAX_EXACT_LENGTH || !bearers.some(({ metadata }) => hasNumber(metadata))) return value;
  const exact = bearersOf(parsed(withNumbersAsTexts(text)));
  // Nobody else has seen these objects yet.
  for (const [i, bearer] of bearers.entries()) Object.assign(bearer, { metadata: exact[i]?.metadata });
  return value;
}

/** Clients that send numbers there send no more. It takes half a second of ten million characters. */
const MAX_EXACT_LENGTH = 1 << 20;

/** As `parseJson`, for what is metadata and nothing else. */
export function parseMetadata(text: string): unknown {
  const value = parsed(text);
  return hasNumber(value) ? parsed(withNumbersAsTexts(text)) : value;
}

function parsed(text: string, mostValues = MAX_VALUES): unknown {
  // What is short has no room for so many brackets.
  const excess = text.length > 2 * MAX_LEVELS ? excessIn(text, mostValues) : undefined;
  if (excess !== undefined) throw new RequestError('invalid', `JSON must not ${excess}`);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** No client says anything as deep; what is much deeper could be read and not be written again. */
const MAX_LEVELS = 64;

/** To read them takes some 50 ms, in one turn of the event loop. */
const MAX_VALUES = 200_000;
/** Different ones. Each takes as long as tens of values: the engine has to learn it. */
const MAX_KEYS = 4_096;

/**
 * What there is too much of: in its text, as there may be millions of objects, and to make these would take seconds. Of what is no JSON
 * it may say anything.
 */
function excessIn(text: string, mostValues: number): string | undefined {
  const keys = new Set<number>();
  let levels = 0;
  let values = 1;
  let last = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfText(text, at + 1);
      last = hashOf(text, at + 1, end);
      at = end;
    } else if (code === COLON) keys.add(last);
    else if (code === COMMA) values++;
    // Brackets and braces, which differ in this bit.
    else if ((code & ~CASE) === OPENING) {
      levels++;
      values++;
    } else if ((code & ~CASE) === CLOSING) levels--;
    if (levels > MAX_LEVELS) return `be nested more than ${MAX_LEVELS} levels deep`;
    if (values > mostValues) return `have more than ${mostValues} values`;
    if (keys.size > MAX_KEYS) return `have more than ${MAX_KEYS} different keys`;
  }
  return undefined;
}

/** Where the quote is that ends it, or the end of all. */
function endOfText(text: string, from: number): number {
  for (let at = from; ; at++) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let escapes = 0;
    while (quote - escapes > from && text.charCodeAt(quote - escapes - 1) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote;
    at = quote;
  }
}

/** Of its length, its beginning and its end: keys that differ between these alone count as one. */
function hashOf(text: string, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to && at < from + HASHED; at++) hash = (hash * 31 + text.charCodeAt(at)) | 0;
  for (let at = Math.max(from + HASHED, to - HASHED); at < to; at++) hash = (hash * 31 + text.charCodeAt(at)) | 0;
  return hash;
}

const HASHED = 64;

const [QUOTE, BACKSLASH, OPENING, CLOSING, CASE, COLON, COMMA] = [0x22, 0x5c, 0x5b, 0x5d, 0x20, 0x3a, 0x2c];

/** The objects whose metadata are read, always in the same order. */
function bearersOf(value: unknown): readonly JsonObject[] {
  if (!isObject(value)) return [];
  const { instance, instances } = value;
  return [value, instance, ...(Array.isArray(instances) ? instances : [])].filter(isObject);
}

function hasNumber(metadata: unknown): boolean {
  return isObject(metadata) && Object.values(metadata).some((value) => typeof value === 'number');
}

/** The same JSON with a text in place of each number. It must be JSON: between texts digits and minus signs begin numbers only. */
function withNumbersAsTexts(json: string): string {
  let inText = false;
  return json.replace(/\\.|"|-?\d[\d.eE+-]*/g, (token) => {
    if (token === '"') inText = !inText;
    return inText || token === '"' ? token : `"${token}"`;
  });
}

/** Neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As much of it as an answer may carry. */
export function shownJson(value: unknown): string {
  return shown(JSON.stringify(value));
}

/** A scalar of JSON as text; a list or an object is refused, null counts as missing. */
export function scalar(json: JsonObject, name: string): string | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw new RequestError('invalid', `${name} must be a scalar, got ${shownJson(value)}`);
  return String(value);
}

const TRUE = new Set(['true', 'on', 'yes', 'y', 't']);

/** What a text says of yes and no, as Spring reads it; undefined when it says nothing. */
export function truth(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase() ?? '';
  return word === '' ? undefined : TRUE.has(word);
}
