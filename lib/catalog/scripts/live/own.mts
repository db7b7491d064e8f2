import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { writeConfig } from '../../../../test/real/support/config-file.ts';
import { scrapeSettled } from '../../../../test/real/support/exposition.ts';
import { freePorts } from '../../../../test/real/support/ports.ts';
import { newFolder, runProgram, startProcess } from '../../../../test/real/support/process.ts';
import type { ComponentFact, ComponentKind } from '../../model.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts } from './facts.mts';

/** The two programs of this repository. They need nothing but Node, so the facts are compared in the ordinary tests. */
const AGENT = fileURLToPath(new URL('../../../../agent/main.ts', import.meta.url));
const SERVICE = fileURLToPath(new URL('../../../../apps/sample-service/main.ts', import.meta.url));

const KINDS: { readonly [section: string]: ComponentKind } = {
  receivers: 'receiver',
  processors: 'processor',
  exporters: 'exporter',
  connectors: 'connector',
  extensions: 'extension',
};

interface ListedComponent {
  readonly type: string;
  readonly aliases?: readonly string[];
  readonly signals?: readonly string[];
}

/** Series that start with the first of what they count. */
const AFTER_TRAFFIC = [
  'otlp_agent_receiver_requests',
  'otlp_agent_connection_errors',
  'otlp_agent_exporter_failed_items',
  'otelcol_processor_probabilistic_sampler_count_traces_sampled',
  'otelcol_processor_probabilistic_sampler_count_logs_sampled',
  'otelcol_loadbalancer_backend_outcome',
  'otlp_agent_own_telemetry_items',
];

/** A span and a log record in OTLP/JSON. */
const SENT = {
  '/v1/traces': {
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'a' }] }] }],
  },
  '/v1/logs': { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a' } }] }] }] },
};

/** The agent with two workers and every component in use but `file`, which has no metric and one writer only, after some requests and a peer that speaks something else, and nobody who takes what it sends. */
export async function harvestAgent(): Promise<PartialFacts> {
  const version = packageVersion('../../../../agent/package.json');
  const port = await freePorts('grpc', 'http', 'self', 'health', 'dead');
  const folder = newFolder('otlp-agent');
  const config = writeConfig(folder, 'agent.yaml', everyComponent(port));
  await using agent = await startProcess({
    bin: process.execPath,
    args: [AGENT, '--config', config],
    name: 'otlp-agent',
    cwd: folder,
    ready: { port: port.self },
  });
  for (const [path, body] of Object.entries(SENT)) {
    const headers = { 'content-type': 'application/json' };
    await (await fetch(`http://${local(port.http)}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).arrayBuffer();
  }
  await speakNonsense(port.grpc);
  const families = await scrapeSettled(`http://${local(port.self)}/metrics`, AFTER_TRAFFIC);
  await agent.stop();
  const { stdout } = await runProgram(process.execPath, [AGENT, 'components', '--json']);
  return {
    program: 'otlp-agent',
    version,
    title: 'otlp-stack agent',
    run: true,
    completeDistributions: ['otlp-agent'],
    components: componentsOf(JSON.parse(stdout) as { [section: string]: ListedComponent[] }, version),
    metrics: metricFacts(version, [{ endpoint: 'self', families }]),
  };
}

const local = (port: number): string => `127.0.0.1:${port}`;

/** A configuration in which every metric of the agent shows; nothing listens at the port `dead`. */
function everyComponent(port: Readonly<Record<'grpc' | 'http' | 'self' | 'health' | 'dead', number>>): object {
  const tls = { insecure: true };
  const dead = local(port.dead);
  const upsert = [{ key: 'a', value: 'b', action: 'upsert' }];
  const exporters = ['otlp_grpc', 'otlp_http', 'loadbalancing', 'debug', 'nop'];
  const receivers = ['otlp'];
  const processors = ['memory_limiter', 'resource_detection', 'resource', 'attributes', 'filter', 'transform', 'redaction', 'batch'];
  return {
    extensions: {
      health_check: { endpoint: local(port.health) },
      registration: { endpoint: local(port.grpc), etcd: { endpoints: [`http://${dead}`], prefix: '/otlp/' } },
    },
    receivers: { otlp: { protocols: { grpc: { endpoint: local(port.grpc) }, http: { endpoint: local(port.http) } } } },
    processors: {
      memory_limiter: { check_interval: '1s', limit_mib: 512 },
      resource_detection: { detectors: ['env', 'system'] },
      resource: { attributes: upsert },
      attributes: { actions: upsert },
      filter: { traces: { span: ['name == "none"'] }, metrics: { metric: ['name == "none"'] }, logs: { log_record: ['body == "none"'] } },
      transform: { trace_statements: ['set(span.attributes["a"], "b")'] },
      redaction: { allow_all_keys: true },
      probabilistic_sampler: { sampling_percentage: 50 },
      batch: {},
    },
    connectors: { forward: {}, count: {} },
    exporters: {
      // What is not tried again is a loss at once.
      otlp_grpc: { endpoint: dead, tls, retry_on_failure: { enabled: false } },
      otlp_http: { endpoint: `http://${dead}`, tls },
      loadbalancing: { protocol: { otlp: { tls } }, resolver: { static: { hostnames: [dead] } } },
      debug: {},
      nop: {},
    },
    agent: { workers: 2 },
    service: {
      extensions: ['health_check', 'registration'],
      telemetry: {
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: port.self } } } }] },
        traces: {
          processors: [{ batch: { schedule_delay: 100, exporter: { otlp: { protocol: 'http/protobuf', endpoint: `http://${dead}` } } } }],
        },
      },
      pipelines: {
        traces: { receivers, processors, exporters: ['forward', 'count'] },
        'traces/out': { receivers: ['forward'], processors: ['probabilistic_sampler'], exporters: ['nop'] },
        'traces/all': { receivers, exporters },
        metrics: { receivers: ['otlp', 'count'], processors, exporters },
        logs: { receivers, processors, exporters },
        'logs/sampled': { receivers, processors: ['probabilistic_sampler'], exporters: ['nop'] },
        profiles: { receivers, processors: ['memory_limiter', 'resource'], exporters: ['otlp_grpc', 'otlp_http', 'debug', 'nop'] },
      },
    },
  };
}

