import { Size } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import * as c from '../../../../lib/stack/collector/index.ts';

const otlp = new c.OtlpReceiver();
const limiter = new c.MemoryLimiterProcessor({ limit: Size.mebibytes(100) });
const jaeger = new c.OtlpGrpcExporter({ name: 'jaeger', endpoint: 'jaeger:4317' });
const prometheus = new c.PrometheusExporter({ endpoint: 'localhost:8889' });
const spanMetrics = new c.SpanMetricsConnector();
const debug = new c.DebugExporter();

// biome-ignore lint/suspicious/noExplicitAny: a configuration is read as JSON
const render = (props: c.CollectorConfigProps): any => new c.CollectorConfig(props).renderConfig();

describe('pipelines', () => {
  it('render what they use, each component once', () => {
    const config = render({
      pipelines: [
        c.Pipeline.traces({ receivers: [otlp], processors: [limiter], exporters: [jaeger, spanMetrics] }),
        c.Pipeline.logs({ receivers: [otlp], processors: [limiter], exporters: [jaeger] }),
        c.Pipeline.metrics({ name: 'spans', receivers: [spanMetrics], exporters: [prometheus] }),
      ],
    });
    expect(Object.keys(config)).toEqual(['receivers', 'processors', 'connectors', 'exporters', 'service']);
    expect(Object.keys(config.receivers)).toEqual(['otlp']);
    expect(Object.keys(config.exporters)).toEqual(['otlp_grpc/jaeger', 'prometheus']);
    expect(config.service.pipelines['metrics/spans']).toEqual({ receivers: ['span_metrics'], exporters: ['prometheus'] });
  });

  it('take two values that say the same as one', () => {
    const pipelines = [new c.OtlpReceiver(), new c.OtlpReceiver()].map((receiver, index) =>
      c.Pipeline.traces({ name: String(index), receivers: [receiver], exporters: [debug] }),
    );
    expect(Object.keys(render({ pipelines }).receivers)).toEqual(['otlp']);
  });

  it('add the extensions that components name', () => {
    const storage = new c.FileStorageExtension({ directory: '/var/lib/q' });
    const exporter = new c.OtlpGrpcExporter({ endpoint: 'next:4317', sendingQueue: c.Queue.disk({ storage }) });
    const config = render({ pipelines: [c.Pipeline.traces({ receivers: [otlp], exporters: [exporter] })] });
    expect(config.service.extensions).toEqual(['file_storage']);
    expect(config.exporters.otlp_grpc.sending_queue.storage).toBe('file_storage');
  });

  it('take any component of any distribution through the open doors', () => {
    const config = render({
      ...customPipelines(),
      extensions: [c.Extension.custom('jaeger_query', { storage: { traces: 'main' } })],
    });
    expect(config.exporters['zipkin/old']).toEqual({ endpoint: 'http://zipkin:9411/api/v2/spans' });
    expect(config.connectors.servicegraph).toEqual({ latency_histogram_buckets: ['1ms'] });
    expect(config.service.extensions).toEqual(['jaeger_query']);
  });

  it('are overridden last: maps merge, lists replace', () => {
    const config = render({
      pipelines: [c.Pipeline.traces({ receivers: [otlp], processors: [limiter], exporters: [jaeger, debug] })],
      configOverrides: {
        exporters: { 'otlp_grpc/jaeger': { timeout: '1s' } },
        service: { pipelines: { traces: { exporters: ['debug'] } } },
      },
    });
    expect(config.exporters['otlp_grpc/jaeger']).toEqual({ endpoint: 'jaeger:4317', tls: { insecure: true }, timeout: '1s' });
    expect(config.service.pipelines.traces).toEqual({ receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['debug'] });
  });
});

function customPipelines(): { pipelines: c.Pipeline[] } {
  const graph = c.Connector.custom('servicegraph', [{ from: c.Signal.TRACES, to: c.Signal.METRICS }], {
    latency_histogram_buckets: ['1ms'],
  });
  const zipkin = c.Receiver.custom('zipkin', { endpoint: 'localhost:9411' }, { signals: [c.Signal.TRACES] });
  const old = c.Exporter.custom('zipkin', { endpoint: 'http://zipkin:9411/api/v2/spans' }, { name: 'old' });
  return {
    pipelines: [
      c.Pipeline.traces({ receivers: [zipkin], processors: [c.Processor.custom('group_by_trace')], exporters: [old, graph] }),
      c.Pipeline.metrics({ receivers: [graph], exporters: [prometheus] }),
    ],
  };
}

