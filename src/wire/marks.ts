/**
 * What can be known of a header without looking through it: a bit for each field that lanes go by. They are worked out once for each
 * field that is decoded, and a field that a client repeats is not decoded again.
 */

export const GET = 1;
export const POST = 2;
/** `application/grpc` or `application/grpc+proto`. */
export const GRPC_TYPE = 4;
/** `application/json`, perhaps with something behind it. */
export const JSON_TYPE = 8;
/** Any other type of content. */
export const OTHER_TYPE = 16;
export const ORIGIN = 32;
export const EXPECT = 64;
export const GRPC_ENCODING = 128;
export const GRPC_ACCEPT_ENCODING = 256;
export const GRPC_TIMEOUT = 512;
/** In either spelling of Dubbo. */
export const DUBBO_TIMEOUT = 1_024;
export const CONNECT_TIMEOUT = 2_048;
export const CONTENT_ENCODING = 4_096;

/** Those that say something by being there. */
const BY_NAME: ReadonlyMap<string, number> = new Map([
  ['origin', ORIGIN],
  ['expect', EXPECT],
  ['grpc-encoding', GRPC_ENCODING],
  ['grpc-accept-encoding', GRPC_ACCEPT_ENCODING],
  ['grpc-timeout', GRPC_TIMEOUT],
  ['triple-timeout-ms', DUBBO_TIMEOUT],
  ['tri-service-timeout', DUBBO_TIMEOUT],
  ['connect-timeout-ms', CONNECT_TIMEOUT],
  ['content-encoding', CONTENT_ENCODING],
]);

export function markOf(name: string, value: string): number {
  if (name === ':method') return value === 'POST' ? POST : value === 'GET' ? GET : 0;
  if (name === 'content-type') {
    if (value === 'application/grpc' || value === 'application/grpc+proto') return GRPC_TYPE;
    return value.startsWith('application/json') ? JSON_TYPE : OTHER_TYPE;
  }
  return BY_NAME.get(name) ?? 0;
}
