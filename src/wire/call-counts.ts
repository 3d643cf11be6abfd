import { Histogram } from './histogram.ts';

/** The words of gRPC for how a call can end, each at the place of its code. */
export const CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

export const CANCELED = 1;
export const UNKNOWN = 2;

export type CallType = 'unary' | 'client_stream' | 'server_stream' | 'bidi_stream';

/** What calls of one method came to. Nothing is made for a call: whoever serves one knows when it began. */
export class MethodCounts {
  readonly type: CallType;
  readonly service: string;
  readonly method: string;
  started = 0;
  /** By code. */
  readonly handled = new Float64Array(CODES.length);
  readonly seconds = new Histogram(BOUNDS);
  #lastMs = 0;

  constructor(service: string, method: string, type: CallType) {
    this.service = service;
    this.method = method;
    this.type = type;
  }

  /** One that was started has ended. A code that gRPC does not know is Unknown. */
  ended(code: number, ms: number): void {
    const place = code >= 0 && code < CODES.length ? code : UNKNOWN;
    this.handled[place] = (this.handled[place] ?? 0) + 1;
    this.seconds.observe(ms / 1_000);
  }

  /**
   * For one that is answered in the turn in which it comes: when it has begun, for `answered`. Reading the clock costs more than all else that
   * is counted of it, so that is done for one in sixteen, and the others count as having taken as long as that one.
   */
  begin(now: () => number): number {
    return this.started % TIMED_ONE_IN === 0 ? now() : UNTIMED;
  }

  answered(code: number, began: number, now: () => number): void {
    if (began !== UNTIMED) this.#lastMs = now() - began;
    this.started++;
    this.ended(code, this.#lastMs);
  }
}

/** Of all methods, whatever dress a call comes in and whichever way it takes. There are as many as are served. */
export class CallCounts {
  readonly #methods = new Map<string, MethodCounts>();

  /** The counts of the method, which are the same for every way to it. */
  of(service: string, method: string, type: CallType): MethodCounts {
    const key = `${service}/${method}`;
    const known = this.#methods.get(key) ?? new MethodCounts(service, method, type);
    this.#methods.set(key, known);
    return known;
  }

  all(): IterableIterator<MethodCounts> {
    return this.#methods.values();
  }
}

const TIMED_ONE_IN = 16;
const UNTIMED = -1;

/** As those of gRPC's other libraries, and one for who is answered at once. */
const BOUNDS = [0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
