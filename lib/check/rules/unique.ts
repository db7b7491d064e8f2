import type { Finding } from '../finding';

/** One finding per place and problem: a configuration that two containers mount is wrong once. */
export function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.file, finding.object, finding.path, finding.problem]);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}
