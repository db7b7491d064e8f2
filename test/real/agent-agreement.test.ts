import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { effectiveConfig } from '../../agent/config/effective.ts';
import { parseGoDuration } from '../../agent/config/go-duration.ts';
import { load } from '../../agent/config/load.ts';
import { ConfigError } from '../../agent/config/problems.ts';
import { CORPUS_ENVIRONMENT, type CorpusFile, mutations, corpus as wholeCorpus } from '../agent/support/mutations.ts';
import { DIFFERENT_DEFAULTS, EXCEPTIONS, type Exception, NOT_FOR_THE_COLLECTOR } from './agent-agreement.exceptions.ts';
import { describeReal, newFolder, realPath, runProgram } from './support/index.ts';

/** Changes which single mutations are tried; any number is as good. Printed with the result, so that a failure can be run again. */
const SEED = Number(process.env.OTLP_AGREEMENT_SEED ?? 2026);
const MUTATIONS = Number(process.env.OTLP_AGREEMENT_MUTATIONS ?? 600);
const MIN_CORPUS = 30;

const ENVIRONMENT = {
  ...CORPUS_ENVIRONMENT,
  EXTRA: '{exporters: {otlp_grpc: {timeout: 1s}}}',
  WHOLE: '{endpoint: "a:1", tls: {insecure: true}}',
};

/** Arguments after `--config sidecar.yaml`, and whether both accept them. */
const ARGUMENTS: readonly { readonly configs?: readonly string[]; readonly sets?: readonly string[]; readonly valid: boolean }[] = [
  { configs: ['yaml:exporters::otlp_grpc::timeout: 7s'], valid: true },
  { configs: ['yaml:{exporters: {otlp_grpc: {timeout: 7 s}}}'], valid: false },
  { configs: ['env:EXTRA'], valid: true },
  { configs: ['env:'], valid: false },
  { configs: ['http://localhost/x'], valid: false },
  { configs: ['/no/such/file.yaml'], valid: false },
  { configs: ['yaml:just text'], valid: false },
  { configs: ['yaml:[1, 2]'], valid: false },
  { configs: ['yaml:'], valid: true },
  { configs: ['site'], valid: false },
  { configs: ['site', 'yaml:{service: {pipelines: {logs: {receivers: [otlp], exporters: [otlp_grpc]}}}}'], valid: true },
  { sets: ['exporters.otlp_grpc.timeout=2s'], valid: true },
  { sets: ['exporters::otlp_grpc::timeout=2s'], valid: true },
  { sets: ['exporters.otlp_grpc.timeout = 2s'], valid: true },
  { sets: ['exporters.otlp_grpc.timeout=2 seconds'], valid: false },
  { sets: ['exporters.otlp_grpc.timeout='], valid: true },
  { sets: ['exporters.otlp_grpc.headers.x=1'], valid: false },
  { sets: ['exporters.otlp_grpc.headers.x="1"'], valid: true },
  { sets: ['exporters.otlp_grpc.sending_queue='], valid: true },
  { sets: ['exporters.otlp_grpc=text'], valid: false },
  { sets: ['service.pipelines.traces.exporters=[otlp_grpc, otlp_grpc]'], valid: true },
  { sets: ['service.pipelines.traces.processors=[]'], valid: true },
  { sets: ['service.pipelines.traces.receivers=[]'], valid: false },
  { sets: ['receivers.otlp.protocols.http='], valid: true },
  { sets: ['receivers.otlp.protocols.grpc.enabled=false', 'receivers.otlp.protocols.http.enabled=false'], valid: false },
  { sets: ['exporters.otlp_grpc.endpoint=${env:GATEWAY}'], valid: true },
  { sets: ['exporters.otlp_grpc.endpoint=${NOT_SET}'], valid: false },
  { sets: ['exporters.otlp_grpc.endpoint=${env:NOT_SET:-other:4317}'], valid: true },
  { sets: ['exporters.otlp_grpc.endpoint=${NOT_SET:-other:4317}'], valid: false },
  { sets: ['exporters.otlp_grpc.endpoint=${env:1BAD}'], valid: false },
  { sets: ['exporters.otlp_grpc.sending_queue.queue_size=${env:NOT_SET:-70000}'], valid: true },
  { sets: ['exporters.otlp_grpc.sending_queue.queue_size=${env:NOT_SET:-lots}'], valid: false },
  { sets: ['exporters.otlp_grpc.sending_queue.queue_size=7${env:NOT_SET:-0000}'], valid: false },
  { sets: ['exporters.otlp_grpc.sending_queue.queue_size=${env:NOT_SET}'], valid: false },
  { sets: ['exporters.otlp_grpc.timeout=${env:NOT_SET}'], valid: true },
  { sets: ['exporters.otlp_grpc.headers.x=$${env:GATEWAY}'], valid: true },
  { sets: ['exporters.otlp_grpc=${env:WHOLE}'], valid: true },
  { sets: ['exporters.otlp_grpc.tls.insecure=${env:NOT_SET:-true}'], valid: true },
  { sets: ['exporters.otlp_grpc.tls.insecure=${env:NOT_SET:-yes}'], valid: false },
];

