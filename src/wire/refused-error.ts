/** What a program asks of the server that it embeds cannot be done as it was asked. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** One of a few words: `invalid`, `conflict`, `too-many`, `not-kept`, or another of those by which calls over the network are refused. */
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** Of a program that is not checked by its types: what it has given is none of what it may be. */
export function badInput(must: string, given: unknown): RefusedError {
  return new RefusedError('invalid', `${must}, got ${kindOf(given)}`);
}

/** A text in so many characters; of what can be long, or may do something when it is read, only what it is. */
function kindOf(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.slice(0, 100));
  if (given === null || given === undefined || typeof given === 'number' || typeof given === 'boolean') return String(given);
  if (typeof given !== 'object') return `a ${typeof given}`;
  return Object.prototype.toString.call(given).slice(1, -1).slice(0, 100);
}

/** Of this realm or another; a Map, a list or a date is none. */
export function isPlainObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && Object.prototype.toString.call(given) === '[object Object]';
}
