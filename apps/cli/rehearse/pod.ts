/** The pod of the service on this machine: the agent beside the application, as printed, with local addresses. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Snapshot } from 'otlp-stack-check';
import { stringify } from 'yaml';
import { containerEnvironment, withKnownNodeOptions } from './environment.ts';
import { Exposition } from './exposition.ts';
import { healthUrl, metricsUrl, receiverAddress } from './listening.ts';
import { type Change, LOCAL, type LocalAddresses, localCollectorConfig } from './local.ts';
import type { Printed, PrintedProgram, PrintedService } from './printed.ts';
import { Program, RehearsalError } from './programs.ts';
import { type Mapping, mapping } from './values.ts';

export interface PodOptions {
  readonly snapshot: Snapshot;
  readonly addresses: LocalAddresses;
  readonly changes: Change[];
  /** For configurations and logs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** What the agent's own /metrics say. */
export interface AgentBooks {
  readonly accepted: number;
  /** Spans of which the agent knows the end: sent, or lost and counted. */
  readonly settled: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** The agent, running. */
export interface Agent {
  readonly program: Program;
  readonly http: string | undefined;
  readonly grpc: string | undefined;
  readonly metricsUrl: string;
  books(): Promise<AgentBooks>;
}

/** The sample service, running. */
export interface SampleService {
  readonly program: Program;
  readonly url: string;
  /** Spans that it made: acknowledged, lost, and waiting. */
  spans(): Promise<{ made: number; waiting: number }>;
}

export async function startAgent(
  { agent, upstream, upstreamHttp }: Printed,
  sink: { grpcAddress: string; httpAddress: string },
  options: PodOptions,
): Promise<Agent> {
  const { snapshot, addresses, changes, folder, signal } = options;
  addresses.redirect(upstream, upstreamHttp ? sink.httpAddress : sink.grpcAddress);
  const { container, workload, config: file } = agent;
  const config = localCollectorConfig(file.tree.value, container.name, `${container.name} ${file.key}`, addresses, changes);
  const environment = containerEnvironment(snapshot, workload, container, (text) => addresses.redirected(text), changes);
  const path = writeFile(folder, container.name, file.key, stringify(config));
  const program = await Program.start(
    {
      name: 'the agent',
      command: process.execPath,
      args: [binOf('otlp-stack-agent', 'otlp-agent'), ...agentArguments(agent, path)],
      env: withKnownNodeOptions(environment, `${container.name} variables`, changes),
      logFile: join(folder, `${container.name}.log`),
      readyUrl: healthUrl(config, environment),
    },
    signal,
  );
  // From here on the application's addresses of the agent lead to it.
  for (const protocol of ['grpc', 'http'] as const) {
    const printed = receiverAddress(mapping(file.tree.value), protocol, environment) ?? `localhost:${protocol === 'grpc' ? 4317 : 4318}`;
    const local = receiverAddress(config, protocol, environment);
    if (local !== undefined) {
      addresses.redirect(printed, local);
    }
  }
  const metrics = metricsUrl(config, environment);
  return {
    program,
    http: receiverAddress(config, 'http', environment),
    grpc: receiverAddress(config, 'grpc', environment),
    metricsUrl: metrics,
    books: async () => booksOf(await Exposition.fetch(metrics)),
  };
}

/** The printed arguments, with the file where it is here. */
function agentArguments({ container, config }: PrintedProgram, path: string): string[] {
  const printed = config.mounts.find((mount) => mount.container === container)?.file ?? '';
  const args = [...((container.spec.args as string[] | undefined) ?? [])].map((argument) => argument.replaceAll(printed, path));
  return args.some((argument) => argument.includes(path)) ? args : ['--config', path];
}

function booksOf(metrics: Exposition): AgentBooks {
  const ends = ['sent', 'send_failed', 'enqueue_failed', 'evicted'].map((end) => metrics.sum(`otelcol_exporter_${end}_spans`));
  return {
    accepted: metrics.sum('otelcol_receiver_accepted_spans'),
    settled: ends.reduce((sum, count) => sum + count, 0),
    cpuSeconds: metrics.sum('otelcol_process_cpu_seconds'),
    rssBytes: metrics.sum('otelcol_process_memory_rss'),
  };
}

export async function startService({ workload, container, files }: PrintedService, options: PodOptions): Promise<SampleService> {
  const { snapshot, addresses, changes, folder, signal } = options;
  const printedPort = container.ports.find(({ name }) => name === 'http')?.port ?? container.ports[0]?.port ?? 8080;
  const port = addresses.portOf(container.name, printedPort);
  const environment = containerEnvironment(snapshot, workload, container, (text) => addresses.redirected(text), changes);
  const settings = files.find(({ config }) => 'service' in mapping(config.tree.value) || 'exporter' in mapping(config.tree.value));
  const args = [];
  if (settings) {
    const { key } = settings.config;
    const local = localSettings(mapping(settings.config.tree.value), `${container.name} ${key}`, port, addresses, changes);
    args.push('--config', writeFile(folder, container.name, key, stringify(local)));
  }
  const where = `${container.name} variables`;
  changes.push({ where, key: 'OTLP__SERVER__HOST', from: '(not set: every address)', to: LOCAL });
  const program = await Program.start(
    {
      name: 'the sample service',
      command: process.execPath,
      args: [binOf('otlp-stack-sample-service', 'otlp-sample-service'), ...args],
      // The port by variable too: a printed OTLP__SERVICE__PORT would win over the file.
      env: { ...withKnownNodeOptions(environment, where, changes), OTLP__SERVICE__PORT: String(port), OTLP__SERVER__HOST: LOCAL },
      logFile: join(folder, `${container.name}.log`),
      readyUrl: `http://${LOCAL}:${port}/health/ready`,
    },
    signal,
  );
  const url = `http://${LOCAL}:${port}`;
  return {
    program,
    url,
    spans: async () => {
      const metrics = await Exposition.fetch(`${url}/metrics`);
      const waiting = metrics.sum('otlp_queue_size');
      return { made: metrics.sum('otlp_spans_exported_total') + metrics.sum('otlp_spans_dropped_total') + waiting, waiting };
    },
  };
}

/** The service's own file: its port, and the agent's address. */
function localSettings(printed: Mapping, where: string, port: number, addresses: LocalAddresses, changes: Change[]): Mapping {
  const service = mapping(printed.service);
  const exporter = mapping(printed.exporter);
  changes.push({ where, key: 'service.port', from: String(service.port ?? 8080), to: String(port) });
  if (typeof exporter.endpoint !== 'string') {
    return { ...printed, service: { ...service, port } };
  }
  const endpoint = addresses.redirected(exporter.endpoint);
  changes.push({ where, key: 'exporter.endpoint', from: exporter.endpoint, to: endpoint });
  return { ...printed, service: { ...service, port }, exporter: { ...exporter, endpoint } };
}

function writeFile(folder: string, program: string, name: string, text: string): string {
  const path = join(folder, program, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The committed program of one of our packages, wherever npm put it. */
function binOf(packageName: string, program: string): string {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(`${packageName}/package.json`))), 'bin', `${program}.js`);
  } catch {
    throw new RehearsalError(`the package ${packageName} is not installed; install it beside otlp-stack-cli`);
  }
}
