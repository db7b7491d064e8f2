import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closingLine, tallyVitest } from '../../scripts/tools/tally.mjs';
import { scratch } from './scratch.ts';

function tally(report: object | undefined, exitCode: number): string {
  const folder = scratch(report === undefined ? {} : { 'report.json': JSON.stringify(report) });
  return closingLine(tallyVitest(join(folder, 'report.json'), exitCode));
}

const file = (status: string, ...tests: readonly string[]): object => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});
const report = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [file('passed', 'passed', 'passed', 'passed', 'pending', 'todo')],
};

describe('the closing line', () => {
  it('counts what passed, failed and was skipped', () => {
    expect(tally(report, 0)).toBe('3 passed, 0 failed, 2 skipped');
    expect(tally({ ...report, numFailedTests: 2, testResults: [file('failed', 'failed', 'failed')] }, 1)).toBe(
      '3 passed, 2 failed, 2 skipped',
    );
  });

  it('counts a file that cannot be loaded as one failure', () => {
    expect(tally({ ...report, testResults: [...report.testResults, file('failed')] }, 1)).toBe('3 passed, 1 failed, 2 skipped');
  });

  it.each([
    ['without a failed test (an unhandled rejection)', report, '3 passed, 1 failed, 2 skipped'],
    ['without a report', undefined, '0 passed, 1 failed, 0 skipped'],
  ])('counts a bad end %s as one failure', (_, given, expected) => {
    expect(tally(given, 1)).toBe(expected);
  });
});
