import { MAX_NAME_BYTES } from './names.ts';

/**
 * The name in the bytes of a request, as nearly all callers write it. Undefined: it is written in another way, if it is a request at
 * all, and whoever reads all of the language is to look at it.
 */

/** A request with a name of any length that is served fits, and one that is a little too long. */
export const MAX_REQUEST_BYTES = MAX_NAME_BYTES + 64;

/** Of gRPC: one message in its frame, with the one field that there is, or empty. No byte at all asks about the bridge, as balancers do. */
export function nameInFrame(body: Buffer): string | undefined {
  const { length } = body;
  if (length === 0) return '';
  if (length < FRAME_HEAD || body[0] !== 0 || body[1] !== 0 || body[2] !== 0) return undefined;
  if (((body[3] ?? 0) << 8) + (body[4] ?? 0) !== length - FRAME_HEAD) return undefined;
  if (length === FRAME_HEAD) return '';
  if (body[5] !== FIELD_OF_NAME) return undefined;
  const low = body[6] ?? 0;
  // A length of two bytes with nothing in the second has another form than it needs.
  const isLong = low >= 0x80;
  const high = isLong ? (body[7] ?? 0) : 0;
  const start = isLong ? FRAME_HEAD + 3 : FRAME_HEAD + 2;
  if (high >= 0x80 || (low & 0x7f) + (high << 7) !== length - start) return undefined;
  return asciiIn(body, start, length);
}

/** Of gRPC: whether so much of a body may still become one message in its frame with a name in it. */
export function mayBecomeFrame(body: Buffer): boolean {
  if (body.length < FRAME_HEAD) return body.subarray(0, 3).every((byte) => byte === 0);
  if (body[0] !== 0 || body[1] !== 0 || body[2] !== 0) return false;
  const length = FRAME_HEAD + ((body[3] ?? 0) << 8) + (body[4] ?? 0);
  return body.length < length || (body.length === length && nameInFrame(body) !== undefined);
}

/** Of gRPC: a message without any field, or no byte at all. */
export function isEmptyFrame(body: Buffer): boolean {
  return body.length === 0 || (body.length === FRAME_HEAD && body.readUInt32BE(0) === 0 && body[4] === 0);
}

/** Of JSON: an object with the one key, or without any. */
export function nameInJson(body: Buffer): string | undefined {
  const text = asciiIn(body, 0, body.length);
  if (text === undefined) return undefined;
  if (text === '') return '';
  const match = JSON_REQUEST.exec(text);
  return match === null ? undefined : (match[1] ?? '');
}

const FRAME_HEAD = 5;
/** Its number is 1, and it has a length. */
const FIELD_OF_NAME = 0x0a;
/** No escapes. */
const JSON_REQUEST = /^[ \t\r\n]*\{[ \t\r\n]*(?:"service"[ \t\r\n]*:[ \t\r\n]*"([^"\\\x00-\x1f]*)"[ \t\r\n]*)?\}[ \t\r\n]*$/;

function asciiIn(body: Buffer, start: number, end: number): string | undefined {
  for (let i = start; i < end; i++) if ((body[i] ?? 0) >= 0x80) return undefined;
  return body.toString('latin1', start, end);
}
