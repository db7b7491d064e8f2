import { describe, expect, it } from 'vitest';
import { Failures, Refusal } from '../../../agent/ottl/failures.ts';
import { Conditions, Statements } from '../../../agent/ottl/run.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';
import { logItem } from './support.ts';

const STATEMENTS = ['set(severity_text, "before")', 'set(attributes["x"], body["a"])', 'set(event_name, "after")'];

/** Failures on a clock of its own. */
function failures(): {
  readonly failures: Failures;
  readonly lines: LogLine[];
  readonly count: () => number;
  readonly clock: { now: number };
} {
  const lines: LogLine[] = [];
  const clock = { now: 0 };
  let total = 0;
  const made = new Failures(
    recordingLog(lines),
    'transform/x',
    () => {
      total += 1;
    },
    () => clock.now,
  );
  return { failures: made, lines, count: () => total, clock };
}

describe('error_mode', () => {
  it('ignore goes on with the next statement, and one line in a minute says how often it failed', () => {
    const { failures: made, lines, count, clock } = failures();
    const statements = new Statements(STATEMENTS, 'log', 'prepended', 'ignore', made);
    const item = logItem({ body: { stringValue: 'text' } });
    for (let i = 0; i < 5; i += 1) statements.run(item);
    clock.now = 60_000;
    statements.run(item);
    expect([item.log?.severityText, item.log?.eventName, count()]).toEqual(['before', 'after', 6]);
    expect(lines.map(({ level, event, fields }) => [level, event, fields.failures])).toEqual([
      ['warn', 'statement failed', 1],
      ['warn', 'statement failed', 5],
    ]);
    expect(lines[0]?.fields).toMatchObject({
      component: 'transform/x',
      statement: 'set(attributes["x"], body["a"])',
      reason: 'a body that is a string cannot be indexed',
    });
  });

  it('silent goes on and says nothing', () => {
    const { failures: made, lines, count } = failures();
    const item = logItem();
    new Statements(STATEMENTS, 'log', 'prepended', 'silent', made).run(item);
    expect([item.log?.eventName, lines, count()]).toEqual(['after', [], 1]);
  });

  it('fails the request with propagate, naming the statement', () => {
    const { failures: made } = failures();
    const statements = new Statements(STATEMENTS, 'log', 'prepended', 'propagate', made);
    expect(() => statements.run(logItem())).toThrow(new Refusal('set(attributes["x"], body["a"]): a body that is a nil cannot be indexed'));
  });

  it('a condition that fails is not met, and the next one is asked', () => {
    const { failures: made, count } = failures();
    const conditions = new Conditions(['body["a"] == 1', 'severity_number == 0'], 'log', 'plain', 'silent', made);
    expect([conditions.test(logItem()), conditions.test(logItem({ severityNumber: 9 })), count()]).toEqual([true, false, 2]);
  });
});
