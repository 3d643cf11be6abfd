/** The bytes that calls of gRPC are made of, where a load is made of bytes. */

/** A message behind its prefix: not compressed, and its length. */
export function grpcMessage(bytes) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** A field of protobuf that holds a text, or another message. */
export function field(number, content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A question about the health of a service. */
export function healthRequest(service) {
  return grpcMessage(field(1, service));
}

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 };
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** How a connection begins, with windows so large that none is ever used up. */
export const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])),
  frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1 - 65_535)),
]);

export function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The frame that begins a call. Its fields are said in full: what servers need to read them is the same for each call. */
export function callHeaders(stream, path) {
  const block = Buffer.concat([
    Buffer.from([0x83, 0x86]),
    Buffer.concat([Buffer.from([0x04]), text(path)]),
    Buffer.concat([Buffer.from([0x01]), text('bench')]),
    // content-type has number 31.
    Buffer.concat([Buffer.from([0x0f, 31 - 15]), text('application/grpc')]),
    Buffer.concat([Buffer.from([0]), text('te'), text('trailers')]),
  ]);
  return frame(FRAME.headers, END_HEADERS, stream, block);
}

/** At most 126 bytes, as all of these are. */
function text(value) {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}
