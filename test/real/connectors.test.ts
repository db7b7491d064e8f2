/** Rules for connectors and pipelines: the same verdicts as `otelcol validate` 0.155. */
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { load } from '../../agent/config/load.ts';
import { ConfigError } from '../../agent/config/problems.ts';
import { describeReal, validateOtelcol } from './support/index.ts';

/** Pipelines by id: receivers, exporters, and processors where there are any, each as a text with spaces. */
type Pipelines = Readonly<Record<string, readonly [receivers: string, exporters: string, processors?: string]>>;

interface Case {
  readonly title: string;
  readonly valid: boolean;
  readonly connectors: object | null;
  readonly pipelines: Pipelines;
  readonly more?: object;
}

const FORWARD = { forward: {} };
const COUNT = { count: {} };

const CASES: readonly Case[] = [
  { title: 'a connector that nothing uses', valid: true, connectors: FORWARD, pipelines: { traces: ['otlp', 'nop'] } },
  { title: 'connectors that are null', valid: true, connectors: null, pipelines: { traces: ['otlp', 'nop'] } },
  {
    title: 'a connector without keys',
    valid: true,
    connectors: { forward: null },
    pipelines: { traces: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'] },
  },
  { title: 'an exporter only', valid: false, connectors: FORWARD, pipelines: { traces: ['otlp', 'forward'] } },
  { title: 'an exporter only, beside another', valid: false, connectors: FORWARD, pipelines: { traces: ['otlp', 'nop forward'] } },
  { title: 'a receiver only', valid: false, connectors: FORWARD, pipelines: { traces: ['forward', 'nop'] } },
  { title: 'a receiver only, beside another', valid: false, connectors: FORWARD, pipelines: { traces: ['otlp forward', 'nop'] } },
  {
    title: 'forward to another signal',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'forward'], logs: ['forward', 'nop'] },
  },
  {
    title: 'forward of two signals',
    valid: true,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'forward'], logs: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'], 'logs/2': ['forward', 'nop'] },
  },
  {
    title: 'forward of two signals, one of which goes nowhere',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'forward'], logs: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'] },
  },
  {
    title: 'forward to a signal more than it gets',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'], 'logs/2': ['forward', 'nop'] },
  },
  ...(['traces', 'metrics', 'logs'] as const).map(
    (signal): Case => ({
      title: `count of ${signal}`,
      valid: true,
      connectors: COUNT,
      pipelines: { [`${signal}/in`]: ['otlp', 'count'], 'metrics/out': ['count', 'nop'] },
    }),
  ),
  { title: 'count to traces', valid: false, connectors: COUNT, pipelines: { traces: ['otlp', 'count'], 'traces/2': ['count', 'nop'] } },
  {
    title: 'count to logs and metrics',
    valid: false,
    connectors: COUNT,
    pipelines: { traces: ['otlp', 'count'], logs: ['count', 'nop'], metrics: ['count', 'nop'] },
  },
  { title: 'count of profiles', valid: false, connectors: COUNT, pipelines: { profiles: ['otlp', 'count'], metrics: ['count', 'nop'] } },
  {
    title: 'forward of profiles',
    valid: false,
    connectors: FORWARD,
    pipelines: { profiles: ['otlp', 'forward'], 'profiles/2': ['forward', 'nop'] },
  },
  { title: 'a pipeline that feeds itself', valid: false, connectors: FORWARD, pipelines: { traces: ['otlp forward', 'forward nop'] } },
  { title: 'a pipeline that counts itself', valid: false, connectors: COUNT, pipelines: { metrics: ['otlp count', 'count nop'] } },
  {
    title: 'a circle of two',
    valid: false,
    connectors: { 'forward/1': {}, 'forward/2': {} },
    pipelines: { 'traces/1': ['otlp forward/2', 'forward/1'], 'traces/2': ['forward/1', 'forward/2 nop'] },
  },
  {
    title: 'a circle of three kinds',
    valid: false,
    connectors: { 'count/1': {}, 'forward/1': {}, 'count/2': {} },
    pipelines: {
      'metrics/1': ['otlp count/2', 'forward/1'],
      'metrics/2': ['forward/1', 'count/1'],
      'metrics/3': ['count/1', 'count/2 nop'],
    },
  },
  {
    title: 'a circle of one connector over two pipelines',
    valid: false,
    connectors: FORWARD,
    pipelines: { 'traces/1': ['otlp', 'forward'], 'traces/2': ['forward', 'forward nop'] },
  },
  {
    title: 'two ways that meet again',
    valid: true,
    connectors: { 'forward/1': {}, 'forward/2': {}, 'forward/3': {} },
    pipelines: {
      traces: ['otlp', 'forward/1 forward/2'],
      'traces/1': ['forward/1', 'forward/3'],
      'traces/2': ['forward/2', 'forward/3'],
      'traces/3': ['forward/3', 'nop'],
    },
  },
  {
    title: 'several receivers and several pipelines of one receiver',
    valid: true,
    connectors: FORWARD,
    pipelines: { traces: ['otlp otlp/2', 'forward'], 'traces/2': ['otlp forward', 'nop'], 'traces/3': ['forward otlp/2', 'nop nop/2'] },
  },
  {
    title: 'named twice on both sides',
    valid: true,
    connectors: FORWARD,
    pipelines: { traces: ['otlp otlp', 'forward forward'], 'traces/2': ['forward forward', 'nop nop'] },
  },
  { title: 'not configured', valid: false, connectors: {}, pipelines: { traces: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'] } },
  {
    title: 'another name than the configured',
    valid: false,
    connectors: { 'forward/1': {} },
    pipelines: { traces: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'] },
  },
  { title: 'a connector as processor', valid: false, connectors: FORWARD, pipelines: { traces: ['otlp', 'nop', 'forward'] } },
  {
    title: 'an unknown key',
    valid: false,
    connectors: { forward: { a: 1 } },
    pipelines: { traces: ['otlp', 'forward'], 'traces/2': ['forward', 'nop'] },
  },
  { title: 'an unknown type', valid: false, connectors: { surprise: {} }, pipelines: { traces: ['otlp', 'nop'] } },
  { title: 'a bad id', valid: false, connectors: { 'forward/': {} }, pipelines: { traces: ['otlp', 'nop'] } },
  {
    title: 'the name of a connector that an exporter has too',
    valid: false,
    connectors: { nop: {} },
    pipelines: { traces: ['otlp', 'nop'] },
  },
  {
    title: 'the type of a connector among exporters',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'nop'] },
    more: { exporters: { nop: {}, forward: {} } },
  },
  {
    title: 'the type of a connector among receivers',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'nop'] },
    more: { receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } }, forward: {} } },
  },
  {
    title: 'only connectors for exporters',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['otlp', 'forward'] },
    more: { exporters: null },
  },
  {
    title: 'a pipeline without receivers behind a connector',
    valid: false,
    connectors: FORWARD,
    pipelines: { traces: ['', 'forward'], 'traces/2': ['forward', 'nop'] },
  },
];

