/** What each surface makes of a reason: the status of plain HTTP, the code and fixed text of a v2 envelope, the code over gRPC. */
interface Row {
  readonly http: number;
  readonly v2: Coded;
  /** The same of 3.x, where it has another. */
  readonly v3?: Coded;
  readonly grpc: number;
}

interface Coded {
  readonly code: number;
  readonly message: string;
}

const UNCODED: Coded = { code: 30_000, message: 'server error' };

/** Why a request is refused. */
export const REASONS = {
  'missing-param': row(400, 10_000, 'parameter missing'),
  invalid: row(400, 20_002, 'parameter validate error'),
  'not-found': row(404, 20_004, 'resource not found'),
  'config-unknown': row(404, 20_004, 'resource not found', 300),
  'config-changed': row(500, 20_005, 'resource conflict'),
  forbidden: row(403, 30_000, 'server error'),
  busy: row(429, 30_000, 'server error'),
  conflict: row(409, 20_005, 'resource conflict', 500),
  'bad-weight': row(400, 21_001, 'weight error'),
  'bad-metadata': row(400, 21_002, 'instance metadata error'),
  // Clients of 3.x that beat read the code in a reply of status 200.
  'beat-unknown': row(200, 21_003, 'instance not found', 404),
  'bad-instance': row(400, 21_004, 'instance error'),
  'bad-selector': row(400, 21_006, 'selector error'),
  'service-exists': row(400, 21_007, 'service already exist'),
  'service-unknown': row(400, 21_008, 'service not exist'),
  'service-not-empty': row(400, 21_009, 'service delete failure'),
  'health-missing': row(400, 21_010, 'healthy param miss'),
  'health-checked': { ...row(400, 21_011, 'health check still running'), v3: UNCODED },
  'bad-namespace': row(400, 22_000, 'illegal namespace'),
  'namespace-unknown': row(404, 22_001, 'namespace not exist'),
  'namespace-exists': row(400, 22_002, 'namespace already exist'),
  'bad-state': row(400, 23_000, 'illegal state'),
  // What 3.x refuses without a code of its own.
  refused: row(400, UNCODED.code, UNCODED.message),
  absent: row(404, UNCODED.code, UNCODED.message),
  'not-ready': row(500, UNCODED.code, UNCODED.message),
  'too-many': row(429, 30_000, 'server error', 503),
  'too-many-polls': row(503, 30_000, 'server error'),
  'too-many-bytes': row(429, 30_000, 'server error'),
  'too-many-connections': row(503, 30_000, 'server error'),
  'too-large': row(413, 30_000, 'server error'),
  'no-such-api': row(501, 30_000, 'server error'),
  'no-such-path': row(404, 30_000, 'server error'),
  'no-such-method': row(405, 30_000, 'server error'),
  'not-up': row(503, 30_000, 'server error'),
  'not-kept': row(503, 30_000, 'server error'),
} as const satisfies Readonly<Record<string, Row>>;

/** One of the reasons in the table. */
export type Reason = keyof typeof REASONS;

/** Over gRPC clients are told by number what HTTP tells by status, but for the few where Nacos has another. */
function row(http: number, code: number, message: string, grpc = http): Row {
  return { http, v2: { code, message }, grpc };
}

/** The request is at fault. The text is for the caller, shows the value and is bounded. */
export class RequestError extends Error {
  readonly reason: Reason;
  /** The words of v2, where they are others; null for none. */
  readonly v2Message: string | null;

  constructor(reason: Reason, message: string, v2Message: string | null = message) {
    // Callers' mistakes are answered by the thousand, and nobody reads where in this code they were found: a stack costs 6-9 us.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.reason = reason;
    this.v2Message = v2Message;
  }
}

/** There is no room for what is asked, by a limit that the table of options has. Refusals are counted by `limit`, which is a constant. */
export class TooMany extends RequestError {
  readonly limit: string;

  constructor(limit: string, message: string, reason: Extract<Reason, `too-many${string}`> = 'too-many') {
    super(reason, message);
    this.limit = limit;
  }
}

/** By which limit it was refused; undefined: by none. */
export function limitOf(error: RequestError): string | undefined {
  return error instanceof TooMany ? error.limit : LIMITS[error.reason];
}

const LIMITS: Partial<Record<Reason, string>> = {
  'too-many': 'number',
  'too-many-polls': 'long polls',
  'too-large': 'size',
};

/** A parameter that must be given was not. The two API versions say it in words of their own, the second with its Java type. */
export class MissingParam extends RequestError {
  constructor(name: string, type: 'String' | 'Integer' | 'Boolean' = 'String') {
    super('missing-param', `Param '${name}' is required.`, `Required parameter '${name}' type ${type} is not present`);
  }
}

/** As much of a caller's text as an answer or a log line may carry. */
export function shown(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
