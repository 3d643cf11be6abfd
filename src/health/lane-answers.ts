import type { Answer, Head, Trailers } from '../wire/lanes.ts';
import { SAID, WIRE } from './service.ts';
import type { Status } from './status.ts';

/** What the lane says, made once: the same fields in the same order, byte for byte, as Connect would say it. */

/** gRPC's own codes. */
const OK = 0;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;

/** Frames of a HealthCheckResponse. */
export const FRAMES: Readonly<Record<Status, Buffer>> = {
  serving: frame(Buffer.from([8, WIRE.serving])),
  'not-serving': frame(Buffer.from([8, WIRE['not-serving']])),
  unknown: frame(Buffer.from([8, WIRE.unknown])),
};

/** The codes of gRPC with which a Check ends. */
export const CHECK_CODES: Readonly<Record<Status | 'bad-name', number>> = {
  serving: OK,
  'not-serving': OK,
  unknown: NOT_FOUND,
  'bad-name': INVALID_ARGUMENT,
};

/** A message as gRPC frames it, not compressed. */
export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The answers of gRPC to a caller, by what he takes of compressions: what answers begin with says which would be used, were one long. */
export interface GrpcAnswers {
  readonly head: Head;
  readonly checked: Readonly<Record<Status | 'bad-name', Answer>>;
  /** Of a Watch that is none. */
  readonly badName: Answer;
  /** Of a Watch whose deadline has passed before all of its request came. */
  readonly late: Answer;
  readonly tooManyWatches: Answer;
}

export const ENDS = {
  ok: { 'grpc-status': String(OK) },
  deadlineExceeded: failed(DEADLINE_EXCEEDED, 'the operation timed out'),
  internal: failed(INTERNAL, 'internal error'),
  gaveWay: failed(RESOURCE_EXHAUSTED, SAID.gaveWay),
} as const satisfies Readonly<Record<string, Trailers>>;

/** How a Watch ends when the bridge does. */
export function unavailable(message: string): Trailers {
  return failed(UNAVAILABLE, message);
}

/** Undefined where a rare name would have to be repeated. */
export function grpcAnswersFor(accepted: string | undefined): GrpcAnswers | undefined {
  // As Go, grpc-js, C++ and Java say it.
  if (accepted === undefined || accepted === 'identity') return PLAIN;
  if (accepted === 'gzip') return GZIP;
  if (accepted === 'identity,deflate,gzip' || accepted === 'identity, deflate, gzip') return DEFLATE;
  return byFirstKnown(accepted);
}

const PLAIN = answersWith(undefined);
const GZIP = answersWith('gzip');
const BROTLI = answersWith('br');
const DEFLATE = answersWith('deflate');

const BY_COMPRESSION: ReadonlyMap<string, GrpcAnswers | undefined> = new Map([
  ['gzip', GZIP],
  ['br', BROTLI],
  ['deflate', DEFLATE],
  // What stands for all that are not known is itself a name.
  ['unknown', undefined],
]);

function byFirstKnown(accepted: string): GrpcAnswers | undefined {
  for (const name of accepted.split(',')) {
    const trimmed = name.trim();
    if (BY_COMPRESSION.has(trimmed)) return BY_COMPRESSION.get(trimmed);
  }
  return PLAIN;
}

function answersWith(compression: string | undefined): GrpcAnswers {
  const head: Head = {
    ':status': 200,
    'content-type': 'application/grpc+proto',
    ...(compression !== undefined && { 'grpc-encoding': compression }),
  };
  const failure = (status: number, message: string): Answer => ({ head, body: undefined, trailers: failed(status, message) });
  const badName = failure(INVALID_ARGUMENT, SAID.badName);
  return {
    head,
    badName,
    late: { head, body: undefined, trailers: ENDS.deadlineExceeded },
    tooManyWatches: failure(RESOURCE_EXHAUSTED, SAID.tooManyWatches),
    checked: {
      serving: { head, body: FRAMES.serving, trailers: ENDS.ok },
      'not-serving': { head, body: FRAMES['not-serving'], trailers: ENDS.ok },
      unknown: failure(NOT_FOUND, SAID.unknownService),
      'bad-name': badName,
    },
  };
}

function failed(status: number, message: string): Trailers {
  return { 'grpc-message': encodeURIComponent(message), 'grpc-status': String(status) };
}

/** The answers to a Check in JSON, by what they say. */
export type JsonAnswer = { readonly status: number; readonly body: string };

export const JSON_ANSWERS: Readonly<Record<Status | 'bad-name', JsonAnswer>> = {
  serving: { status: 200, body: JSON.stringify({ status: 'SERVING' }) },
  'not-serving': { status: 200, body: JSON.stringify({ status: 'NOT_SERVING' }) },
  unknown: { status: 404, body: JSON.stringify({ code: 'not_found', message: SAID.unknownService }) },
  'bad-name': { status: 400, body: JSON.stringify({ code: 'invalid_argument', message: SAID.badName }) },
};
