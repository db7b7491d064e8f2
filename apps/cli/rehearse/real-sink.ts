import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { OtlpStack, Profile } from 'otlp-stack';
import { type Snapshot, snapshotOf } from 'otlp-stack-check';
import { stringify } from 'yaml';
import { containerEnvironment } from './environment.ts';
import { Exposition } from './exposition.ts';
import { expandVariables, healthUrl, metricsUrl, receiverAddress } from './listening.ts';
import { type Change, type LocalAddresses, localCollectorConfig } from './local.ts';
import { findPrinted, type Printed, type PrintedProgram, type PrintedTracing } from './printed.ts';
import { Program } from './programs.ts';
import { type Cut, gatewayForTraces, jaegerInMemory } from './real-config.ts';
import type { Sink } from './sink.ts';
import { type Mapping, mapping, typeOf } from './values.ts';

export interface RealBinaries {
  readonly collector: string;
  readonly jaeger: string;
}

export interface RealSinkOptions {
  readonly snapshot: Snapshot;
  readonly gateway: PrintedProgram;
  readonly tracing: PrintedTracing;
  readonly binaries: RealBinaries;
  readonly addresses: LocalAddresses;
  readonly changes: Change[];
  /** For configurations and logs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The printed gateway and the printed Jaeger as real programs. */
export async function startRealSink(options: RealSinkOptions): Promise<Sink> {
  const { gateway, tracing, addresses, binaries } = options;
  const storage = jaegerInMemory(mapping(tracing.config.tree.value), developmentStorage);
  const jaeger = await startPrinted('Jaeger', binaries.jaeger, tracing, storage, options);
  addresses.redirect(tracing.address, jaeger.otlp(typeOf(tracing.exporter).includes('http') ? 'http' : 'grpc'));
  const cut = gatewayForTraces(mapping(gateway.config.tree.value), tracing.exporter);
  const collector = await startPrinted('the Collector', binaries.collector, gateway, cut, options).catch(async (error: unknown) => {
    await jaeger.program.stop();
    throw error;
  });
  const query = queryAddress(jaeger);
  return {
    kind: 'real',
    description: `a real Collector and a real Jaeger with their printed configurations (${binaries.collector}, ${binaries.jaeger})`,
    grpcAddress: collector.otlp('grpc'),
    httpAddress: collector.otlp('http'),
    open: [
      { what: 'Jaeger UI and query API', address: `http://${query}` },
      { what: 'gateway (OTLP/gRPC)', address: collector.otlp('grpc') },
      { what: 'gateway metrics', address: metricsUrl(collector.config, collector.environment) },
    ],
    leftOut: [...cut.leftOut, ...storage.leftOut],
    countedBy: `the real Collector: otelcol_exporter_sent_spans of ${tracing.exporter}, which waits for Jaeger's answer`,
    delivered: async () => {
      const metrics = await Exposition.fetch(metricsUrl(collector.config, collector.environment));
      return {
        spans: metrics.sum('otelcol_exporter_sent_spans', `exporter="${tracing.exporter}"`),
        duplicates: undefined,
        byService: undefined,
      };
    },
    readBack: async (traceIds) => {
      const found = await Promise.all(traceIds.map((id) => hasTrace(query, id)));
      return found.filter(Boolean).length;
    },
    stop: async () => {
      const codes = [
        ['the Collector', await collector.program.stop()],
        ['Jaeger', await jaeger.program.stop()],
      ] as const;
      return codes.flatMap(([name, code]) => (code === 0 ? [] : [`${name} ended with exit code ${code}`]));
    },
  };
}

interface Started {
  readonly program: Program;
  readonly config: Mapping;
  readonly environment: { readonly [name: string]: string };
  /** Where it takes OTLP; empty where it does not. */
  otlp(protocol: 'grpc' | 'http'): string;
}

async function startPrinted(name: string, binary: string, printed: PrintedProgram, cut: Cut, options: RealSinkOptions): Promise<Started> {
  const { snapshot, addresses, changes, folder, signal } = options;
  const { container, workload, config: file } = printed;
  const config = localCollectorConfig(cut.config, container.name, `${container.name} ${file.key}`, addresses, changes);
  const environment = containerEnvironment(snapshot, workload, container, (text) => addresses.redirected(text), changes);
  const home = join(folder, container.name);
  mkdirSync(home, { recursive: true });
  const path = join(home, file.key);
  writeFileSync(path, stringify(config));
  const program = await Program.start(
    {
      name,
      command: binary,
      args: [`--config=${path}`],
      env: environment,
      logFile: join(folder, `${container.name}.log`),
      readyUrl: healthUrl(config, environment),
    },
    signal,
  );
  return { program, config, environment, otlp: (protocol) => receiverAddress(config, protocol, environment) ?? '' };
}

/** The storage block that the development profile prints; printed now, so that it cannot differ from it. */
function developmentStorage(): Mapping {
  const app = new App();
  new OtlpStack(app, 'otlp', { profile: Profile.DEVELOPMENT });
  const objects = app.charts.flatMap((chart) => chart.toJson());
  const { tracing }: Printed = findPrinted(
    snapshotOf([{ file: 'development profile', text: objects.map((each) => stringify(each)).join('---\n') }]),
    'it',
  );
  const extensions = mapping(mapping(tracing?.config.tree.value).extensions);
  return mapping(Object.values(mapping(mapping(extensions.jaeger_storage).backends))[0]);
}

/** Of jaeger_query: the UI and the HTTP API. */
function queryAddress({ config, environment }: Started): string {
  const { endpoint } = mapping(mapping(mapping(config.extensions).jaeger_query).http);
  return expandVariables(String(endpoint ?? 'localhost:16686'), environment);
}

async function hasTrace(query: string, traceId: string): Promise<boolean> {
  const response = await fetch(`http://${query}/api/traces/${traceId}`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) {
    await response.arrayBuffer();
    return false;
  }
  const { data } = (await response.json()) as { data: { spans: unknown[] }[] | null };
  return (data?.[0]?.spans.length ?? 0) > 0;
}
