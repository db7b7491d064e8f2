import { describe, expect, it } from 'vitest';
import { checkSnapshot, RULES, snapshotOf } from '../../../../lib/check/index';

const findingsOf = (text: string) => checkSnapshot(snapshotOf([{ file: 'example.yaml', text }]));

describe.each(RULES.map((rule) => ({ rule, id: rule.id })))('the examples of $id', ({ rule }) => {
  it('pass all rules where they should', () => {
    expect(findingsOf(rule.examples.passing)).toEqual([]);
  });

  it('fails, where they should, by this rule only', () => {
    const findings = findingsOf(rule.examples.failing);
    expect(findings.length).toBeGreaterThan(0);
    expect(new Set(findings.map((finding) => finding.rule))).toEqual(new Set([rule.id]));
    for (const { file, line, object, path, problem, remedy } of findings) {
      expect(file).toBe('example.yaml');
      expect(line).toBeGreaterThan(1);
      expect([object, path, problem, remedy]).not.toContain('');
    }
  });
});
