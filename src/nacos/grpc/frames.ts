import { fromBinary } from '@bufbuild/protobuf';
import { PayloadSchema } from '../../gen/nacos/payload_pb.ts';
import { type Message, type Said, ServiceMessage, saidIn } from './messages.ts';

/**
 * The envelope and gRPC's frame around it as bytes, written and read by hand: what every client sends and nothing else. What is odd in
 * any way is left to the library.
 */

/** The message in its frame, in one piece or two: what many messages have in common is not copied when it is long. */
export function framesOf(message: Message): readonly Buffer[] {
  const { ending } = message instanceof ServiceMessage ? message.service : NO_ENDING;
  const isShared = ending.length > COPIED_BYTES;
  const start = written(message, ending.length, isShared ? 0 : ending.length);
  if (isShared) return [start, ending];
  ending.copy(start, start.length - ending.length);
  return [start];
}

/** The same in one piece. */
export function frameOf(message: Message): Buffer {
  const { ending } = message instanceof ServiceMessage ? message.service : NO_ENDING;
  const frame = written(message, ending.length, ending.length);
  ending.copy(frame, frame.length - ending.length);
  return frame;
}

const NO_ENDING = { ending: Buffer.alloc(0) };
/** A piece of its own costs more than so many bytes. */
const COPIED_BYTES = 8_192;

/** All that stands before the ending, and room for so much of it. */
function written(message: Message, endingBytes: number, room: number): Buffer {
  const { type } = message;
  const start = message instanceof ServiceMessage ? message.start : message.body;
  const startBytes = Buffer.byteLength(start);
  const valueBytes = startBytes + endingBytes;
  const bodyBytes = 1 + sizeOf(valueBytes) + valueBytes;
  const metadataBytes = 1 + sizeOf(type.length) + type.length;
  const payloadBytes = 1 + sizeOf(metadataBytes) + metadataBytes + 1 + sizeOf(bodyBytes) + bodyBytes;
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payloadBytes - endingBytes + room);
  bytes[0] = 0;
  bytes.writeUInt32BE(payloadBytes, 1);
  let at = put(bytes, FRAME_HEAD_BYTES, PAYLOAD_METADATA, metadataBytes);
  at = put(bytes, at, METADATA_TYPE, type.length);
  at += bytes.write(type, at, 'latin1');
  at = put(bytes, at, PAYLOAD_BODY, bodyBytes);
  at = put(bytes, at, ANY_VALUE, valueBytes);
  bytes.write(start, at, startBytes === start.length ? 'latin1' : 'utf8');
  return bytes;
}

/** gRPC's: whether the message is compressed, and its length. */
const FRAME_HEAD_BYTES = 5;

/** Fields by their tags: the number and the kind, which is that of bytes with their length before them. */
const PAYLOAD_METADATA = (2 << 3) | 2;
const PAYLOAD_BODY = (3 << 3) | 2;
const METADATA_TYPE = (3 << 3) | 2;
const METADATA_HEADERS = (7 << 3) | 2;
const METADATA_CLIENT_IP = (8 << 3) | 2;
const ENTRY_KEY = (1 << 3) | 2;
const ENTRY_VALUE = (2 << 3) | 2;
const ANY_TYPE_URL = (1 << 3) | 2;
const ANY_VALUE = (2 << 3) | 2;

/** Answers where the field's bytes begin. */
function put(bytes: Buffer, at: number, tag: number, length: number): number {
  bytes[at++] = tag;
  for (let left = length; ; left >>>= 7) {
    bytes[at++] = left < 0x80 ? left : (left & 0x7f) | 0x80;
    if (left < 0x80) return at;
  }
}

function sizeOf(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x20_0000) return 3;
  return length < 0x1000_0000 ? 4 : 5;
}

/** The one message of a request that is nothing but a frame; undefined for any other, and for one that is compressed. */
export function soleMessage(body: Buffer): Buffer | undefined {
  if (body.length < FRAME_HEAD_BYTES || body[0] !== 0) return undefined;
  return body.readUInt32BE(1) === body.length - FRAME_HEAD_BYTES ? body.subarray(FRAME_HEAD_BYTES) : undefined;
}

/** Cuts what comes over a stream into its messages. */
export class FrameReader {
  readonly #maxBytes: number;
  /** The start of a message, and how much of this there is. */
  #half: Buffer | undefined;
  #have = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A message has begun, and not ended. */
  get isHalfway(): boolean {
    return this.#have > 0;
  }

  /** What is kept of it. */
  get heldBytes(): number {
    return this.#half?.length ?? 0;
  }

  /** Keeps nothing of it: what follows cannot be read. */
  drop(): void {
    this.#half = undefined;
  }

  /** Hands on each message that is whole now. False: what follows is too large, or compressed, and nothing more can be read. */
  push(chunk: Buffer, take: (message: Buffer) => void): boolean {
    const bytes = this.#have === 0 ? chunk : this.#joined(chunk);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = bytes.readUInt32BE(at + 1);
      if (length > this.#maxBytes) return false;
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > bytes.length) break;
      if ((bytes.readUInt8(at) & COMPRESSED) !== 0) return false;
      take(bytes.subarray(at + FRAME_HEAD_BYTES, end));
      at = end;
    }
    if (at > 0 || this.#have === 0) this.#keep(bytes.subarray(at));
    return true;
  }

