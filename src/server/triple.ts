import type { UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol';
import { isGrpcType } from '../wire/exchange.ts';
import { isKnownCompression, UNKNOWN_COMPRESSION } from './compressions.ts';

/**
 * What real callers send and expect beyond Connect: Dubbo's headers, empty bodies, gRPC-Web as text, and answers that say what would
 * be right. Nothing here knows what is asked; it only translates, request by request.
 */
export interface Translation {
  readonly request: UniversalServerRequest;
  readonly answered: (answer: UniversalServerResponse) => Promise<UniversalServerResponse>;
}

/** Only where one message is expected does an empty body stand for one: of a stream it is none. */
export function translate(request: UniversalServerRequest, expects: 'message' | 'stream', accepted = ACCEPTED): Translation {
  const type = (request.header.get('content-type') ?? '').toLowerCase();
  const header = new Headers(request.header);
  translateTimeout(header, type);
  translateCompression(header);
  const body = isStream(request.body) ? request.body : nothing();
  const plain = { ...request, header };
  if (WEB_TEXT.test(type)) {
    header.set('content-type', type.replace('-text', ''));
    return {
      request: { ...plain, body: expects === 'stream' ? fromBase64(body) : orElse(fromBase64(body), EMPTY_FRAME) },
      answered: async (answer) => asText(corrected(await blamed(answer), request.method, accepted)),
    };
  }
  const instead = expects === 'stream' ? undefined : emptyBodyOf(type);
  // It would be wrong of the body that stands in for an empty one.
  if (instead !== undefined) header.delete('content-length');
  return {
    request: { ...plain, body: instead === undefined ? body : orElse(body, instead) },
    answered: async (answer) => corrected(await blamed(answer), request.method, accepted),
  };
}

const WEB_TEXT = /^application\/grpc-web-text(\+proto)?$/;
const EMPTY_FRAME = new Uint8Array(5);
const EMPTY_JSON = new TextEncoder().encode('{}');
const EMPTY_JSON_FRAME = Uint8Array.of(0, 0, 0, 0, EMPTY_JSON.length, ...EMPTY_JSON);

/** What is taken where gRPC alone is spoken. */
export const ONLY_GRPC = 'application/grpc, application/grpc+proto, application/grpc+json';

const ACCEPTED =
  'application/json, application/proto, application/grpc, application/grpc+proto, application/grpc+json, ' +
  'application/grpc-web, application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, ' +
  'application/connect+json, application/connect+proto';

/** Dubbo-go says `Triple-Timeout-Ms`, Java Dubbo and dubbo-js `tri-service-timeout`; both in milliseconds. */
function translateTimeout(header: Headers, type: string): void {
  const ms = header.get('triple-timeout-ms') ?? header.get('tri-service-timeout');
  const name = isGrpcType(type) ? 'grpc-timeout' : 'connect-timeout-ms';
  if (ms !== null && /^\d{1,8}$/.test(ms) && !header.has(name)) header.set(name, isGrpcType(type) ? `${ms}m` : ms);
  const said = header.get(name);
  if (said !== null && isBeyondTimers(said))
    header.set(name, isGrpcType(type) ? `${MAX_TIMER_MS / 1_000}S` : String(MAX_TIMER_MS));
}

/** In a stream each message says whether it is compressed: only one that is needs a compression that is known. */
function translateCompression(header: Headers): void {
  for (const [name, accepted] of ENCODINGS) {
    if (isKnownCompression(header.get(name) ?? '')) continue;
    header.set(name, UNKNOWN_COMPRESSION);
    // Whoever does not say what he takes would be answered in what he asked in.
    if (!header.has(accepted)) header.set(accepted, 'identity');
  }
}

/** In what the messages of a stream are, and in what they may be that answer them. */
const ENCODINGS = [
  ['grpc-encoding', 'grpc-accept-encoding'],
  ['connect-content-encoding', 'connect-accept-encoding'],
] as const;

/** 24 days, in whole seconds. Node takes what a timer cannot hold for a millisecond: of a deadline in a year, a watch would die at once. */
const MAX_TIMER_MS = 2_147_483_000;

/** The units of grpc-timeout that can be too long, by their milliseconds; Connect's is none. */
const LONG_UNITS: Readonly<Record<string, number>> = { '': 1, S: 1_000, M: 60_000, H: 3_600_000 };

function isBeyondTimers(timeout: string): boolean {
  const [, digits, unit = ''] = /^(\d{1,10})([SMH]?)$/.exec(timeout) ?? [];
  return digits !== undefined && Number(digits) * (LONG_UNITS[unit] ?? 0) > MAX_TIMER_MS;
}

/** What a request without a byte of body means: balancers ask like that, and mean "". */
function emptyBodyOf(type: string): Uint8Array | undefined {
  if (/^application\/grpc(-web)?\+json/.test(type)) return EMPTY_JSON_FRAME;
  if (isGrpcType(type) || type === 'application/connect+proto') return EMPTY_FRAME;
  if (type === 'application/connect+json') return EMPTY_JSON_FRAME;
  return type.startsWith('application/json') ? EMPTY_JSON : undefined;
}

/** Says what would be right. Other answers pass untouched: Connect goes on writing to their fields until the first message. */
function corrected(answer: UniversalServerResponse, method: string, accepted: string): UniversalServerResponse {
  const refusal = answer.status < 400 ? undefined : refusalsOf(accepted)[answer.status];
  if (refusal === undefined) return answer;
  const { text, ...fields } = refusal;
  const header = new Headers({ ...fields, 'content-type': 'text/plain;charset=UTF-8' });
  answer.header?.forEach((value, name) => {
    header.set(name, value);
  });
  // The header of an answer to HEAD is all of it.
  return { ...answer, header, ...(method !== 'HEAD' && { body: once(new TextEncoder().encode(`${text}\n`)) }) };
}

/** What Connect says with a bare status, by that status: the text, and the header fields that say it to machines. */
const refusalsOf = (accepted: string): Readonly<Record<number, { readonly text: string; readonly [field: string]: string }>> => ({
  405: { text: 'the method must be POST', Allow: 'POST' },
  415: { text: `the content type must be one of ${accepted}`, 'Accept-Post': accepted },
  505: { text: 'a stream in both directions needs HTTP/2' },
});

/** Bytes that are no message are a mistake of the caller's. Connect says of them, with these words, that the server has failed. */
const NO_MESSAGE = 'parse binary: ';

/** As Connect says it, by a name that is none of our options. */
const TOO_LARGE = /message size (?:\d+ )?is larger than configured readMaxBytes (\d+)/;

function inOurWords(text: string): string {
  return text.replace(TOO_LARGE, 'a message must not exceed $1 bytes');
}

/** The answer to a unary call of Connect's, with who is to blame put right. */
async function blamed(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (answer.status === 429 && isStream(answer.body)) return reworded(answer, answer.body);
  if (answer.status !== 500 || !isStream(answer.body)) return answer;
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  const said = Buffer.concat(chunks);
  const wrong = Buffer.from(`{"code":"internal","message":"${NO_MESSAGE}`);
  // It may be compressed, or be long: as it is, to the byte.
  if (!said.subarray(0, wrong.length).equals(wrong)) return { ...answer, body: once(said) };
  const right = Buffer.from(said.toString().replace('internal', 'invalid_argument'));
  answer.header?.set('content-length', String(right.length));
  return { ...answer, status: 400, body: once(right) };
}

async function reworded(answer: UniversalServerResponse, body: AsyncIterable<Uint8Array>): Promise<UniversalServerResponse> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const said = Buffer.concat(chunks);
  const right = Buffer.from(inOurWords(said.toString()));
  // What is compressed has none of these words, and is given back as it is.
  if (right.equals(said) || !TOO_LARGE.test(said.toString())) return { ...answer, body: once(said) };
  answer.header?.set('content-length', String(right.length));
  return { ...answer, body: once(right) };
}

