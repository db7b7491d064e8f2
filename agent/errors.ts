/**
 * The error contract of the agent: every error has a code, and each area has one table of its codes (config/errors.ts,
 * commands/errors.ts, and those of the data path beside their stages). docs/reference/errors.md is generated from them.
 */
export interface ErrorEntry {
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Status that an OTLP/gRPC sender gets; absent where no sender is told. */
  readonly grpcStatus?: string;
  /** Status that an OTLP/HTTP sender gets. */
  readonly httpStatus?: number;
  /** Whether the sender may send the same bytes again. */
  readonly retryable?: boolean;
  /** Exit code of the program; absent where it goes on. */
  readonly exitCode?: number;
}
