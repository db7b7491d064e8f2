import { load } from '../config/load.ts';
import { portableFindings } from '../config/portable.ts';
import { ConfigError, printProblem, printProblems } from '../config/problems.ts';
import { printOrigin, printPath } from '../config/tree.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';

export interface ValidateArguments extends ConfigArguments {
  /** Also lists what the Collector would refuse. */
  readonly portable?: boolean;
  readonly json?: boolean;
}

/** Checks a configuration; binds nothing. Exit code 1 where the agent (or, with --portable, the Collector) would refuse it. */
export function validate(args: ValidateArguments, io: Io): ExitCode {
  try {
    const { notices, root } = load({ configs: args.config, sets: args.set, environment: io.environment });
    const portable = args.portable === true ? portableFindings(root) : [];
    if (args.json === true) {
      const flat = (list: typeof notices) =>
        list.map(({ path, origin, message }) => ({ key: printPath(path), at: printOrigin(origin), message }));
      io.out(`${JSON.stringify({ valid: true, problems: [], notices: flat(notices), notPortable: flat(portable) }, null, 2)}\n`);
      return portable.length === 0 ? EXIT.OK : EXIT.FAILED;
    }
    for (const { path, origin, message } of notices) io.out(`${printOrigin(origin)}: ${printPath(path)}: ${message}\n`);
    if (portable.length > 0) io.err(`The agent accepts this configuration, the Collector would not:\n`);
    for (const { path, origin, message } of portable) io.err(`  ${printOrigin(origin)}: ${printPath(path)}: ${message}\n`);
    if (portable.length > 0) return EXIT.FAILED;
    io.out(args.portable === true ? 'The configuration is valid here and in the Collector.\n' : 'The configuration is valid.\n');
    return EXIT.OK;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (args.json === true) {
      const problems = error.problems.map((problem) => ({
        code: problem.code,
        key: printPath(problem.path),
        at: printOrigin(problem.origin),
        message: problem.message,
        text: printProblem(problem),
      }));
      io.out(`${JSON.stringify({ valid: false, problems }, null, 2)}\n`);
    } else io.err(`${printProblems(error.problems)}\n`);
    return EXIT.FAILED;
  }
}
