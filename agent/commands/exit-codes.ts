import type { ErrorEntry } from '../errors.ts';

/** Exit codes of the program; docs/reference/errors.md lists them. */
export const EXIT = {
  /** Drained after SIGTERM or SIGINT; also where something could not be delivered, which is counted and logged. */
  OK: 0,
  /** The configuration is wrong, a port cannot be had, or the health check failed. */
  FAILED: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** A bug: an exception that nothing caught. sysexits.h calls it EX_SOFTWARE. */
  CRASHED: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What the program itself says. docs/reference/errors.md is generated from this table. */
export const PROGRAM_ERRORS = {
  OTLP_USAGE: {
    message: 'The command line is wrong: an unknown option or command, or no --config.',
    remedy: '`otlp-agent --help` shows what there is.',
    exitCode: EXIT.USAGE,
  },
  OTLP_BIND: {
    message: 'An address cannot be listened on: in use, not of this machine, or not permitted.',
    remedy: 'The message names the address and the key of the configuration that asks for it; stop the other program or change the key.',
    exitCode: EXIT.FAILED,
  },
  OTLP_FILE: {
    message: 'The exporter file cannot open its file: no such folder, not permitted, or not a file.',
    exitCode: EXIT.FAILED,
    remedy: 'The message names path and key; make the folder, set create_directory, or change the mode of the volume.',
  },
  OTLP_DETECTION: {
    message: 'A detector of resource_detection could not find what it must: no host name, or a variable or file that cannot be read.',
    remedy: 'The message names the processor and the detector; correct what it reads, or take the detector out.',
    exitCode: EXIT.FAILED,
  },
  OTLP_UNHEALTHY: {
    message: '`health-check` got no answer, or one that says the agent is not ready.',
    remedy: 'The message holds the answer; a draining agent and one at its memory limit are not ready.',
    exitCode: EXIT.FAILED,
  },
  OTLP_CRASH: {
    message: 'An exception that nothing caught: a bug of the agent.',
    remedy: 'Report it with the stack that was logged.',
    exitCode: EXIT.CRASHED,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
