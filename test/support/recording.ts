import { gunzipSync } from 'node:zlib';
import { headerOf, type Message } from './raw.ts';

/**
 * What a real client and beatbridge said to each other, as `npm run record` writes it and `recorded.test.ts` replays it.
 *
 * Requests and acknowledgements are the client's own bytes, in their order, but for what differs from one run or machine to the
 * next: `Host` is 127.0.0.1:8848, `RequestId` all zeros, `udpPort` (unless 0) 55555, and a `clientIP` that is not of the loopback
 * network 192.0.2.1. In answers, pushes and acknowledgements `lastRefTime` is 0, as text where it was text.
 */
export interface Recording {
  readonly origin: Origin;
  /** In the order in which they happened. Requests were answered one at a time. */
  readonly events: readonly RecordedEvent[];
}

export interface Origin {
  readonly client: string;
  readonly version: string;
  /** The day, by UTC. */
  readonly recorded: string;
  readonly how: string;
}

export type RecordedEvent = Exchange | Meanwhile | Push;

export interface Exchange {
  /** The head, line by line as sent; a byte beyond ASCII is the character of that number. */
  readonly request: readonly string[];
  readonly body: string;
  readonly answer: Answer;
}

/** JSON is parsed, anything else is text. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What somebody else does behind the client's back: method and target. */
export interface Meanwhile {
  readonly meanwhile: string;
}

export interface Push {
  readonly push: PushView;
  /** What the client sent back, to the byte. */
  readonly acknowledgement: string;
}

/** A datagram to a subscriber, unpacked; `data` is JSON in a string on the wire. */
export interface PushView {
  readonly gzipped: boolean;
  readonly type: unknown;
  readonly data: unknown;
  readonly lastRefTime: unknown;
}

export function answerOf({ head, body }: Message): Answer {
  const status = Number(head[0]?.split(' ', 2)[1]);
  const json = headerOf(head, 'content-type')?.startsWith('application/json');
  return { status, body: json ? withoutTime(JSON.parse(body.toString())) : body.toString() };
}

export function pushOf(datagram: Buffer): PushView {
  const gzipped = datagram.readUInt16BE() === 0x1f8b;
  const { type, data, ...rest } = JSON.parse((gzipped ? gunzipSync(datagram) : datagram).toString());
  return { gzipped, type, data: typeof data === 'string' ? withoutTime(JSON.parse(data)) : data, ...withoutTime(rest) };
}

/** The reference by which a push is acknowledged. */
export function refOf(datagram: Buffer): number {
  const text = datagram.readUInt16BE() === 0x1f8b ? gunzipSync(datagram) : datagram;
  return JSON.parse(text.toString()).lastRefTime;
}

/** The acknowledgement with another reference, spelled as the client spells it. */
export function acknowledging(ref: number, acknowledgement: string): string {
  return acknowledgement.replace(/("lastRefTime"\s*:\s*"?)\d+/, `$1${ref}`);
}

/** Only an integer is taken out: anything else would be wrong, and has to show. */
function withoutTime<T extends object>(value: T): T {
  return 'lastRefTime' in value && Number.isSafeInteger(value.lastRefTime) ? { ...value, lastRefTime: 0 } : value;
}
