import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';
import type { ApiServer } from '../../../../test/real/support/api-server.ts';
import { type RealProgram, realPath } from '../../../../test/real/support/components.ts';
import { scrape, scrapeSettled } from '../../../../test/real/support/exposition.ts';
import { startOtelcol } from '../../../../test/real/support/otelcol.ts';
import { freePorts } from '../../../../test/real/support/ports.ts';
import { newFolder, runProgram } from '../../../../test/real/support/process.ts';
import type { ComponentFact, ComponentKind } from '../../model.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts, type Seen } from './facts.mts';
import { metricsReader, sendAll } from './load.mts';

const KINDS: { readonly [section: string]: ComponentKind } = {
  receivers: 'receiver',
  processors: 'processor',
  exporters: 'exporter',
  connectors: 'connector',
  extensions: 'extension',
  providers: 'provider',
};

interface Listed {
  readonly name?: string;
  readonly scheme?: string;
  readonly module: string;
  readonly stability?: { readonly [signal: string]: string };
}

/** What `PROGRAM components` prints, for the Collector and for Jaeger. */
export async function listComponents(program: RealProgram, version: string): Promise<ComponentFact[]> {
  const { code, stdout, stderr } = await runProgram(realPath(program), ['components']);
  if (code !== 0) throw new Error(`${program} components ended with ${code}: ${stderr}`);
  const listed = parse(stdout) as { readonly [section: string]: readonly Listed[] };
  return Object.entries(KINDS)
    .flatMap(([section, kind]) => (Array.isArray(listed[section]) ? listed[section] : []).map((each) => ({ kind, each })))
    .map(({ kind, each }) => ({
      kind,
      type: each.name ?? each.scheme ?? '',
      stability: stabilityOf(each.stability ?? {}),
      ...(each.module === '' ? {} : { module: each.module }),
      source: `live@${version}`,
    }));
}

/** `logs-to-traces: Undefined` says that the component does not take the pair: such pairs are no facts worth a line. */
function stabilityOf(listed: { readonly [signal: string]: string }): { [signal: string]: string } {
  const known = Object.entries(listed).filter(([, stability]) => stability !== 'Undefined');
  return Object.fromEntries(known.map(([signal, stability]) => [signal.replaceAll('-', '_'), stability.toLowerCase()]).sort());
}

/** What appears last, as it needs the load to have passed each pipeline: only then is the list of metrics whole. */
const AFTER_LOAD = [
  ...['sent', 'send_failed', 'enqueue_failed'].flatMap((event) =>
    ['spans', 'metric_points', 'log_records'].map((item) => `otelcol_exporter_${event}_${item}`),
  ),
  'otelcol_processor_tail_sampling_count_traces_sampled',
];

/** Runs Collectors that meet everything a gateway meets: load on both transports, a dead destination, too little memory. */
export async function harvestOtelcol(api: ApiServer): Promise<PartialFacts> {
  const version = '0.155.0';
  const seen: Seen[] = [...(await underLoad(api, 'normal')), ...(await underLoad(api, 'detailed')), ...(await refusing())];
  return {
    program: 'otelcol',
    version,
    title: 'OpenTelemetry Collector',
    run: true,
    components: await listComponents('otelcol', version),
    metrics: metricFacts(version, seen),
  };
}

/** The newer build lists its components; its metrics are read in upstream's metadata. */
export async function harvestNewerOtelcol(): Promise<PartialFacts> {
  const version = '0.160.0';
  return {
    program: 'otelcol',
    version,
    title: 'OpenTelemetry Collector',
    run: true,
    components: await listComponents('otelcol-0.160', version),
  };
}

