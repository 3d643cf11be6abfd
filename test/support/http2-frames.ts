/** HTTP/2 as it is on the wire, written down a second time for tests: nothing of the engine is used here. */

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export type Field = readonly [name: string, value: string];

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

/** The 24 bytes, and SETTINGS. */
export function hello(...settings: readonly (readonly [id: number, value: number])[]): Buffer {
  return Buffer.concat([PREFACE, settingsFrame(...settings)]);
}

export function settingsFrame(...settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = settings.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 0xff]), uint32(value)]));
  return frame(TYPE.settings, 0, 0, Buffer.concat(payload));
}

export const settingsAck = frame(TYPE.settings, FLAG.ack, 0);

export function headers(id: number, fields: readonly Field[], flags: number = FLAG.endHeaders | FLAG.endStream): Buffer {
  return frame(TYPE.headers, flags, id, block(fields));
}

export function data(id: number, payload: Uint8Array | string, flags: number = FLAG.endStream): Buffer {
  return frame(TYPE.data, flags, id, Buffer.from(payload));
}

export const resetFrame = (id: number, code: number): Buffer => frame(TYPE.reset, 0, id, uint32(code));
export const windowUpdate = (id: number, increment: number): Buffer => frame(TYPE.windowUpdate, 0, id, uint32(increment));
export const ping = (text = '12345678', flags = 0): Buffer => frame(TYPE.ping, flags, 0, Buffer.from(text));

/** A header block of literals that go into no table. */
export function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), string(name), string(value)])));
}

/** Not by Huffman's code. */
export function string(text: string): Buffer {
  return Buffer.concat([integer(0, 7, text.length), Buffer.from(text, 'latin1')]);
}

/** With a prefix of `bits` bits, and what stands before it in the same byte. */
export function integer(first: number, bits: number, value: number): Buffer {
  const max = 2 ** bits - 1;
  if (value < max) return Buffer.from([first | value]);
  const bytes = [first | max];
  let rest = value - max;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function request(method: string, path: string, ...more: readonly Field[]): Field[] {
  return [[':method', method], [':scheme', 'http'], [':path', path], [':authority', 'test'], ...more];
}

/** All whole frames in the bytes. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 9 <= bytes.length) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

/** Where each frame begins. */
export function bordersIn(bytes: Buffer): number[] {
  const borders: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) borders.push(at);
  return borders;
}

/** A frame in a few words, so that tables of them can be read: `RST_STREAM 3 PROTOCOL_ERROR`. */
export function inWords({ type, flags, id, payload }: Frame): string {
  const end = type <= 1 && (flags & FLAG.endStream) !== 0 ? ' END' : '';
  switch (type) {
    case TYPE.data:
      return `DATA ${id} ${payload.length}${end}`;
    case TYPE.headers:
      return `HEADERS ${id}${end}`;
    case TYPE.reset:
      return `RST_STREAM ${id} ${CODES[payload.readUInt32BE(0)]}`;
    case TYPE.settings:
      return (flags & FLAG.ack) !== 0 ? 'SETTINGS ACK' : 'SETTINGS';
    case TYPE.ping:
      return (flags & FLAG.ack) !== 0 ? `PING ACK ${payload.toString('latin1')}` : 'PING';
    case TYPE.goaway:
      return `GOAWAY ${payload.readUInt32BE(0)} ${CODES[payload.readUInt32BE(4)]}`;
    case TYPE.windowUpdate:
      return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`;
    default:
      return `frame ${type} ${id}`;
  }
}

const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];
