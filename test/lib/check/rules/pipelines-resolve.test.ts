import { describe, expect, it } from 'vitest';
import { brief, findingsOf, lineOf, type Mutation } from '../support.ts';

const GATEWAY = 'ConfigMap observability/gateway data["config.yaml"]';
const gateway = (from: string, to: string): Mutation => ({ from, to, after: 'MY_POD_IP}:13133' });

describe('pipelines-resolve', () => {
  it('finds nothing in the good stack', () => {
    expect(findingsOf()).toEqual([]);
  });

  it.each([
    [
      'a receiver that is not defined',
      gateway('receivers: [otlp]', 'receivers: [oltp]'),
      'service.pipelines.traces.receivers[0]',
      'receiver "oltp" is not defined',
    ],
    [
      'a processor that is not defined',
      gateway('[memory_limiter, k8s_attributes]', '[memory_limiter, k8s_attributes, batch]'),
      'service.pipelines.traces.processors[2]',
      'processor "batch" is not defined',
    ],
    [
      'an exporter that is not defined',
      gateway('exporters: [elasticsearch]', 'exporters: [elasticsearch, debug]'),
      'service.pipelines.logs.exporters[1]',
      'exporter "debug" is not defined',
    ],
    [
      'an extension that is not defined',
      gateway('extensions: [health_check]', 'extensions: [health_check, pprof]'),
      'service.extensions[1]',
      'extension "pprof" is not defined',
    ],
    [
      'the same name twice in a pipeline',
      gateway('[memory_limiter, k8s_attributes]', '[memory_limiter, k8s_attributes, memory_limiter]'),
      'service.pipelines.traces.processors[2]',
      'named twice',
    ],
    ['a pipeline of no signal', gateway('metrics/spans:', 'span_metrics:'), 'service.pipelines.span_metrics', 'is not a signal'],
    [
      'a storage that is no extension',
      gateway('endpoint: jaeger:4317', 'endpoint: jaeger:4317\n        sending_queue: { storage: file_storage }'),
      'exporters.otlp_grpc/jaeger.sending_queue.storage',
      'extension "file_storage" is not defined',
    ],
    [
      'an authenticator that is no extension',
      gateway('endpoint: jaeger:4317', 'endpoint: jaeger:4317\n        auth: { authenticator: oauth2client }'),
      'exporters.otlp_grpc/jaeger.auth.authenticator',
      'extension "oauth2client" is not defined',
    ],
  ] satisfies [string, Mutation, string, string][])('fails on %s, and finds nothing else', (_, mutation, path, problem) => {
    const findings = findingsOf(mutation);
    expect(findings.map(brief)).toEqual([`pipelines-resolve: ${GATEWAY}.${path}`]);
    expect(findings[0]?.problem).toContain(problem);
    expect(findings[0]?.level).toBe('error');
  });

  it('fails on a renamed receiver at each pipeline that names it, says what was meant, and that the new name is unused', () => {
    const findings = findingsOf(gateway('      otlp:\n', '      otlp/in:\n'));
    expect(findings.map(({ level, path }) => `${level} ${path}`)).toEqual([
      'error data["config.yaml"].service.pipelines.traces.receivers[0]',
      'error data["config.yaml"].service.pipelines.metrics.receivers[0]',
      'error data["config.yaml"].service.pipelines.logs.receivers[0]',
      'warning data["config.yaml"].receivers.otlp/in',
    ]);
    expect(findings[0]?.remedy).toBe('there are otlp/in, span_metrics');
  });

  it('fails on a connector that begins no pipeline', () => {
    const findings = findingsOf(gateway('receivers: [span_metrics]', 'receivers: [otlp]'));
    expect(findings.map(brief)).toEqual([`pipelines-resolve: ${GATEWAY}.connectors.span_metrics`]);
    expect(findings[0]?.problem).toBe('connector "span_metrics" is the exporter of a pipeline, but the receiver of none');
  });

  it('fails on an extension that a queue stores in and that never starts', () => {
    const findings = findingsOf(
      gateway('endpoint: jaeger:4317', 'endpoint: jaeger:4317\n        sending_queue: { storage: file_storage }'),
      gateway('    receivers:\n', '      file_storage: {}\n    receivers:\n'),
    );
    expect(findings.map(({ level, problem }) => `${level}: ${problem}`)).toEqual([
      'error: extension "file_storage" is not listed under service.extensions, so it never starts',
      'warning: extension "file_storage" is defined, but service.extensions does not list it, so it never starts',
    ]);
  });

  it('fails on a pipeline without exporters and on a configuration without pipelines', () => {
    expect(findingsOf(gateway('exporters: [elasticsearch]', 'exporters: []'))[0]?.problem).toBe('pipeline logs has no exporters');
    const jaeger: Mutation = {
      from: '      pipelines:\n        traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] }',
      to: '      pipelines: {}',
      after: 'name: jaeger',
    };
    expect(findingsOf(jaeger)[0]?.problem).toBe('there is no pipeline');
  });

  it('says the line of the file, through the ConfigMap', () => {
    const [finding] = findingsOf(gateway('receivers: [span_metrics]', 'receivers: [span_metric]'));
    expect(finding).toMatchObject({ file: 'stack.yaml', line: lineOf('stack.yaml', 'receivers: [span_metrics]') });
    expect(finding?.remedy).toBe('did you mean "span_metrics"? there are otlp, span_metrics');
  });
});
