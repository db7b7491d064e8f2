import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chart, Duration, Size, Testing } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { load } from '../../agent/config/load.ts';
import type { AgentSettings, OtlpGrpcExporterSettings } from '../../agent/config/settings.ts';
import { createAgent } from '../../agent/runtime/agent.ts';
import { AgentDaemon, AgentGateway, AgentSidecar, type AgentSidecarProps } from '../../lib/stack/agent/index.ts';
import {
  CollectorConfig,
  CollectorGateway,
  HealthCheckExtension,
  MemoryLimiterProcessor,
  OtlpGrpcExporter,
  OtlpHttpExporter,
  OtlpReceiver,
  Pipeline,
  Queue,
  Retry,
  ServiceTelemetry,
  Signal,
  Timeouts,
} from '../../lib/stack/collector/index.ts';
import type { IConfig } from '../../lib/stack/model/config-content.ts';
import { printYaml } from '../../lib/stack/model/yaml.ts';
import { recordingLog } from '../agent/kit/agent.ts';
import { referenceProps } from '../lib/stack/collector/support/reference-gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: printed YAML is read as JSON
type Json = any;

const ENV = { MY_POD_IP: '127.0.0.1', K8S_POD_NAME: 'shop-0' };

/** As the agent reads it: from a file that holds what the lib printed. */
function settingsOf(config: IConfig, sets: string[] = []): AgentSettings {
  const file = join(mkdtempSync(join(tmpdir(), 'otlp-contract-')), 'agent.yaml');
  writeFileSync(file, printYaml(config.renderConfig()));
  const loaded = load({ configs: [file], sets, environment: ENV });
  expect(loaded.notices).toEqual([]);
  return loaded.settings;
}

function gatewayIn(chart: Chart, timeouts?: Timeouts): CollectorGateway {
  return new CollectorGateway(chart, 'Gateway', { ...referenceProps(), timeouts });
}

function constructs(props: Partial<AgentSidecarProps> = {}): { [name: string]: IConfig } {
  const chart = new Chart(Testing.app(), 'test');
  const upstream = gatewayIn(chart).otlpGrpc;
  return {
    sidecar: new AgentSidecar({ upstream, ...props }).config,
    daemon: new AgentDaemon(chart, 'Daemon', { upstream }).config,
    gateway: new AgentGateway(chart, 'Edge', { upstream }).config,
  };
}

const LOCAL = [
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'extensions.health_check.endpoint=127.0.0.1:0',
  'service.telemetry.metrics.level=none',
];

describe('printed agent configurations', () => {
  for (const name of ['sidecar', 'daemon', 'gateway']) {
    it(`boot the agent: ${name}`, async () => {
      const settings = settingsOf(constructs()[name] as IConfig, LOCAL);
      const agent = await createAgent(settings, { log: recordingLog([]) });
      await agent.start();
      await agent.drain(0);
      await agent.close();
    });
  }

  it('mean to the agent what the props said', () => {
    const settings = settingsOf(constructs().sidecar as IConfig);
    const exporter = settings.exporters.otlp_grpc as OtlpGrpcExporterSettings;
    expect(exporter.address).toEqual({ kind: 'tcp', host: 'otel-collector.observability.svc.cluster.local', port: 4317 });
    expect(exporter.queue).toMatchObject({ enabled: true, consumers: 10, capacity: 5000, sizer: 'requests', waitForResult: false });
    expect(exporter.queue.batch).toEqual({ flushTimeoutMs: 100, minSize: 1024, maxSize: 2048, sizer: 'items' });
    expect(exporter.retry).toMatchObject({ enabled: true, initialIntervalMs: 5000, maxIntervalMs: 30_000, maxElapsedMs: 300_000 });
    expect(settings.processors.memory_limiter).toMatchObject({
      limitBytes: 512 * 1024 * 1024,
      spikeBytes: 128 * 1024 * 1024,
      checkIntervalMs: 5000,
    });
    expect(settings.processors.resource).toMatchObject({ actions: [{ action: 'upsert', key: 'service.instance.id', value: 'shop-0' }] });
    expect(settings.telemetry.metrics?.address).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 8888 });
    expect(settings.pipelines.map((pipeline) => pipeline.signal)).toEqual(['traces', 'metrics', 'logs']);
  });

  it('carry the drain deadline', () => {
    const config = constructs({ drainDeadline: Duration.seconds(7) }).sidecar as IConfig;
    expect(settingsOf(config).agent.drainDeadlineMs).toBe(7000);
  });
});

