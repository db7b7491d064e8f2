import { Duration, Size } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { AgentConfig, type AgentConfigProps, AgentMemory } from '../../../../lib/stack/agent/index.ts';
import { Compression, FileStorageExtension, Queue, QueueSizer, Signal, Timeouts } from '../../../../lib/stack/collector/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: a configuration is read as JSON
type Json = any;

const PORTS = { grpc: 4317, http: 4318, health: 13_133, metrics: 8888 };

function agent(props: Partial<AgentConfigProps> = {}): AgentConfig {
  return new AgentConfig('test/Agent', {
    upstream: 'gateway:4317',
    listenHost: 'localhost',
    ports: PORTS,
    memory: new AgentMemory(Size.gibibytes(1)),
    ...props,
  });
}

describe('configuration of the agent', () => {
  it('holds the values that are in use today', () => {
    const config = agent().renderConfig() as Json;
    expect(config.receivers.otlp.protocols).toEqual({ grpc: { endpoint: 'localhost:4317' }, http: { endpoint: 'localhost:4318' } });
    expect(config.processors.memory_limiter).toEqual({ check_interval: '5s', limit_mib: 512, spike_limit_mib: 128 });
    expect(config.processors.resource.attributes).toEqual([
      { key: 'service.instance.id', value: `\${env:K8S_POD_NAME}`, action: 'upsert' },
    ]);
    expect(config.exporters.otlp_grpc).toEqual({
      endpoint: 'gateway:4317',
      compression: 'gzip',
      tls: { insecure: true },
      timeout: '8s',
      sending_queue: {
        enabled: true,
        num_consumers: 10,
        queue_size: 5000,
        batch: { flush_timeout: '100ms', min_size: 1024, max_size: 2048, sizer: 'items' },
      },
      retry_on_failure: { enabled: true, initial_interval: '5s', max_interval: '30s', max_elapsed_time: '300s' },
    });
    expect(Object.keys(config.service.pipelines)).toEqual(['traces', 'metrics', 'logs']);
    expect(config.service.pipelines.traces).toEqual({
      receivers: ['otlp'],
      processors: ['memory_limiter', 'resource'],
      exporters: ['otlp_grpc'],
    });
  });

  it('answers the kubelet and Prometheus on the address of the pod', () => {
    const config = agent().renderConfig() as Json;
    expect(config.extensions.health_check.endpoint).toBe(`\${env:MY_POD_IP}:13133`);
    expect(config.service.telemetry.metrics.readers[0].pull.exporter.prometheus).toEqual({ host: `\${env:MY_POD_IP}`, port: 8888 });
    expect(config.service.telemetry.logs).toEqual({ level: 'info', encoding: 'json' });
  });

  it('holds nothing that the Collector does not know, until a drain deadline is asked for', () => {
    expect(Object.keys(agent().renderConfig())).toEqual(['receivers', 'processors', 'exporters', 'extensions', 'service']);
    expect((agent({ drainDeadline: Duration.seconds(10) }).renderConfig() as Json).agent).toEqual({ drain_deadline: '10s' });
  });

  it('carries the signals that are asked for, profiles among them', () => {
    const config = agent({ signals: [Signal.PROFILES] }).renderConfig() as Json;
    expect(Object.keys(config.service.pipelines)).toEqual(['profiles']);
  });

  it('outwaits a gateway that answers when the backend has answered', () => {
    const timeouts = new Timeouts({ exporterTimeout: Duration.seconds(20) });
    expect(agent({ timeouts }).exportTimeout.toSeconds()).toBe(23);
  });

  it('merges overrides last', () => {
    const config = agent({ configOverrides: { exporters: { otlp_grpc: { timeout: '99s' } } } }).renderConfig() as Json;
    expect(config.exporters.otlp_grpc).toMatchObject({ timeout: '99s', endpoint: 'gateway:4317' });
  });
});

describe('memory of the agent', () => {
  it('leaves room for heap, telemetry and process in every size from 256 MiB on', () => {
    for (const mebibytes of [256, 512, 1024, 2048, 8192]) {
      const memory = new AgentMemory(Size.mebibytes(mebibytes));
      const heap = (mebibytes * memory.heapPercentage) / 100;
      expect(heap + memory.limit.toMebibytes() + 32).toBeLessThanOrEqual(mebibytes);
      expect(memory.softLimit.toMebibytes()).toBeLessThan(memory.limit.toMebibytes());
      expect(memory.softLimit.toMebibytes()).toBeGreaterThan(80);
    }
  });
});

describe('fails', () => {
  it('in a container that is too small for any agent', () => {
    expect(() => new AgentMemory(Size.mebibytes(160))).toThrow(/from 60 MiB on .*'limit' 80 MiB.*about 80 MiB.*\(160 MiB\)/);
  });

  it('when heap and telemetry outgrow the container, with every value', () => {
    expect(() => new AgentMemory(Size.gibibytes(1), { limit: Size.mebibytes(900) })).toThrow(
      /heap \(25 %, 256 MiB\), 'limit' \(900 MiB\).*need 1188 MiB.*has 1024 MiB/,
    );
  });

  it('when the export timeout would end before the gateway answers, with every value', () => {
    expect(() => agent({ exportTimeout: Duration.seconds(5) })).toThrow(/test\/Agent: 'timeout' \(5s\) must exceed 7200 ms.*200ms.*5s.*2s/);
  });

  it('with a queue on disk, with snappy, and with a queue that never fills', () => {
    const storage = new FileStorageExtension({ directory: '/var/lib/agent' });
    expect(() => agent({ queue: Queue.disk({ storage }) })).toThrow(/on disk, which the agent does not have yet/);
    expect(() => agent({ compression: Compression.SNAPPY })).toThrow(/'snappy', which the agent does not have/);
    const queue = Queue.memory({ sizer: QueueSizer.BYTES, queueSize: 600 * 1024 * 1024 });
    expect(() => agent({ queue })).toThrow(/'queueSize' \(600 MiB\) exceeds the 304 MiB.*\(384 MiB\)/);
  });
});
