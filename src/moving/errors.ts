/** It cannot be gone on: the other side cannot be reached, or does not let us in. Its message is for people. */
export class MovingError extends Error {
  override readonly name = 'MovingError';
}

/** The other side has refused one call; the next may well be taken. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The file is none that can be imported: each fault with its line. */
export class BadFileError extends Error {
  override readonly name = 'BadFileError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}
