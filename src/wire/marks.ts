import { isBrowserField } from './browser.ts';
import { isHandOnField } from './handed-on.ts';

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
/** Of a browser. */
export const BROWSER = 32;
export const EXPECT = 64;
export const GRPC_ENCODING = 128;
export const GRPC_ACCEPT_ENCODING = 256;
export const GRPC_TIMEOUT = 512;
/** In either spelling of Dubbo. */
export const DUBBO_TIMEOUT = 1_024;
export const CONNECT_TIMEOUT = 2_048;
export const CONTENT_ENCODING = 4_096;
/** Somebody has handed it on. */
export const HANDED_ON = 8_192;

/** Those that say something by being there. */
const BY_NAME: ReadonlyMap<string, number> = new Map([
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
  const known = BY_NAME.get(name) ?? 0;
  if (isBrowserField(name, value)) return known | BROWSER;
  return isHandOnField(name) ? HANDED_ON : known;
}
