import type { Said } from './nacos-grpc.ts';
import type { Origin } from './recording.ts';

/**
 * What a real client of Nacos 2.x or 3.x and beatbridge said to each other over gRPC, as `npm run record` writes it and
 * `nacos/grpc/recorded.test.ts` replays it.
 *
 * What the client said is its own, to the byte of the body, but for what differs from one run or machine to the next: it is without
 * the address that the client takes for its own, and headers of time are zeros. What it was told is parsed; there `connectionId`
 * is `CONNECTION`, and `lastRefTime` and `lastModified` are 0.
 */
export interface GrpcRecording {
  readonly origin: Origin;
  /** In the order in which each began. */
  readonly events: readonly GrpcEvent[];
}

export type GrpcEvent = Ask | Says | Hears | Meanwhile;

/**
 * `on` is the number of the transport, from 1. A transport's stream is opened for the first that is said over it. The last one is
 * that of another client, which calls itself so and changes a text.
 */
export interface Ask {
  readonly on: number;
  readonly ask: Sent;
  readonly answer: Said;
}

/** Over the stream, as what follows. */
export interface Says {
  readonly on: number;
  readonly says: Sent;
}

export interface Hears {
  readonly on: number;
  readonly hears: Said;
}

/** What somebody else does over HTTP behind the client's back: method and target. */
export interface Meanwhile {
  readonly meanwhile: string;
}

export interface Sent {
  readonly type: string;
  /** Beside the body; only Rust's client has any. */
  readonly typeUrl?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Only what has the right form is taken out: anything else would be wrong, and has to show. */
export function timeless({ type, body }: Said): Said {
  return { type, body: withoutTime(body) };
}

function withoutTime(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTime);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (name === 'connectionId' && /^\d+_127\.0\.0\.1_\d+$/.test(field)) return [name, 'CONNECTION'];
      if (/^(lastRefTime|lastModified)$/.test(name) && Number.isSafeInteger(field)) return [name, 0];
      return [name, withoutTime(field)];
    }),
  );
}
