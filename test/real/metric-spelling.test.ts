/**
 * One metric of the Collector has three names in Prometheus, by the way it takes: scraped, sent by OTLP, or scraped by a Collector and
 * written remotely. lib/stack computes them; here they are compared with what a real Prometheus holds.
 */
import { beforeAll, expect, it } from 'vitest';
import { CollectorMetrics, MetricPath } from '../../lib/stack/observe/index.ts';
import { describeReal, freePorts, type PrometheusServer, realPath, runProgram, startOtelcol, startPrometheus } from './support/index.ts';

/** Those that a Collector with spans only shows; a memory limiter and full queues have tests of their own. */
const SHOWN = CollectorMetrics.DEFAULT.all().filter(
  ({ name }) => !/metric_points|log_records|memory_limiter|enqueue_failed|send_failed/.test(name),
);

/** The prometheus receiver takes `job` from the service name of the scraped Collector, so a label of its own tells the last way apart. */
const PATHS: readonly (readonly [MetricPath, selector: string])[] = [
  [MetricPath.SCRAPE, 'job="scraped"'],
  [MetricPath.OTLP, 'job="collector",way=""'],
  [MetricPath.REMOTE_WRITE, 'job="collector",way="remote-write"'],
];

describeReal(['otelcol', 'prometheus', 'telemetrygen'], 'a metric of the Collector in Prometheus', () => {
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    const port = await freePorts('grpc', 'self', 'prometheus', 'sink');
    const local = (number: number): string => `127.0.0.1:${number}`;
    prometheus = await startPrometheus({
      port: port.prometheus,
      args: ['--web.enable-otlp-receiver', '--web.enable-remote-write-receiver'],
      config: {
        scrape_configs: [
          { job_name: 'scraped', scrape_interval: '500ms', scrape_timeout: '500ms', static_configs: [{ targets: [local(port.self)] }] },
        ],
      },
    });
    await startOtelcol({
      name: 'sink',
      config: {
        receivers: { otlp: { protocols: { grpc: { endpoint: local(port.sink) } } } },
        exporters: { nop: {} },
        service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: { receivers: ['otlp'], exporters: ['nop'] } } },
      },
    });
    const push = { protocol: 'http/protobuf', endpoint: `http://${local(port.prometheus)}/api/v1/otlp/v1/metrics` };
    await startOtelcol({
      config: {
        receivers: {
          otlp: { protocols: { grpc: { endpoint: local(port.grpc) } } },
          prometheus: {
            config: {
              scrape_configs: [{ job_name: 'self', scrape_interval: '1s', static_configs: [{ targets: [local(port.self)] }] }],
            },
          },
        },
        exporters: {
          otlp_grpc: { endpoint: local(port.sink), tls: { insecure: true } },
          prometheus_remote_write: { endpoint: `http://${local(port.prometheus)}/api/v1/write`, external_labels: { way: 'remote-write' } },
        },
        service: {
          telemetry: {
            resource: { 'service.name': 'collector' },
            metrics: {
              readers: [
                { pull: { exporter: { prometheus: { host: '127.0.0.1', port: port.self } } } },
                { periodic: { interval: 500, exporter: { otlp: push } } },
              ],
            },
          },
          pipelines: {
            traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] },
            metrics: { receivers: ['prometheus'], exporters: ['prometheus_remote_write'] },
          },
        },
      },
    });
    await runProgram(realPath('telemetrygen'), [
      'traces',
      '--otlp-insecure',
      '--otlp-endpoint',
      local(port.grpc),
      '--rate',
      '0',
      '--traces',
      '5',
    ]);
  });

  it.each(PATHS.flatMap(([path, selector]) => SHOWN.map((metric): [string, string] => [metric.nameOn(path), selector])))(
    '%s with %s',
    async (name, selector) => {
      const samples = await prometheus.waitForQuery(`{__name__="${name}",${selector}}`, undefined, 15_000);
      expect(samples[0]?.metric.__name__).toBe(name);
    },
  );
});