  #keep(rest: Buffer): void {
    this.#half = undefined;
    this.#have = 0;
    if (rest.length > 0) this.#joined(rest);
  }

  /** All there is of the message: in one buffer that grows by doubling, however small the pieces are in which it comes. */
  #joined(chunk: Buffer): Buffer {
    const have = this.#have + chunk.length;
    if (this.#half === undefined || this.#half.length < have) {
      // Not of Node's pool, of which a few bytes would hold 8 KiB.
      const larger = Buffer.allocUnsafeSlow(Math.max(have, 2 * (this.#half?.length ?? 0)));
      this.#half?.copy(larger, 0, 0, this.#have);
      this.#half = larger;
    }
    chunk.copy(this.#half, this.#have);
    this.#have = have;
    return this.#half.subarray(0, have);
  }
}

const COMPRESSED = 1;

/** What the message says. Undefined: it is no envelope. */
export function readSaid(message: Buffer): Said | undefined {
  const plain = plainSaid(message);
  if (plain !== undefined) return plain;
  try {
    return saidIn(fromBinary(PayloadSchema, message));
  } catch {
    return undefined;
  }
}

/** The same of what is written as clients write it, each part once and its names in ASCII; undefined for anything else. */
export function plainSaid(message: Buffer): Said | undefined {
  let metadata: Metadata | undefined;
  let body: Buffer | undefined;
  const fields = new Fields(message, 0, message.length);
  while (fields.next()) {
    if (fields.tag === PAYLOAD_METADATA && metadata === undefined) {
      metadata = metadataIn(message, fields.from, fields.to);
      if (metadata === undefined) return undefined;
    } else if (fields.tag === PAYLOAD_BODY && body === undefined) {
      body = valueIn(message, fields.from, fields.to);
      if (body === undefined) return undefined;
    } else {
      return undefined;
    }
  }
  if (fields.isOdd || metadata === undefined || body === undefined) return undefined;
  return { type: metadata.type, headers: metadata.headers, body };
}

type Metadata = Pick<Said, 'type' | 'headers'>;

const NO_HEADERS: Said['headers'] = {};

function metadataIn(bytes: Buffer, from: number, to: number): Metadata | undefined {
  let type = '';
  let headers: Record<string, string> | undefined;
  const fields = new Fields(bytes, from, to);
  while (fields.next()) {
    if (fields.tag === METADATA_HEADERS) {
      const entry = entryIn(bytes, fields.from, fields.to);
      if (entry === undefined) return undefined;
      headers ??= {};
      headers[entry[0]] = entry[1];
    } else {
      const text = fields.text();
      if (text === undefined) return undefined;
      if (fields.tag === METADATA_TYPE) type = text;
      else if (fields.tag !== METADATA_CLIENT_IP) return undefined;
    }
  }
  return fields.isOdd ? undefined : { type, headers: headers ?? NO_HEADERS };
}

function entryIn(bytes: Buffer, from: number, to: number): readonly [key: string, value: string] | undefined {
  let key = '';
  let value = '';
  const fields = new Fields(bytes, from, to);
  while (fields.next()) {
    const text = fields.text();
    if (text === undefined) return undefined;
    if (fields.tag === ENTRY_KEY) key = text;
    else if (fields.tag === ENTRY_VALUE) value = text;
    else return undefined;
  }
  return fields.isOdd || key === '__proto__' ? undefined : [key, value];
}

function valueIn(bytes: Buffer, from: number, to: number): Buffer | undefined {
  let value: Buffer | undefined;
  const fields = new Fields(bytes, from, to);
  while (fields.next()) {
    // Rust's client names a type; it is of no use to anybody.
    if (fields.tag === ANY_TYPE_URL && fields.text() !== undefined) continue;
    if (fields.tag !== ANY_VALUE || value !== undefined) return undefined;
    value = bytes.subarray(fields.from, fields.to);
  }
  return fields.isOdd ? undefined : value;
}

/** The fields of a message of protobuf, one after the other, as long as they are bytes with their length before them. */
class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  tag = 0;
  /** Where the field's bytes begin, and what follows them. */
  from: number;
  to: number;
  /** There was something else: no more is read. */
  isOdd = false;

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.from = from;
    this.to = from;
  }

  /** Whether there is one more. */
  next(): boolean {
    if (this.to >= this.#end) return false;
    let at = this.to;
    this.tag = this.#bytes[at++] ?? 0;
    let length = 0;
    let shift = 0;
    let byte = 0x80;
    while (byte >= 0x80 && shift < 28 && at < this.#end) {
      byte = this.#bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      shift += 7;
    }
    this.from = at;
    this.to = at + length;
    this.isOdd = (this.tag & 7) !== 2 || this.tag >= 0x80 || byte >= 0x80 || this.to > this.#end;
    return !this.isOdd;
  }

  /** The field as a text; undefined when it is not all ASCII. */
  text(): string | undefined {
    for (let at = this.from; at < this.to; at++) if ((this.#bytes[at] ?? 0) >= 0x80) return undefined;
    return this.#bytes.toString('latin1', this.from, this.to);
  }
}
