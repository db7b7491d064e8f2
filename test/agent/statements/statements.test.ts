import { describe, it } from 'vitest';
import { bodyOf } from './bodies.ts';
import { STATEMENTS, statementName } from './statements.ts';
import { AGENT, Keep } from './support/target.ts';

/** The 41 statements of OTLP 1.11 against the agent's process. The real lane runs the same bodies against the real Collector. */
describe('OTLP 1.11', () => {
  it.each(STATEMENTS.map((statement) => [statementName(statement), statement.number] as const))('%s', async (_name, number) => {
    await using keep = new Keep();
    await bodyOf(number)(AGENT, keep);
  });
});