async function underLoad(api: ApiServer, level: 'normal' | 'detailed'): Promise<Seen[]> {
  const port = await freePorts('grpc', 'http', 'self', 'spanMetrics', 'sinkGrpc', 'sinkHttp', 'dead', 'health');
  const kubeconfig = { KUBECONFIG: api.kubeconfig };
  const local = (number: number): string => `127.0.0.1:${number}`;
  await using sink = await startOtelcol({
    name: 'sink',
    config: {
      receivers: { otlp: { protocols: { grpc: { endpoint: local(port.sinkGrpc) }, http: { endpoint: local(port.sinkHttp) } } } },
      exporters: { nop: {} },
      service: { telemetry: { metrics: { level: 'none' } }, pipelines: allSignals({ receivers: ['otlp'], exporters: ['nop'] }) },
    },
  });
  const stuck = await neverAnswers();
  const processors = ['memory_limiter', 'k8s_attributes', 'resource', 'attributes', 'transform', 'filter', 'batch'];
  const exporters = ['otlp_grpc', 'otlp_http', 'otlp_http/dead', 'otlp_http/stuck', 'debug', 'nop'];
  await using collector = await startOtelcol({
    env: kubeconfig,
    config: {
      extensions: { health_check: { endpoint: local(port.health) }, file_storage: { directory: newFolder('file-storage') } },
      receivers: {
        otlp: { protocols: { grpc: { endpoint: local(port.grpc) }, http: { endpoint: local(port.http) } } },
        prometheus: {
          config: { scrape_configs: [{ job_name: 'self', scrape_interval: '1s', static_configs: [{ targets: [local(port.self)] }] }] },
        },
      },
      processors: {
        memory_limiter: { check_interval: '1s', limit_mib: 2000 },
        k8s_attributes: { auth_type: 'kubeConfig' },
        resource: { attributes: [{ key: 'k8s.cluster.name', value: 'test', action: 'upsert' }] },
        attributes: { actions: [{ key: 'a', value: 'b', action: 'upsert' }] },
        transform: { error_mode: 'ignore' },
        filter: { error_mode: 'ignore', traces: { span: ['name == "nothing"'] } },
        batch: { timeout: '100ms', send_batch_size: 10 },
        tail_sampling: { decision_wait: '1s', policies: [{ name: 'all', type: 'always_sample' }] },
        probabilistic_sampler: { sampling_percentage: 100, fail_closed: false },
      },
      connectors: { span_metrics: { metrics_flush_interval: '1s', exemplars: { enabled: true } }, count: {}, forward: {} },
      exporters: {
        otlp_grpc: {
          endpoint: local(port.sinkGrpc),
          tls: { insecure: true },
          sending_queue: { storage: 'file_storage', batch: { flush_timeout: '200ms', min_size: 10 } },
        },
        otlp_http: { endpoint: `http://${local(port.sinkHttp)}` },
        // One destination refuses and one never answers, so that both ways of losing become visible.
        'otlp_http/dead': { endpoint: `http://${local(port.dead)}`, retry_on_failure: { enabled: false } },
        'otlp_http/stuck': {
          endpoint: stuck.url,
          retry_on_failure: { enabled: false },
          sending_queue: { queue_size: 1, num_consumers: 1 },
        },
        debug: {},
        nop: {},
        prometheus: { endpoint: local(port.spanMetrics) },
        prometheus_remote_write: { endpoint: `http://${local(port.dead)}/api/v1/write`, retry_on_failure: { enabled: false } },
      },
      service: {
        extensions: ['health_check', 'file_storage'],
        telemetry: metricsReader(port.self, level),
        pipelines: {
          traces: {
            receivers: ['otlp'],
            processors: [...processors, 'probabilistic_sampler', 'tail_sampling'],
            exporters: [...exporters, 'span_metrics', 'forward', 'count'],
          },
          'traces/forwarded': { receivers: ['forward'], exporters: ['nop'] },
          metrics: { receivers: ['otlp', 'prometheus'], processors, exporters: [...exporters, 'prometheus_remote_write'] },
          'metrics/spans': { receivers: ['span_metrics', 'count'], exporters: ['prometheus', 'nop'] },
          logs: { receivers: ['otlp'], processors: [...processors, 'probabilistic_sampler'], exporters },
        },
      },
    },
  });
  await sendAll(port, { count: 200 });
  await garbage(port.http);
  const spans = await scrapeSettled(`http://${local(port.spanMetrics)}/metrics`, [
    'traces_span_metrics_duration_milliseconds',
    'trace_span_count_total',
  ]);
  const self = await scrapeSettled(`http://${local(port.self)}/metrics`, AFTER_LOAD);
  stuck.stop();
  await collector.stop();
  await sink.stop();
  if (level === 'detailed') return [{ endpoint: 'self', families: self, when: 'service.telemetry.metrics.level: detailed' }];
  return [
    { endpoint: 'self', families: self },
    { endpoint: 'span-metrics', families: spans },
  ];
}

const REFUSED = ['spans', 'metric_points', 'log_records'].map((items) => `otelcol_processor_memory_limiter_refused_${items}`);

/** A memory limiter below what the program needs for itself refuses everything. */
async function refusing(): Promise<Seen[]> {
  const port = await freePorts('grpc', 'http', 'self');
  const pipeline = { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['nop'] };
  await using collector = await startOtelcol({
    name: 'refusing',
    config: {
      receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port.grpc}` }, http: { endpoint: `127.0.0.1:${port.http}` } } } },
      processors: { memory_limiter: { check_interval: '100ms', limit_mib: 2, spike_limit_mib: 1 } },
      exporters: { nop: {} },
      service: { telemetry: metricsReader(port.self), pipelines: allSignals(pipeline) },
    },
  });
  await collector.waitForLog(/Memory usage is above/i, 10_000);
  const url = `http://127.0.0.1:${port.self}/metrics`;
  // The generator tries again what is refused, for as long as it is let: on a busy machine it has to begin first.
  for (let giveUpMs = 1_500; giveUpMs < 30_000; giveUpMs *= 2) {
    await sendAll(port, { count: 2, giveUpMs });
    const names = new Set((await scrape(url)).map(({ name }) => name));
    if (REFUSED.every((name) => names.has(name))) break;
  }
  const families = await scrapeSettled(url, REFUSED);
  await collector.stop();
  return [{ endpoint: 'self', families, when: 'the memory limiter refuses' }];
}

async function garbage(port: number): Promise<void> {
  for (const signal of ['traces', 'metrics', 'logs']) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/${signal}`, {
      method: 'POST',
      body: 'garbage',
      headers: { 'content-type': 'application/x-protobuf' },
    });
    await response.arrayBuffer();
  }
}

/** A destination that takes connections and requests and stays silent. */
async function neverAnswers(): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

function allSignals(pipeline: object): { [signal: string]: object } {
  return { traces: pipeline, metrics: pipeline, logs: pipeline };
}