describe('fails', () => {
  it('on a component that cannot handle the signal, with its name and the signal', () => {
    expect(() => c.Pipeline.traces({ receivers: [otlp], exporters: [prometheus] })).toThrow(
      /service.pipelines.traces: 'exporters.prometheus' cannot handle 'traces'/,
    );
    const sampler = new c.TailSamplingProcessor({ policies: [c.SamplingPolicy.errors('errors')] });
    expect(() => c.Pipeline.logs({ name: 'x', receivers: [otlp], processors: [sampler], exporters: [debug] })).toThrow(
      /service.pipelines.logs\/x: 'processors.tail_sampling' cannot handle 'logs'/,
    );
    const zipkin = c.Receiver.custom('zipkin', {}, { signals: [c.Signal.TRACES] });
    expect(() => c.Pipeline.metrics({ receivers: [zipkin], exporters: [debug] })).toThrow(/'receivers.zipkin' cannot handle 'metrics'/);
  });

  it('without receivers or exporters, and on anything twice', () => {
    expect(() => c.Pipeline.traces({ receivers: [], exporters: [debug] })).toThrow(/'receivers' is empty/);
    expect(() => c.Pipeline.traces({ receivers: [otlp], exporters: [] })).toThrow(/'exporters' is empty/);
    expect(() => c.Pipeline.traces({ receivers: [otlp], exporters: [debug, debug] })).toThrow(/'exporters' names 'debug' twice/);
    const pipeline = (): c.Pipeline => c.Pipeline.traces({ receivers: [otlp], exporters: [debug] });
    expect(() => render({ pipelines: [pipeline(), pipeline()] })).toThrow(/two pipelines are called 'traces'/);
    expect(() => render({ pipelines: [] })).toThrow(/at least one pipeline/);
  });

  it('when the memory limiter is not first', () => {
    const batch = new c.BatchProcessor();
    expect(() => c.Pipeline.traces({ receivers: [otlp], processors: [batch, limiter], exporters: [debug] })).toThrow(
      /'memory_limiter' is processor 2, after 'batch': put it first/,
    );
  });

  it('on two components of one name that differ, with both', () => {
    const other = new c.OtlpGrpcExporter({ name: 'jaeger', endpoint: 'other:4317' });
    const pipelines = [jaeger, other].map((exporter, index) =>
      c.Pipeline.traces({ name: String(index), receivers: [otlp], exporters: [exporter] }),
    );
    expect(() => render({ pipelines })).toThrow(/exporters.otlp_grpc\/jaeger is defined twice.*jaeger:4317.*other:4317/);
  });

  it('on a connector that is used on one side, or that connects nothing', () => {
    const traces = c.Pipeline.traces({ receivers: [otlp], exporters: [spanMetrics] });
    const metrics = c.Pipeline.metrics({ receivers: [spanMetrics], exporters: [prometheus] });
    expect(() => render({ pipelines: [traces] })).toThrow(/connectors.span_metrics is exporter of 'traces' and receiver of none/);
    expect(() => render({ pipelines: [metrics] })).toThrow(/connectors.span_metrics is receiver of 'metrics' and exporter of none/);
    const forward = new c.ForwardConnector();
    const crossed = [
      c.Pipeline.traces({ receivers: [otlp], exporters: [forward] }),
      c.Pipeline.logs({ receivers: [forward], exporters: [debug] }),
    ];
    expect(() => render({ pipelines: crossed })).toThrow(/connectors.forward leads nowhere from or to 'traces', 'logs'/);
  });

  it('on storage that nobody uses', () => {
    const storage = new c.FileStorageExtension({ directory: '/var/lib/q' });
    const pipelines = [c.Pipeline.traces({ receivers: [otlp], exporters: [debug] })];
    expect(() => render({ pipelines, extensions: [storage] })).toThrow(/extensions.file_storage: no component uses it/);
  });
});
