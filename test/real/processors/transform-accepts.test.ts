import { beforeAll, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { ConfigError } from '../../../agent/config/problems.ts';
import { describeReal, newFolder, validateOtelcol, writeConfig } from '../support/index.ts';
import { CASES, type Case } from './transform-statements.ts';

const KEYS = { traces: 'trace_statements', metrics: 'metric_statements', logs: 'log_statements' } as const;

/** One processor for each case; a Collector tells the mistakes of all of them at once. */
function configOf(cases: readonly Case[]): object {
  const processors = cases.map(({ signal, ...group }, i) => [`transform/${i}`, { [KEYS[signal]]: [group] }] as const);
  return {
    receivers: { otlp: { protocols: { http: {} } } },
    processors: Object.fromEntries(processors),
    exporters: { debug: {} },
    service: { pipelines: { traces: { receivers: ['otlp'], exporters: ['debug'] } } },
  };
}

describeReal(['otelcol'], 'statements that are accepted and refused as in the Collector', () => {
  const theirs = new Map<number, string>();
  const ours = new Map<number, string>();

  beforeAll(async () => {
    const result = await validateOtelcol({ config: configOf(CASES) });
    for (const [, i, why] of `${result.stdout}${result.stderr}`.matchAll(/processors::transform\/(\d+): ([^\n]*)/gu))
      theirs.set(Number(i), String(why));
    try {
      load({ configs: [writeConfig(newFolder('statements'), 'agent.yaml', configOf(CASES))], environment: {} });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const { path, message } of error.problems) ours.set(Number(String(path[1]).split('/')[1]), message);
    }
  });

  it(`${CASES.length} of them, a third wrong in some way`, () => {
    expect(theirs.size).toBeGreaterThan(CASES.length / 4);
    expect(theirs.size).toBeLessThan(CASES.length / 2);
    const different = CASES.flatMap((one, i) =>
      theirs.has(i) === ours.has(i) ? [] : [{ ...one, theirs: theirs.get(i) ?? 'accepted', ours: ours.get(i) ?? 'accepted' }],
    );
    expect(different).toEqual([]);
  });

  it('each mistake is told with the text and its column', () => {
    const without = [...ours].filter(
      ([i, message]) => CASES[i]?.context !== 'profile' && !/, column \d+: |is nothing that|must be one of/u.test(message),
    );
    expect(without).toEqual([]);
  });
});
