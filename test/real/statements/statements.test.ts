import { afterAll, expect, it } from 'vitest';
import { STATEMENTS, statementName } from '../../agent/statements/statements.ts';
import { AGENT } from '../../agent/statements/support/target.ts';
import { describeReal } from '../support/index.ts';
import { examine, type Findings, readResults, writeResults } from './record.ts';
import { COLLECTOR, COLLECTOR_VERSION } from './targets.ts';

/** With OTLP_STATEMENTS_RECORD=1 results.json is written anew; without it, what is found has to be what is recorded. */
const RECORDING = process.env.OTLP_STATEMENTS_RECORD === '1';

describeReal(['otelcol'], 'OTLP 1.11, the agent beside the real Collector', () => {
  const recorded = readResults();
  const found: Record<string, Findings> = { ...recorded.statements };

  afterAll(() => {
    if (!RECORDING) return;
    const statements = Object.fromEntries(Object.entries(found).sort(([a], [b]) => Number(a) - Number(b)));
    writeResults({ recorded: new Date().toISOString().slice(0, 10), node: process.version, collector: COLLECTOR_VERSION, statements });
  });

  it.each(STATEMENTS.map((statement) => [statementName(statement), statement.number] as const))('%s', async (_name, number) => {
    const agent = await examine(number, AGENT);
    const collector = await examine(number, COLLECTOR);
    found[number] = { agent, collector };
    if (RECORDING) return;
    expect(agent).toEqual({ result: 'passed' });
    expect(collector.result, collector.why ?? '').toBe(recorded.statements[number]?.collector.result);
  });
});
