import { ConfigError } from '../config/problems.ts';
import { runCommandLine } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';
import type { ReloadRequests } from './reload-requests.ts';
import { run } from './run.ts';

/** Runs what the arguments say; the exit code is for main.ts. */
export async function runProgram(args: readonly string[], io: Io, stop: AbortSignal, reloads: ReloadRequests): Promise<ExitCode> {
  try {
    const plain = plainArguments(args);
    return plain === undefined ? await runCommandLine(args, io, stop, reloads) : await run(plain, io, stop, reloads);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.err(`${error.message}\n`);
    return EXIT.FAILED;
  }
}

/**
 * How an agent is run day by day: `--config` and `--set` with their values and nothing else. The parser of command lines, 4 ms of a
 * start, is not loaded for it.
 */
export function plainArguments(args: readonly string[]): ConfigArguments | undefined {
  const config: string[] = [];
  const set: string[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const [, name, joined] = /^--(config|set)(?:=(.*))?$/s.exec(args[i] as string) ?? [];
    if (name === undefined) return undefined;
    const value = joined ?? args[++i];
    // Nothing, or another option: the parser knows what to say.
    if (value === undefined || value === '' || value.startsWith('-')) return undefined;
    (name === 'config' ? config : set).push(value);
  }
  return config.length === 0 ? undefined : { config, set };
}
