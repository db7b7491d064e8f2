import { expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { ConfigError } from '../../../agent/config/problems.ts';
import { describeReal, newFolder, validateOtelcol, writeConfig } from '../support/index.ts';
import { mutatedCases } from './transform-mutations.ts';
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

interface Judged {
  readonly theirs: ReadonlyMap<number, string>;
  readonly ours: ReadonlyMap<number, string>;
}

async function judge(cases: readonly Case[]): Promise<Judged> {
  const theirs = new Map<number, string>();
  const ours = new Map<number, string>();
  const result = await validateOtelcol({ config: configOf(cases) });
  for (const [, i, why] of `${result.stdout}${result.stderr}`.matchAll(/processors::transform\/(\d+): ([^\n]*)/gu))
    theirs.set(Number(i), String(why));
  try {
    load({ configs: [writeConfig(newFolder('statements'), 'agent.yaml', configOf(cases))], environment: {} });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { path, message } of error.problems) ours.set(Number(String(path[1]).split('/')[1]), message);
  }
  return { theirs, ours };
}

function differences(cases: readonly Case[], { theirs, ours }: Judged): readonly object[] {
  return cases.flatMap((one, i) =>
    theirs.has(i) === ours.has(i) ? [] : [{ ...one, theirs: theirs.get(i) ?? 'accepted', ours: ours.get(i) ?? 'accepted' }],
  );
}

/** A parameter that is named twice leaves another one out; the Collector starts and crashes when the statement is run. */
const LEFT_OUT = / is called without /u;

const SEED = 20_261_121;
const MUTATIONS = 3000;

describeReal(['otelcol'], 'statements that are accepted and refused as in the Collector', () => {
  it(`${CASES.length} of them, a third wrong in some way`, async () => {
    const judged = await judge(CASES);
    expect(judged.theirs.size).toBeGreaterThan(CASES.length / 4);
    expect(judged.theirs.size).toBeLessThan(CASES.length / 2);
    expect(differences(CASES, judged)).toEqual([]);
  });

  it('each mistake is told with the text and its column', async () => {
    const { ours } = await judge(CASES);
    const without = [...ours.values()].filter((message) => !/, column \d+: |is nothing that|must be one of/u.test(message));
    expect(without).toEqual([]);
  });

  it(`${MUTATIONS} mutations of them (seed ${SEED})`, async () => {
    const cases = mutatedCases(SEED, MUTATIONS);
    const judged = await judge(cases);
    expect(judged.theirs.size).toBeGreaterThan(MUTATIONS / 2);
    expect(judged.theirs.size).toBeLessThan(MUTATIONS);
    const different = differences(cases, judged).filter((one) => !LEFT_OUT.test((one as { readonly ours: string }).ours));
    expect(different).toEqual([]);
  });
});
