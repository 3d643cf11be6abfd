/** Why a request is refused, with what each version of the API makes of it: HTTP status, and code and fixed text of a v2 envelope. */
export const REASONS = {
  'missing-param': { status: 400, code: 10_000, message: 'parameter missing' },
  invalid: { status: 400, code: 20_002, message: 'parameter validate error' },
  'not-found': { status: 404, code: 20_004, message: 'resource not found' },
  'config-unknown': { status: 404, code: 20_004, message: 'resource not found' },
  conflict: { status: 409, code: 20_005, message: 'resource conflict' },
  'bad-weight': { status: 400, code: 21_001, message: 'weight error' },
  'bad-metadata': { status: 400, code: 21_002, message: 'instance metadata error' },
  'service-exists': { status: 400, code: 21_007, message: 'service already exist' },
  'service-unknown': { status: 400, code: 21_008, message: 'service not exist' },
  'service-not-empty': { status: 400, code: 21_009, message: 'service delete failure' },
  'health-missing': { status: 400, code: 21_010, message: 'healthy param miss' },
  'health-checked': { status: 400, code: 21_011, message: 'health check still running' },
  'bad-namespace': { status: 400, code: 22_000, message: 'illegal namespace' },
  'namespace-unknown': { status: 404, code: 22_001, message: 'namespace not exist' },
  'namespace-exists': { status: 400, code: 22_002, message: 'namespace already exist' },
  'too-many': { status: 429, code: 30_000, message: 'server error' },
  'too-large': { status: 413, code: 30_000, message: 'server error' },
  'no-such-api': { status: 501, code: 30_000, message: 'server error' },
  'not-up': { status: 503, code: 30_000, message: 'server error' },
} as const;

export type Reason = keyof typeof REASONS;

/** The request is at fault. The text is for the caller, shows the value and is bounded. */
export class RequestError extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A parameter that must be given was not. The two API versions say it in words of their own. */
export class MissingParam extends RequestError {
  /** The words of v2. */
  readonly v2Message: string;

  constructor(name: string) {
    super('missing-param', `Param '${name}' is required.`);
    const type = INTEGERS.has(name) ? 'Integer' : 'String';
    this.v2Message = `Required parameter '${name}' type ${type} is not present`;
  }
}

const INTEGERS = new Set(['port', 'checkPort']);

/** As much of a caller's text as an answer or a log line may carry. */
export function shown(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
