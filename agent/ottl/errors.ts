/**
 * A statement that cannot be run: found at start, with the place in the statement. What fails on a piece of data is a Failure.
 */
export class OttlError extends Error {
  /** 1-based column in the statement. */
  readonly column: number;
  constructor(message: string, at: number) {
    super(message);
    this.name = 'OttlError';
    this.column = at + 1;
  }
}

/**
 * What a statement could not do to one piece of data. error_mode decides what becomes of it. It is made by data that others send, so
 * it takes no stack: that would cost more than the statement.
 */
export class Failure extends Error {
  /** The value was there and of another type than wanted: what IsString() and its siblings answer with false. */
  readonly ofType: boolean;
  constructor(message: string, ofType = false) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.ofType = ofType;
  }
}

/** The same, for a value of the wrong type. */
export function wrongType(message: string): Failure {
  return new Failure(message, true);
}