/**
 * UNIMPLEMENTED is for what is not there. Of a call that is, it would say something fatal: gRPC clients take such a service for
 * healthy and never ask again, and so does Google's balancer. Connect says it of an unknown compression or a second message; and
 * INTERNAL of bytes that are no message. Both are mistakes of the caller's.
 */
export function callersMistakes(trailers: Headers): Record<string, string> {
  const fields = Object.fromEntries(trailers);
  const status = fields['grpc-status'];
  if (status === '8') return withMessage(fields);
  const isNoMessage = status === '13' && fields['grpc-message']?.startsWith(encodeURIComponent(NO_MESSAGE)) === true;
  if (status !== '12' && !isNoMessage) return fields;
  const details = fields['grpc-status-details-bin'];
  const corrected = { ...fields, 'grpc-status': '3' };
  return details === undefined ? corrected : { ...corrected, 'grpc-status-details-bin': withStatus(details, Number(status), 3) };
}

/** Each with the words that are ours; what is with them as bytes says it once more, and is left as it is. */
function withMessage(fields: Record<string, string>): Record<string, string> {
  const message = fields['grpc-message'];
  if (message === undefined) return fields;
  const right = inOurWords(decodeURIComponent(message));
  return TOO_LARGE.test(decodeURIComponent(message)) ? { ...fields, 'grpc-message': encodeURIComponent(right) } : fields;
}

/** A google.rpc.Status begins with its code, which says the same as the status beside it. */
function withStatus(details: string, from: number, to: number): string {
  const bytes = Buffer.from(details, 'base64');
  if (bytes[0] === STATUS_CODE && bytes[1] === from) bytes[1] = to;
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Its tag: the first field, a number. */
const STATUS_CODE = 8;

function isStream(body: UniversalServerRequest['body'] | UniversalServerResponse['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* orElse(body: AsyncIterable<Uint8Array>, instead: Uint8Array): AsyncGenerator<Uint8Array> {
  let empty = true;
  for await (const chunk of body) {
    if (chunk.length > 0) empty = false;
    yield chunk;
  }
  if (empty) yield instead;
}

/** Four characters at a time, wherever the chunks were cut. */
async function* fromBase64(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = '';
  for await (const chunk of body) {
    const text = rest + Buffer.from(chunk).toString('latin1');
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    yield Buffer.from(text.slice(0, whole), 'base64');
  }
  if (rest !== '') yield Buffer.from(rest, 'base64');
}

function asText(answer: UniversalServerResponse): UniversalServerResponse {
  const type = answer.header?.get('content-type');
  if (type?.startsWith('application/grpc-web'))
    answer.header?.set('content-type', type.replace('application/grpc-web', 'application/grpc-web-text'));
  return { ...answer, ...(answer.body && { body: toBase64(answer.body) }) };
}

/** Each message is whole by itself, padding included: a reader need not wait for the next. */
async function* toBase64(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield Buffer.from(Buffer.from(chunk).toString('base64'), 'latin1');
}
