import { gzipSync } from 'node:zlib';
import { isObject, parseJson } from '../json.ts';

/** What goes out in one datagram, and what comes back in another. */
export interface Datagram {
  /** By which it is acknowledged. */
  readonly ref: number;
  readonly bytes: Buffer;
}

/** A push of the list, in JSON, as clients of 1.x read it. */
export function datagramOf(list: string, ref: number): Datagram {
  const text = Buffer.from(JSON.stringify({ type: 'dom', data: list, lastRefTime: ref }));
  return { ref, bytes: text.length >= GZIP_FROM_BYTES ? gzipSync(text) : text };
}

/** The reference that an acknowledgement names; undefined for what is none. Java and Go write it as text, npm as a number. */
export function referenceIn(message: Buffer): string | undefined {
  const json = message.length > MAX_ACK_BYTES ? undefined : parseJson(message.toString());
  return isObject(json) ? String(json.lastRefTime) : undefined;
}

/** Whether the client can read the datagram whole. One that it cannot is worse than none. */
export function fits({ bytes }: Datagram, isGo: boolean): boolean {
  return bytes.length <= (isGo ? MAX_GO_BYTES : MAX_DATAGRAM_BYTES);
}

const GZIP_FROM_BYTES = 1_024;
/** Go's client reads no more of a datagram (nacos-sdk-go 1.1.6). */
const MAX_GO_BYTES = 4_024;
const MAX_DATAGRAM_BYTES = 65_507;
const MAX_ACK_BYTES = 4_096;