/** A peer on the gRPC port that speaks no HTTP/2; ends when the agent hangs up. */
async function speakNonsense(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}); // A reset is an answer, too.
  socket.end('GET / HTTP/1.0\r\n\r\n').resume();
  await once(socket, 'close');
}

function componentsOf(listed: { readonly [section: string]: readonly ListedComponent[] }, version: string): ComponentFact[] {
  return Object.entries(KINDS).flatMap(([section, kind]) =>
    (listed[section] ?? []).map(({ type, aliases = [], signals = [] }) => ({
      kind,
      type,
      ...(aliases[0] === undefined ? {} : { formerType: aliases[0] }),
      stability: Object.fromEntries([...signals].sort().map((signal) => [signal, 'supported'])),
      distributions: ['otlp-agent'],
      source: `live@${version}`,
    })),
  );
}

/** The sample service after a few requests, with nobody who takes its telemetry, so that drops are counted too. */
export async function harvestSampleService(): Promise<PartialFacts> {
  const version = packageVersion('../../../../apps/sample-service/package.json');
  const port = await freePorts('http', 'dead');
  const folder = newFolder('sample-service');
  const config = writeConfig(folder, 'production.yaml', {
    service: { name: 'checkout', port: port.http },
    exporter: { endpoint: `http://127.0.0.1:${port.dead}`, timeout: '1s' },
  });
  await using service = await startProcess({
    bin: process.execPath,
    args: [SERVICE, '--config', config],
    name: 'sample-service',
    cwd: folder,
    ready: { url: `http://127.0.0.1:${port.http}/health/ready` },
  });
  for (const path of ['/api/orders/1', '/nowhere']) await (await fetch(`http://127.0.0.1:${port.http}${path}`)).text();
  const families = await scrapeSettled(`http://127.0.0.1:${port.http}/metrics`, ['http_requests_total', 'otlp_spans_dropped_total']);
  await service.stop();
  return {
    program: 'sample-service',
    version,
    title: 'otlp-stack sample service',
    run: true,
    metrics: metricFacts(version, [{ endpoint: 'self', families }]),
  };
}

function packageVersion(path: string): string {
  return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
}
