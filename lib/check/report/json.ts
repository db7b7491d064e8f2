import type { Finding } from '../finding';

/** Findings for programs: `{ "findings": [...] }`, each with the fields of a Finding, in a stable order. */
export function jsonReport(findings: readonly Finding[]): string {
  return `${JSON.stringify({ findings }, undefined, 2)}\n`;
}
