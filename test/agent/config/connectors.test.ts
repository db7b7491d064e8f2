import { describe, expect, it } from 'vitest';
import { loadYaml, problemsOf } from '../support/config.ts';

/** The same rules against the real Collector: test/real/connectors.test.ts. */
interface Shape {
  readonly connectors: object;
  readonly pipelines: Readonly<Record<string, readonly [receivers: string, processors: string, exporters: string]>>;
  readonly exporters?: object;
  readonly processors?: object;
}

const list = (text: string): string[] => text.split(' ').filter((one) => one !== '');

function config({ connectors, pipelines, exporters = {}, processors = {} }: Shape): string {
  return JSON.stringify({
    receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
    processors,
    exporters: { nop: {}, ...exporters },
    connectors,
    service: {
      pipelines: Object.fromEntries(
        Object.entries(pipelines).map(([id, [receivers, before, after]]) => [
          id,
          { receivers: list(receivers), processors: list(before), exporters: list(after) },
        ]),
      ),
    },
  });
}

const problems = (shape: Shape): string[] => problemsOf(config(shape)).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('connectors of a configuration', () => {
  it('may be unused, with a notice', () => {
    const { settings, notices } = loadYaml(config({ connectors: { forward: {} }, pipelines: { traces: ['otlp', '', 'nop'] } }));
    expect(settings.connectors).toEqual({});
    expect(notices.map(({ path, message }) => `${path.join('.')}: ${message}`)).toContain('connectors.forward: no pipeline uses it');
  });

  it('may join many pipelines to many, and stand beside exporters and receivers', () => {
    const { settings } = loadYaml(
      config({
        connectors: { forward: {}, count: {} },
        pipelines: {
          'traces/1': ['otlp', '', 'forward nop count'],
          'traces/2': ['otlp', '', 'forward'],
          'traces/3': ['forward otlp', '', 'nop'],
          'traces/4': ['forward', '', 'nop'],
          metrics: ['count otlp', '', 'nop'],
        },
      }),
    );
    expect(Object.keys(settings.connectors)).toEqual(['forward', 'count']);
  });

  it('fails where they are on one side only', () => {
    expect(problems({ connectors: { forward: {} }, pipelines: { traces: ['otlp', '', 'forward'] } })).toEqual([
      expect.stringMatching(
        /^service\.pipelines\.traces\.exporters\.0: the connector "forward" is an exporter here, and no pipeline of traces has it/u,
      ),
    ]);
    expect(problems({ connectors: { forward: {} }, pipelines: { traces: ['forward', '', 'nop'] } })).toEqual([
      expect.stringMatching(/^service\.pipelines\.traces\.receivers\.0: the connector "forward" is a receiver here, and no pipeline/u),
    ]);
  });

  it('fails where they cannot make the one signal of the other', () => {
    const pipelines = (from: string, to: string, id: string): Shape['pipelines'] => ({ [from]: ['otlp', '', id], [to]: [id, '', 'nop'] });
    expect(problems({ connectors: { forward: {} }, pipelines: pipelines('traces', 'metrics', 'forward') })).toHaveLength(2);
    expect(problems({ connectors: { count: {} }, pipelines: pipelines('traces', 'logs', 'count') }).length).toBeGreaterThan(0);
  });

  it('fails where one is named among processors', () => {
    expect(
      problems({ connectors: { forward: {} }, pipelines: { traces: ['otlp', 'forward', 'forward'], 'traces/2': ['forward', '', 'nop'] } }),
    ).toEqual(['service.pipelines.traces.processors.0: the processor "forward" is not configured. Allowed here: nothing']);
  });

  it('fails with a circle, and names the way round', () => {
    expect(
      problems({
        connectors: { 'forward/1': {}, 'forward/2': {} },
        pipelines: { 'traces/1': ['otlp forward/2', '', 'forward/1'], 'traces/2': ['forward/1', '', 'forward/2'] },
      }),
    ).toEqual(['service.pipelines.traces/1: is part of a circle: traces/1 -> traces/2 -> traces/1']);
    expect(problems({ connectors: { forward: {} }, pipelines: { traces: ['otlp forward', '', 'forward'] } })).toEqual([
      'service.pipelines.traces: is part of a circle: traces -> traces',
    ]);
    expect(problems({ connectors: { count: {} }, pipelines: { metrics: ['otlp count', '', 'count'] } })).toEqual([
      'service.pipelines.metrics: is part of a circle: metrics -> metrics',
    ]);
  });
});

describe('a batch processor in front of a forward connector', () => {
  const batch = { batch: { timeout: '1s', send_batch_size: 10 }, 'batch/own': { timeout: '2s', send_batch_size: 20 } };
  const batchOf = (shape: Shape) =>
    Object.fromEntries(loadYaml(config(shape)).settings.pipelines.map((one) => [one.id, one.batch?.minSize]));

  it('merges what leaves the pipelines behind it, as there it would have merged what comes to them', () => {
    expect(
      batchOf({
        connectors: { 'forward/1': {}, 'forward/2': {} },
        processors: batch,
        pipelines: {
          traces: ['otlp', 'batch', 'forward/1'],
          'traces/1': ['forward/1', '', 'forward/2 nop'],
          'traces/2': ['forward/2', '', 'nop'],
          'traces/own': ['forward/1', 'batch/own', 'nop'],
        },
      }),
    ).toEqual({ traces: 10, 'traces/1': 10, 'traces/2': 10, 'traces/own': 20 });
  });

  it('leaves what a count connector makes alone', () => {
    const pipelines: Shape['pipelines'] = { metrics: ['otlp', 'batch', 'count nop'], 'metrics/1': ['count', '', 'nop'] };
    expect(batchOf({ connectors: { count: {} }, processors: batch, pipelines })).toEqual({ metrics: 10, 'metrics/1': undefined });
  });

  it('is said where an exporter has it for another pipeline too', () => {
    const { notices } = loadYaml(
      config({ connectors: {}, processors: batch, pipelines: { 'traces/1': ['otlp', '', 'nop'], 'traces/2': ['otlp', 'batch', 'nop'] } }),
    );
    expect(notices.filter(({ message }) => message.includes('merged')).map(({ path }) => path.join('.'))).toEqual([
      'service.pipelines.traces/1',
    ]);
  });
});
