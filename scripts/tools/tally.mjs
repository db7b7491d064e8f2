/** The plain closing line that every lane prints last, and the sum over lanes. */
import { existsSync, readFileSync } from 'node:fs';

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

export function sum(tallies) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of tallies) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/**
 * Counts the report of vitest's JSON reporter. A test file that cannot be loaded has no tests to count and is one failure; a run that
 * ended badly although nothing in it failed (an unhandled rejection, no report at all) is one failure too.
 */
export function tallyVitest(reportPath, exitCode) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  if (existsSync(reportPath)) {
    const report = JSON.parse(readFileSync(reportPath, 'utf8'));
    tally.passed = report.numPassedTests;
    tally.failed = report.numFailedTests + report.testResults.filter(failedWithoutTests).length;
    tally.skipped = report.numPendingTests + report.numTodoTests;
  }
  if (exitCode !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

function failedWithoutTests(file) {
  return file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed');
}
