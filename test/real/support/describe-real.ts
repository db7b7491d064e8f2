import { appendFileSync } from 'node:fs';
import { afterAll, describe } from 'vitest';
import { type RealProgram, realComponent } from './components.ts';
import { stopAll } from './process.ts';

/**
 * A describe block that needs real programs. Where one is missing the block is skipped, its title says why, and a line
 * `{ "title", "reasons" }` is appended to the file that OTLP_STACK_SKIPS names, which the lane's closing line counts.
 * Whatever the block starts with `startProcess` and its relatives is stopped when the block ends. As vitest collects skipped
 * blocks too, start programs in `beforeAll` or in tests, never in the body of the block.
 */
export function describeReal(programs: readonly RealProgram[], title: string, body: () => void): void {
  const missing = programs.filter((program) => realComponent(program).missing !== undefined);
  if (missing.length > 0) {
    recordSkip(
      title,
      missing.map((program) => realComponent(program).missing ?? program),
    );
    describe.skip(`${title} [skipped, as there is no ${missing.join(', ')}]`, body);
    return;
  }
  describe(title, () => {
    // Registered first and so, as vitest unwinds afterAll hooks like a stack, run after those of the block.
    afterAll(stopAll);
    body();
  });
}

/** One line in the list of what the lane could not run on this machine. */
export function recordSkip(title: string, reasons: readonly string[]): void {
  const list = process.env.OTLP_STACK_SKIPS;
  if (list) appendFileSync(list, `${JSON.stringify({ title, reasons })}\n`);
  else process.stderr.write(`skipped: ${title}: ${reasons.join('; ')}\n`);
}