/** Judged differently on purpose. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'forward of profiles':
    'profiles are behind a feature gate of the Collector (service.profilesSupport); here they are a signal as the others',
};

const list = (text: string): string[] => text.split(' ').filter((one) => one !== '');

function configOf({ connectors, pipelines, more = {} }: Case): object {
  const otlp = { protocols: { grpc: { endpoint: '127.0.0.1:4317' } } };
  return {
    receivers: { otlp, 'otlp/2': { protocols: { grpc: { endpoint: '127.0.0.1:4319' } } } },
    exporters: { nop: {}, 'nop/2': {} },
    connectors,
    ...more,
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: Object.fromEntries(
        Object.entries(pipelines).map(([id, [receivers, exporters, processors = '']]) => [
          id,
          { receivers: list(receivers), processors: list(processors), exporters: list(exporters) },
        ]),
      ),
    },
  };
}

function agentSays(one: Case): string {
  try {
    load({ configs: [`yaml:${JSON.stringify(configOf(one))}`], environment: {} });
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describeReal(['otelcol'], 'connectors and pipelines', () => {
  it('are judged as the Collector judges them', async () => {
    const wrong: string[] = [];
    const seen: string[] = [];
    const next = CASES.values();
    const worker = async (): Promise<void> => {
      for (const one of next) {
        const { code, stderr } = await validateOtelcol({ config: configOf(one) });
        const ours = agentSays(one);
        const same = (code === 0) === (ours === '');
        if (!same && DIFFERENT[one.title] !== undefined) seen.push(one.title);
        else if (!same) wrong.push(`${one.title}: agent: ${ours || 'accepts'}; Collector: ${code === 0 ? 'accepts' : stderr.trim()}`);
        // What the table says is the Collector's verdict: it keeps both from being wrong for the same typing mistake.
        if ((code === 0) !== one.valid) wrong.push(`${one.title}: the Collector ${code === 0 ? 'accepts' : `refuses: ${stderr.trim()}`}`);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
    expect(wrong).toEqual([]);
    expect(seen).toEqual(Object.keys(DIFFERENT));
  });
});
