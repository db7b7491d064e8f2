/** One reason why nothing could be checked. */
export interface ReadProblem {
  readonly file: string;
  /** 1-based; undefined where the file itself is the problem. */
  readonly line?: number;
  readonly problem: string;
  readonly remedy: string;
}

/** The manifests could not be read. Holds every problem, not only the first; the message is one line for each. */
export class ManifestReadError extends Error {
  readonly problems: readonly ReadProblem[];

  constructor(problems: readonly ReadProblem[]) {
    super(
      problems
        .map(({ file, line, problem, remedy }) => `${line === undefined ? file : `${file}:${line}`}: ${problem}. ${remedy}.`)
        .join('\n'),
    );
    this.name = 'ManifestReadError';
    this.problems = problems;
  }
}
