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
