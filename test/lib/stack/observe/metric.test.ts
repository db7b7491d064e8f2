import { describe, expect, it } from 'vitest';
import {
  AlertmanagerMetrics,
  CollectorMetrics,
  JaegerMetrics,
  KubernetesMetrics,
  Match,
  Metric,
  MetricPath,
  MetricType,
  NodeMetrics,
  Program,
  PrometheusMetrics,
  ServiceMetrics,
  SpanMetrics,
  TelemetryItem,
  Unit,
} from '../../../../lib/stack/observe/index';

const { SCRAPE, OTLP, REMOTE_WRITE } = MetricPath;

describe('the name of a metric', () => {
  // Seen live: one Collector 0.155 scraped by Prometheus 3.15, sending OTLP to it, and scraped by a Collector that writes remotely.
  it.each([
    ['uptime', 'otelcol_process_uptime', 'otelcol_process_uptime_seconds_total', 'otelcol_process_uptime_total'],
    ['memoryRss', 'otelcol_process_memory_rss', 'otelcol_process_memory_rss_bytes', 'otelcol_process_memory_rss'],
    ['cpuSeconds', 'otelcol_process_cpu_seconds', 'otelcol_process_cpu_seconds_total', 'otelcol_process_cpu_seconds_total'],
    ['queueSize', 'otelcol_exporter_queue_size', 'otelcol_exporter_queue_size', 'otelcol_exporter_queue_size'],
  ] as const)('%s has its own spelling on each path', (key, scraped, otlp, written) => {
    const metric = CollectorMetrics.DEFAULT[key];
    expect([metric.nameOn(SCRAPE), metric.nameOn(OTLP), metric.nameOn(REMOTE_WRITE)]).toEqual([scraped, otlp, written]);
  });

  it('has the suffixes in Jaeger 2.13 and in the prometheus exporter', () => {
    expect(CollectorMetrics.JAEGER.accepted(TelemetryItem.SPANS).name).toBe('otelcol_receiver_accepted_spans_total');
    expect(CollectorMetrics.JAEGER.memoryRss.name).toBe('otelcol_process_memory_rss_bytes');
    expect(JaegerMetrics.STORAGE_LATENCY.name).toBe('jaeger_storage_latency_seconds');
    expect(SpanMetrics.CALLS.name).toBe('traces_span_metrics_calls_total');
    expect(SpanMetrics.DURATION.name).toBe('traces_span_metrics_duration_milliseconds');
  });

  it('is never given a suffix twice', () => {
    const metric = new Metric({
      name: 'x_bytes_total',
      type: MetricType.COUNTER,
      unit: Unit.BYTES,
      help: 'x',
      program: Program.pod('x'),
    });
    expect([metric.nameOn(SCRAPE), metric.nameOn(OTLP), metric.nameOn(REMOTE_WRITE)]).toEqual(Array(3).fill('x_bytes_total'));
  });

  it('is unique in the catalogue of metrics, and a valid name', () => {
    const names = [
      ServiceMetrics.all(),
      CollectorMetrics.DEFAULT.all(),
      SpanMetrics.all(),
      CollectorMetrics.JAEGER.all().filter(({ name }) => !CollectorMetrics.DEFAULT.all().some((own) => own.name === name)),
      JaegerMetrics.all(),
      PrometheusMetrics.all(),
      AlertmanagerMetrics.all(),
      KubernetesMetrics.all(),
      NodeMetrics.all(),
    ]
      .flat()
      .map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z_:][a-z0-9_:]*$/.test(name))).toEqual([]);
  });
});

describe('the samples of a metric', () => {
  it("have the program's labels and the target's", () => {
    expect(ServiceMetrics.HTTP_REQUESTS.labels).toEqual(['method', 'route', 'status', 'job', 'instance', 'namespace', 'pod', 'container']);
  });

  it('of a histogram are selected by part', () => {
    const { HTTP_REQUEST_DURATION } = ServiceMetrics;
    expect(HTTP_REQUEST_DURATION.bucket(Match.equal('le', '1.0')).print()).toBe('http_request_duration_seconds_bucket{le="1.0"}');
    expect(HTTP_REQUEST_DURATION.sum().print()).toBe('http_request_duration_seconds_sum');
    expect(HTTP_REQUEST_DURATION.count().print()).toBe('http_request_duration_seconds_count');
    expect(() => HTTP_REQUEST_DURATION.where()).toThrow('use bucket(), sum() or count()');
    expect(() => ServiceMetrics.QUEUE_SIZE.sum()).toThrow("metric 'otlp_queue_size' is a gauge and has no '_sum'");
  });
});
