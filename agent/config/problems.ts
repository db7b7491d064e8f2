import { distance } from 'fastest-levenshtein';
import type { ConfigErrorCode } from './errors.ts';
import type { Origin, PathStep } from './tree.ts';
import { Expanded, printOrigin, printPath } from './tree.ts';

/** The Collector's word for a value that is not to be seen. */
export const MASK = '[REDACTED]';

/** One thing that is wrong with a configuration: where, what, and what to do. */
export interface Problem {
  readonly code: ConfigErrorCode;
  readonly path: readonly PathStep[];
  readonly origin: Origin;
  readonly message: string;
}

/** Something that works but is worth a line at start: a key without effect here, a deprecated name. */
export interface Notice {
  readonly path: readonly PathStep[];
  readonly origin: Origin;
  readonly message: string;
}

/** Thrown by load(): every problem of the configuration at once. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(printProblems(problems));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** One line each: `agent.yaml:12: exporters.otlp.timeout: what is wrong [OTLP_CONFIG_TYPE]`. */
export function printProblem(problem: Problem): string {
  const path = printPath(problem.path);
  const line = `${printOrigin(problem.origin)}: ${path === '' ? '' : `${path}: `}${problem.message} [${problem.code}]`;
  // A password in a URL: http://user:password@host.
  return line.replaceAll(/\/\/[^/@\s"]*@/gu, `//${MASK}@`);
}

/** All of them, in the order of the files. */
export function printProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? 'The configuration has one problem' : `The configuration has ${problems.length} problems`;
  return [`${count}; nothing was started:`, ...problems.map((problem) => `  ${printProblem(problem)}`)].join('\n');
}

/** Further away than this a name is no longer a likely misspelling. */
const MAX_DISTANCE = 4;

/** The allowed name that was probably meant, or undefined. Short names must be closer: two letters of `tls` are another word. */
export function nearest(name: string, allowed: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(MAX_DISTANCE, Math.ceil(name.length / 2)) + 1;
  for (const candidate of allowed) {
    const steps = distance(name.toLowerCase(), candidate.toLowerCase());
    if (steps < bestDistance) {
      best = candidate;
      bestDistance = steps;
    }
  }
  return best;
}

/** `; did you mean "endpoint"? Allowed here: endpoint, transport`, the tail of every message about a name. */
export function suggestion(name: string, allowed: readonly string[]): string {
  const near = nearest(name, allowed);
  const question = near === undefined ? '' : `; did you mean "${near}"?`;
  return `${question}${near === undefined ? '.' : ''} Allowed here: ${allowed.length === 0 ? 'nothing' : [...allowed].sort().join(', ')}`;
}

/** Keys below which values are secrets more often than not, and names that say so themselves. */
const SECRET_SECTIONS: ReadonlySet<PathStep> = new Set(['headers', 'response_headers', 'auth']);
const SECRET_NAME = /passw|secret|token|_pem$|authorization|(?:api|hmac)_?key|credential/iu;

function isSecret(step: PathStep): boolean {
  return SECRET_SECTIONS.has(step) || SECRET_NAME.test(String(step));
}

/** A value as an error shows it: JSON, shortened; without the marks of `${...}`, and masked where it may be a secret. */
export function showValue(value: unknown, path: readonly PathStep[]): string {
  if (path.some(isSecret)) return MASK;
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (isSecret(key)) return MASK;
    const shown = inner instanceof Expanded ? inner.value : inner;
    return typeof shown === 'bigint' ? Number(shown) : shown;
  });
  if (text === undefined) return 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}

/** A line of an error stays a line. */
const MAX_SHOWN = 80;