describe('timeouts as printed on both sides', () => {
  for (const timeouts of [undefined, new Timeouts({ flushTimeout: Duration.seconds(1), exporterTimeout: Duration.seconds(29) })]) {
    it(`the agent outwaits flush and export of the gateway (${timeouts ? 'chosen' : 'default'})`, () => {
      const chart = new Chart(Testing.app(), 'test');
      const gateway = gatewayIn(chart, timeouts);
      const agent = parse(printYaml(new AgentSidecar({ upstream: gateway.otlpGrpc }).config.renderConfig())) as Json;
      const printed = parse(printYaml(gateway.config.renderConfig())) as Json;
      const agentTimeout = millis(agent.exporters.otlp_grpc.timeout);
      for (const id of ['otlp_grpc/jaeger', 'otlp_http/prometheus', 'elasticsearch']) {
        const exporter = printed.exporters[id];
        expect(exporter.sending_queue.wait_for_result).toBe(true);
        expect(agentTimeout).toBeGreaterThan(millis(exporter.sending_queue.batch.flush_timeout) + millis(exporter.timeout) + 2000);
      }
      expect(millis(printed.receivers.otlp.protocols.http.write_timeout)).toBeGreaterThanOrEqual(agentTimeout);
    });
  }
});

describe('defaults of both sides', () => {
  /** Nothing but what has to be there: all that the agent fills in is its own. */
  const bare = new CollectorConfig({
    pipelines: [
      Pipeline.traces({
        receivers: [new OtlpReceiver()],
        processors: [new MemoryLimiterProcessor({ limit: Size.mebibytes(100) })],
        exporters: [
          new OtlpGrpcExporter({ endpoint: 'next:4317', sendingQueue: Queue.memory({ batch: {} }), retryOnFailure: Retry.backoff() }),
          new OtlpHttpExporter({ endpoint: 'http://next:4318' }),
        ],
      }),
    ],
    extensions: [new HealthCheckExtension()],
    telemetry: new ServiceTelemetry(),
  });
  const settings = settingsOf(bare);
  const grpc = settings.exporters.otlp_grpc as OtlpGrpcExporterSettings;

  it('exporters', () => {
    expect(grpc.timeoutMs).toBe(new OtlpGrpcExporter({ endpoint: 'next:4317' }).timeout.toMilliseconds());
    expect(settings.exporters.otlp_http?.timeoutMs).toBe(new OtlpHttpExporter({ endpoint: 'http://next:4318' }).timeout.toMilliseconds());
    expect(grpc.compression).toBe('gzip');
  });

  it('queue, batch and retry', () => {
    expect(grpc.queue).toMatchObject({ consumers: 10, capacity: 1000, sizer: 'requests', overflow: 'refuse', waitForResult: false });
    expect(grpc.queue.batch).toEqual({
      flushTimeoutMs: Queue.memory({ batch: {} }).flushTimeout.toMilliseconds(),
      minSize: 8192,
      maxSize: 0,
      sizer: 'items',
    });
    expect(grpc.retry).toEqual({
      enabled: true,
      initialIntervalMs: 5000,
      randomizationFactor: 0.5,
      multiplier: 1.5,
      maxIntervalMs: 30_000,
      maxElapsedMs: 300_000,
    });
  });

  it('addresses, memory and drain', () => {
    expect(settings.receivers.otlp?.grpc?.address).toEqual({ kind: 'tcp', host: 'localhost', port: 4317 });
    expect(settings.receivers.otlp?.http?.address).toEqual({ kind: 'tcp', host: 'localhost', port: 4318 });
    expect(settings.extensions[0]).toMatchObject({ address: { kind: 'tcp', host: 'localhost', port: 13_133 }, path: '/' });
    expect(settings.processors.memory_limiter).toMatchObject({ spikeBytes: 20 * 1024 * 1024, checkIntervalMs: 1000 });
    const { config } = new AgentSidecar({ upstream: gatewayIn(new Chart(Testing.app(), 'test')).otlpGrpc });
    expect(settings.agent.drainDeadlineMs).toBe(config.drainDeadline.toMilliseconds());
  });

  it('the gateway accepts requests as large as the agent does', () => {
    const printed = gatewayIn(new Chart(Testing.app(), 'test')).config.renderConfig() as Json;
    const { grpc: server, http } = printed.receivers.otlp.protocols;
    expect(server.max_recv_msg_size_mib * 1024 * 1024).toBe(settings.receivers.otlp?.grpc?.maxMessageBytes);
    expect(http.max_request_body_size).toBe(settings.receivers.otlp?.http?.maxBodyBytes);
  });

  it('signals', () => {
    expect(Signal.all().map((signal) => signal.name)).toEqual(['traces', 'metrics', 'logs', 'profiles']);
  });
});

function millis(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s)$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new Error(`'${text}' is not a duration`);
  }
  return Number(amount) * (unit === 's' ? 1000 : 1);
}
