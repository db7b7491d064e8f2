import { CommanderError } from 'commander';
import { ManifestReadError } from 'otlp-stack-check';
import { RehearsalError } from './rehearse/programs.ts';

/** What the exit codes mean; `--help` says the same. */
export const EXIT = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;

/** A mistake of the user: one clear line, no stack. */
export class InputError extends Error {}

/** Stopped by ^C or SIGTERM before it was done. */
export class Interrupted extends Error {}

/** The line and the exit code for whatever a command threw. */
export function explain(error: unknown): { message: string; code: number } {
  if (error instanceof CommanderError) {
    // commander has printed its message already; help and version are no errors.
    return { message: '', code: error.exitCode === 0 ? EXIT.done : EXIT.wrongInput };
  }
  if (error instanceof ManifestReadError) {
    const lines = error.problems.map(({ file, line, problem, remedy }) => `${file}${line ? `:${line}` : ''}: ${problem}. ${remedy}.`);
    return { message: lines.join('\n'), code: EXIT.wrongInput };
  }
  if (error instanceof InputError) {
    return { message: error.message, code: EXIT.wrongInput };
  }
  if (error instanceof RehearsalError) {
    return { message: error.message, code: EXIT.failed };
  }
  if (error instanceof Interrupted) {
    return { message: 'Stopped before the end; everything that was started has ended.', code: EXIT.interrupted };
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), code: EXIT.failed };
}
