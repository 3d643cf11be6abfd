/** How commands end that ask a running server: one table for all of them, the codes of grpc_health_probe and one more. */
export const EXIT = {
  /** It was done, or is SERVING. */
  ok: 0,
  /** What was asked for cannot be meant. */
  usage: 1,
  /** No connection, or none that is trusted. */
  unreachable: 2,
  /** The call failed: no such service, no right to it, no answer in time. */
  failed: 3,
  /** What was asked about is there, and not SERVING. */
  notServing: 4,
  /** What was waited for has not come; as of timeout(1). */
  tooLate: 124,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command: its message is for people, in one line. */
export abstract class ClientError extends Error {
  abstract readonly exitCode: ExitCode;
}

/** All that is wrong with what the command was told. */
export class UsageError extends ClientError {
  override readonly name = 'UsageError';
  readonly exitCode = EXIT.usage;
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}

export class UnreachableError extends ClientError {
  override readonly name = 'UnreachableError';
  readonly exitCode = EXIT.unreachable;
}

export class CallError extends ClientError {
  override readonly name = 'CallError';
  readonly exitCode = EXIT.failed;
  /** The same call would fail again, however often it were made. */
  readonly isLasting: boolean;

  constructor(message: string, { isLasting = false }: { readonly isLasting?: boolean } = {}) {
    super(message);
    this.isLasting = isLasting;
  }
}

/** What could not be had within the time that was given for it. */
export class TooLateError extends ClientError {
  override readonly name = 'TooLateError';
  readonly exitCode = EXIT.tooLate;
}

/** Of what went wrong below: the reason, in one line. Where both families of addresses were refused, it stands in each of them. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ');
  // Of what is no HTTP the parser has a reason too.
  const isParser = 'code' in error && String(error.code).startsWith('HPE_');
  // OpenSSL names its sources in the message.
  if (!isParser && 'reason' in error && typeof error.reason === 'string') return `TLS: ${oneLine(error.reason)}`;
  return oneLine(error.message);
}

/** Of what somebody else says, no more than anybody reads. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
}
