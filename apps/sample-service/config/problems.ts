import { closest } from 'fastest-levenshtein';

/** Everything that is wrong with the configuration, one line each: place, value, remedy. The program prints them and exits with 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** `did you mean 'port'? known: name, environment, port` */
export function hint(unknown: string, known: readonly string[]): string {
  const list = `known here: ${known.join(', ')}`;
  return known.length === 0 ? 'nothing is known here' : `did you mean '${closest(unknown, [...known])}'? ${list}`;
}