/** Without what this Collector cannot know. */
function corpus(): readonly CorpusFile[] {
  return wholeCorpus().filter(({ name }) => NOT_FOR_THE_COLLECTOR[name] === undefined);
}

interface Judgement {
  readonly accepted: boolean;
  readonly says: string;
}

interface Case {
  readonly title: string;
  readonly ours: Judgement;
  readonly theirs: Judgement;
}

function judgeOurs(configs: readonly string[], sets: readonly string[] = []): Judgement {
  try {
    load({ configs, sets, environment: { ...process.env, ...ENVIRONMENT } });
    return { accepted: true, says: '' };
  } catch (error) {
    if (error instanceof ConfigError) return { accepted: false, says: error.message };
    throw new Error(`${configs.join(', ')}: the agent crashed on this configuration`, { cause: error });
  }
}

async function judgeTheirs(path: string, folder: string, sets: readonly string[] = []): Promise<Judgement> {
  const { code, stderr } = await runProgram(realPath('otelcol'), ['validate', `--config=${path}`, ...sets.map((set) => `--set=${set}`)], {
    cwd: folder,
    env: CORPUS_ENVIRONMENT,
  });
  return { accepted: code === 0, says: stderr };
}

/** As many at a time as there are processors; one `otelcol validate` takes about 40 ms of one. */
async function judgeAll(files: readonly { readonly title: string; readonly text: string }[]): Promise<Case[]> {
  const folder = newFolder('agreement');
  const cases: Case[] = [];
  const next = files.entries();
  const worker = async (): Promise<void> => {
    for (const [index, { title, text }] of next) {
      const path = join(folder, `${index}.yaml`);
      writeFileSync(path, text);
      cases.push({ title, ours: judgeOurs([path]), theirs: await judgeTheirs(path, folder) });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return cases;
}

function excuse({ ours, theirs }: Case): Exception | undefined {
  return EXCEPTIONS.find(({ refusedBy, says }) =>
    refusedBy === 'agent' ? !ours.accepted && says.test(ours.says) : !theirs.accepted && says.test(theirs.says),
  );
}

function report({ title, ours, theirs }: Case): string {
  return [
    title,
    `  agent:     ${ours.accepted ? 'accepts' : ours.says}`,
    `  Collector: ${theirs.accepted ? 'accepts' : theirs.says.trim()}`,
  ].join('\n');
}

describeReal(['otelcol'], 'agent and Collector 0.155 agree on configurations', () => {
  it('accept the same files of the corpus', async () => {
    const files = corpus();
    expect(files.length).toBeGreaterThanOrEqual(MIN_CORPUS);
    const cases = await judgeAll(files.map(({ name, text }) => ({ title: name, text })));
    expect(cases.filter(({ ours, theirs }) => !ours.accepted || !theirs.accepted).map(report)).toEqual([]);
  });

  it('judge single mutations of them alike, reviewed exceptions apart', async () => {
    const mutated = mutations(corpus(), SEED, MUTATIONS);
    expect(mutated.length).toBe(MUTATIONS);
    const cases = await judgeAll(mutated.map(({ file, kind, change, text }) => ({ title: `${file}: ${kind}: ${change}`, text })));
    const different = cases.filter(({ ours, theirs }) => ours.accepted !== theirs.accepted);
    const excuses = different.map(excuse);
    const refused = cases.filter(({ theirs }) => !theirs.accepted).length;
    process.stdout.write(
      `agreement: seed ${SEED}, ${cases.length} mutations, ${refused} refused by the Collector, ${different.length} excused\n`,
    );
    expect(different.filter((_, index) => excuses[index] === undefined).map(report), `seed ${SEED}`).toEqual([]);
    // A run in which nothing, or everything, is refused shows nothing.
    expect(refused).toBeGreaterThan(MUTATIONS / 4);
    expect(refused).toBeLessThan(MUTATIONS);
  });

  it.each(EXCEPTIONS.map((one) => [one.reason, one] as const))('differ as reviewed: %s', async (_reason, { refusedBy, says, example }) => {
    const folder = newFolder('agreement-exceptions');
    const path = join(folder, example.file);
    writeFileSync(path, corpus().find(({ name }) => name === example.file)?.text ?? '');
    const ours = judgeOurs([path], example.sets);
    const theirs = await judgeTheirs(path, folder, example.sets);
    expect({ agent: ours.accepted, collector: theirs.accepted }).toEqual({
      agent: refusedBy !== 'agent',
      collector: refusedBy !== 'collector',
    });
    expect(refusedBy === 'agent' ? ours.says : theirs.says).toMatch(says);
  });

  it('merge several files and --set alike', async () => {
    const folder = newFolder('agreement-arguments');
    const base = join(folder, 'base.yaml');
    const site = join(folder, 'site.yaml');
    writeFileSync(base, corpus().find(({ name }) => name === 'sidecar.yaml')?.text ?? '');
    writeFileSync(site, 'exporters: { otlp_grpc: { timeout: 3s } }\nservice: { pipelines: { logs: null } }\n');
    const different: string[] = [];
    for (const args of ARGUMENTS) {
      const configs = [base, ...(args.configs ?? []).map((config) => (config === 'site' ? site : config))];
      const sets = args.sets ?? [];
      const flags = ['validate', ...configs.map((config) => `--config=${config}`), ...sets.map((set) => `--set=${set}`)];
      const { code } = await runProgram(realPath('otelcol'), flags, { cwd: folder, env: ENVIRONMENT });
      const ours = judgeOurs(configs, sets);
      if (ours.accepted !== (code === 0) || ours.accepted !== args.valid)
        different.push(`${flags.join(' ')}: agent ${ours.accepted || ours.says}, Collector ${code}`);
    }
    expect(different).toEqual([]);
  });

  it('make the same values of a file, defaults included', async () => {
    const folder = newFolder('agreement-values');
    let compared = 0;
    const different: string[] = [];
    for (const { name, path } of corpus()) {
      const args = ['print-config', '--mode=unredacted', `--config=${path}`];
      const { stdout } = await runProgram(realPath('otelcol'), args, { cwd: folder, env: ENVIRONMENT });
      const theirs = leaves(parse(stdout) as unknown);
      const ours = leaves(effectiveConfig(load({ configs: [path], environment: { ...process.env, ...ENVIRONMENT } }).root));
      for (const [key, value] of ours) {
        const other = theirs.get(key);
        if (other === undefined || value === '[REDACTED]' || DIFFERENT_DEFAULTS.some(({ key: known }) => known.test(key))) continue;
        compared += 1;
        if (canonical(value) !== canonical(other)) different.push(`${name}: ${key}: agent ${String(value)}, Collector ${String(other)}`);
      }
    }
    process.stdout.write(`agreement: ${compared} values compared\n`);
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThan(500);
  });
});

/** Scalars by path; empty ones are left out, as either side prints them in its own way. */
function leaves(value: unknown, path = ''): Map<string, unknown> {
  if (value === null || value === undefined || value === '') return new Map();
  if (typeof value !== 'object') return new Map([[path, value]]);
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, path === '' ? key : `${path}.${key}`)]));
}

function canonical(value: unknown): string {
  const milliseconds = typeof value === 'string' ? parseGoDuration(value) : undefined;
  return milliseconds === undefined ? String(value).toLowerCase() : `${milliseconds} ms`;
}

describe('the list of exceptions', () => {
  it('gives a reason of a sentence for each', () => {
    expect(EXCEPTIONS.filter(({ reason }) => !/^[A-Z].{30,}\.$/u.test(reason))).toEqual([]);
  });
});
