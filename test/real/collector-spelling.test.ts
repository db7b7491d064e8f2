import { Size } from 'cdk8s';
import { expect, it } from 'vitest';
import * as c from '../../lib/stack/collector/index.ts';
import { describeReal, newFolder, type ProgramResult, realPath, runProgram, validateOtelcol, writeConfig } from './support/index.ts';

/** What Collector 0.140 inside Jaeger, 0.155 and 0.160 have in common, and the renamed exporters among it. */
function common(version: string, connector: c.Connector): object {
  const otlp = new c.OtlpReceiver();
  const limiter = new c.MemoryLimiterProcessor({ limit: Size.mebibytes(100), spikeLimit: Size.mebibytes(20) });
  const attributes = new c.AttributesProcessor({ actions: [c.AttributeAction.delete('secret')] });
  const filter = new c.FilterProcessor({ spans: ['attributes["drop"] == true'] });
  const grpc = new c.OtlpGrpcExporter({
    endpoint: 'next:4317',
    sendingQueue: c.Queue.memory({
      waitForResult: true,
      sizer: c.QueueSizer.BYTES,
      queueSize: 10_000_000,
      batch: { minSize: 1000, maxSize: 2000 },
    }),
    retryOnFailure: c.Retry.disabled(),
  });
  const http = new c.OtlpHttpExporter({ endpoint: 'http://next:4318', compressionLevel: 1 });
  const behind = connector.connects(c.Signal.TRACES, c.Signal.METRICS) ? c.Signal.METRICS : c.Signal.TRACES;
  const config = new c.CollectorConfig({
    version,
    pipelines: [
      c.Pipeline.traces({ receivers: [otlp], processors: [limiter, attributes, filter], exporters: [grpc, http, connector] }),
      c.Pipeline.of(behind, { name: 'behind', receivers: [connector], exporters: [new c.DebugExporter()] }),
    ],
    extensions: [new c.PprofExtension(), new c.ZpagesExtension()],
    telemetry: new c.ServiceTelemetry({ metricsHost: '127.0.0.1' }),
  });
  return config.renderConfig();
}

async function validateJaeger(config: object): Promise<ProgramResult> {
  const folder = newFolder('jaeger-validate');
  return await runProgram(realPath('jaeger'), ['validate', `--config=${writeConfig(folder, 'jaeger.yaml', config)}`], { cwd: folder });
}

describeReal(['jaeger'], 'configuration spelled for Collector 0.140', () => {
  it('is accepted by Jaeger 2.13, which embeds it', async () => {
    const { code, stderr } = await validateJaeger(common('0.140.0', new c.SpanMetricsConnector()));
    expect(stderr).not.toMatch(/error|deprecated/i);
    expect(code).toBe(0);
  });

  it('fails there when it is spelled for 0.155', async () => {
    const { code, stderr } = await validateJaeger(common('0.155.0', new c.SpanMetricsConnector()));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/unknown type: "(otlp_grpc|otlp_http|span_metrics)"/);
  });
});

describeReal(['otelcol-0.160'], 'configuration spelled for Collector 0.160', () => {
  it('is accepted by it', async () => {
    const { code, stderr } = await validateOtelcol({
      config: common('0.160.0', new c.ForwardConnector()),
      program: 'otelcol-0.160',
      env: { MY_POD_IP: '127.0.0.1' },
    });
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('knows the receivers by the names of 0.153', async () => {
    const receivers = [
      c.Receiver.custom('hostmetrics', { scrapers: { memory: {} } }, { signals: [c.Signal.METRICS] }),
      c.Receiver.custom('filelog', { include: ['/var/log/none.log'] }, { signals: [c.Signal.LOGS] }),
    ];
    const debug = new c.DebugExporter();
    const config = new c.CollectorConfig({
      version: '0.160.0',
      pipelines: [
        c.Pipeline.metrics({ receivers: receivers.slice(0, 1), exporters: [debug] }),
        c.Pipeline.logs({ receivers: receivers.slice(1), exporters: [debug] }),
      ],
      telemetry: new c.ServiceTelemetry({ metricsHost: '127.0.0.1' }),
    }).renderConfig() as { receivers: object };
    expect(Object.keys(config.receivers)).toEqual(['host_metrics', 'file_log']);
    const { code, stderr } = await validateOtelcol({ config, program: 'otelcol-0.160' });
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});
