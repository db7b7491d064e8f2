/**
 * The error contract of the agent: every error has a code, and each area has one table of its codes: config/errors.ts,
 * commands/exit-codes.ts, and admit/errors.ts for what senders are told. docs/reference/errors.md is generated from them.
 */
export interface ErrorEntry {
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Exit code of the program. @default 1 */
  readonly exitCode?: number;
}
