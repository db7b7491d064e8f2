import type { Finding } from '../finding';

/** Findings for people: four lines each, then how many there are. */
export function textReport(findings: readonly Finding[]): string {
  const errors = findings.filter(({ level }) => level === 'error').length;
  const blocks = findings.map(({ file, line, level, rule, object, path, problem, remedy }) =>
    [`${file}:${line}: ${level} (${rule})`, `  ${object}: ${path}`, `  ${problem}`, `  -> ${remedy}`].join('\n'),
  );
  const total = findings.length === 0 ? 'No findings.' : `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}.`;
  return `${[...blocks, total].join('\n\n')}\n`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
