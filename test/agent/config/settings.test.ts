import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import type { ExporterSettings, OtlpGrpcExporterSettings, OtlpHttpExporterSettings } from '../../../agent/config/settings.ts';
import { loadYaml, MINIMAL } from '../support/config.ts';
import { CORPUS_ENVIRONMENT, corpus } from '../support/mutations.ts';

const MIB = 1024 * 1024;

function settings(sets: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  return loadYaml(MINIMAL, { sets, environment, totalMemoryBytes: 1000 * MIB }).settings;
}

function exporter<T extends ExporterSettings>(sets: readonly string[], id = 'otlp_grpc'): T {
  return settings(sets).exporters[id] as T;
}

describe('settings of the smallest configuration', () => {
  it('has every default of the receiver', () => {
    const { otlp } = settings(['receivers.otlp.protocols={grpc: null, http: null}']).receivers;
    expect(otlp).toEqual({
      id: 'otlp',
      grpc: {
        address: { kind: 'tcp', host: 'localhost', port: 4317 },
        maxMessageBytes: 64 * MIB,
        maxConcurrentStreams: 1000,
        keepalive: {
          maxConnectionIdleMs: 0,
          maxConnectionAgeMs: 0,
          maxConnectionAgeGraceMs: 0,
          timeMs: 7_200_000,
          timeoutMs: 20_000,
          minPingIntervalMs: 300_000,
          permitWithoutStream: false,
        },
        includeMetadata: false,
        handshakeTimeoutMs: 20_000,
        codec: 'own',
        limits: { maxConnections: 4096, bodyIdleMs: 60_000, minBodyRate: 16_384, writeTimeoutMs: 30_000 },
      },
      http: {
        address: { kind: 'tcp', host: 'localhost', port: 4318 },
        maxBodyBytes: 64 * MIB,
        readHeaderTimeoutMs: 60_000,
        readTimeoutMs: 0,
        idleTimeoutMs: 60_000,
        paths: { traces: '/v1/traces', metrics: '/v1/metrics', logs: '/v1/logs', profiles: '/v1development/profiles' },
        compressionAlgorithms: ['gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'x-snappy-framed', 'br'],
        responseHeaders: {},
        keepAlives: true,
        http1Codec: 'own',
        includeMetadata: false,
        limits: { maxConnections: 4096, bodyIdleMs: 60_000, minBodyRate: 16_384, writeTimeoutMs: 30_000 },
      },
    });
  });

  it('has every default of otlp_grpc with its queue and retries', () => {
    expect(exporter([])).toEqual({
      kind: 'otlp_grpc',
      id: 'otlp_grpc',
      address: { kind: 'tcp', host: 'gateway', port: 4317 },
      authority: 'gateway:4317',
      compression: 'gzip',
      http2Codec: 'own',
      headers: {},
      timeoutMs: 5000,
      queue: { enabled: true, consumers: 10, capacity: 1000, sizer: 'requests', overflow: 'refuse', waitForResult: false },
      retry: {
        enabled: true,
        initialIntervalMs: 5000,
        randomizationFactor: 0.5,
        multiplier: 1.5,
        maxIntervalMs: 30_000,
        maxElapsedMs: 300_000,
      },
      connections: { max: 100, idleTimeoutMs: 30_000 },
      balance: {
        balancer: 'round_robin',
        health: { type: 'grpc', intervalMs: 10_000, timeoutMs: 5000, ejectAfter: 3, returnAfterMs: 30_000, slowStartMs: 30_000 },
        resolver: { kind: 'dns', hostname: 'gateway', port: 4317, intervalMs: 4000, timeoutMs: 2000, type: 'a', servers: [] },
      },
    });
  });

  it('has every default of otlp_http', () => {
    const sets = ['exporters.otlp_http.endpoint=http://gw:4318', 'service.pipelines.traces.exporters=[otlp_http]'];
    expect(exporter<OtlpHttpExporterSettings>(sets, 'otlp_http')).toMatchObject({
      kind: 'otlp_http',
      urls: {
        traces: 'http://gw:4318/v1/traces',
        metrics: 'http://gw:4318/v1/metrics',
        logs: 'http://gw:4318/v1/logs',
        profiles: 'http://gw:4318/v1development/profiles',
      },
      compression: 'gzip',
      timeoutMs: 30_000,
      maxConnections: 0,
      idleConnectionTimeoutMs: 90_000,
      http1Codec: 'own',
    });
    const other = exporter<OtlpHttpExporterSettings>([...sets, 'exporters.otlp_http.http1_codec=undici'], 'otlp_http');
    expect(other.http1Codec).toBe('undici');
  });

  it('has the defaults of debug, health_check, telemetry and the process', () => {
    const found = settings([
      'exporters.debug=',
      'service.pipelines.traces.exporters=[debug]',
      'extensions.health_check=',
      'service.extensions=[health_check]',
    ]);
    expect(found.exporters.debug).toMatchObject({
      kind: 'debug',
      verbosity: 'basic',
      queue: { enabled: false, waitForResult: true },
      retry: { enabled: false },
    });
    expect(found.extensions).toEqual([
      { kind: 'health_check', id: 'health_check', address: { kind: 'tcp', host: 'localhost', port: 13133 }, path: '/' },
    ]);
    expect(found.telemetry).toEqual({
      metrics: { address: { kind: 'tcp', host: 'localhost', port: 8888 } },
      logs: { level: 'info', encoding: 'json' },
      resource: {},
    });
    expect(found.agent).toEqual({
      drainDeadlineMs: 25_000,
      reloadIntervalMs: 2000,
      workers: 1,
      thresholds: { cpu: 0.8, memory: 0.85, io: 0.9 },
    });
  });

  it('has the defaults of batch in sending_queue, also where the key is empty', () => {
    const expected = { flushTimeoutMs: 200, minSize: 8192, maxSize: 0, sizer: 'items' };
    expect(exporter(['exporters.otlp_grpc.sending_queue.batch=']).queue.batch).toEqual(expected);
    expect(exporter(['exporters.otlp_grpc.sending_queue.batch={}']).queue.batch).toEqual(expected);
    expect(exporter([]).queue.batch).toBeUndefined();
  });
});

describe('the guide', () => {
  it('loads unchanged', () => {
    const [guide] = corpus().filter(({ name }) => name === 'guide-agent.yaml');
    const { settings: found, notices } = load({ configs: [guide?.path ?? ''], environment: CORPUS_ENVIRONMENT });
    expect(found.pipelines.map(({ id, processors, exporters }) => ({ id, processors, exporters }))).toEqual(
      ['traces', 'metrics', 'logs'].map((id) => ({ id, processors: ['memory_limiter', 'resource'], exporters: ['otlp'] })),
    );
    expect(found.pipelines.map(({ batch }) => batch)).toEqual(
      Array(3).fill({ flushTimeoutMs: 100, minSize: 1024, maxSize: 2048, sizer: 'items' }),
    );
    expect(found.processors.resource).toEqual({
      kind: 'resource',
      id: 'resource',
      actions: [{ action: 'upsert', key: 'service.instance.id', value: 'pod-1' }],
    });
    expect(found.processors.memory_limiter).toMatchObject({ checkIntervalMs: 5000, limitBytes: 512 * MIB, spikeBytes: 128 * MIB });
    expect(notices.map(({ message }) => message)).toEqual([
      '"otlp" is an older name of otlp_grpc',
      'runs as sending_queue.batch of the exporters of its pipelines; the Collector deprecated the processor in 0.160',
    ]);
  });

  it.each(corpus().map(({ name, path }) => [name, path]))('of the corpus loads too: %s', (_name, path) => {
    expect(() => load({ configs: [path], environment: CORPUS_ENVIRONMENT })).not.toThrow();
  });
});

describe('values', () => {
  it('of a later --config and of --set win; maps are joined, lists replaced', () => {
    const site = 'yaml:{exporters: {otlp_grpc: {timeout: 3s, headers: {a: x}}}, service: {pipelines: {traces: {exporters: [otlp_grpc]}}}}';
    const { settings: found } = load({
      configs: [`yaml:${MINIMAL}`, site],
      sets: ['exporters.otlp_grpc.headers.B=y', 'exporters::otlp_grpc::timeout=4s'],
      environment: {},
    });
    expect(found.exporters.otlp_grpc).toMatchObject({ timeoutMs: 4000, headers: { a: 'x', b: 'y' }, address: { host: 'gateway' } });
  });

  it('of variables have the type that their key wants', () => {
    const sets = [
      'exporters.otlp_grpc.headers.tenant=${env:N}',
      'exporters.otlp_grpc.sending_queue.queue_size=${env:N}',
      'exporters.otlp_grpc.timeout=${env:T:-9s}',
      'processors.resource.attributes=[{key: n, value: "${env:N}", action: upsert}, {key: t, value: "x${env:N}", action: insert}]',
      'service.pipelines.traces.processors=[resource]',
    ];
    const found = settings(sets, { N: '042' });
    expect(found.exporters.otlp_grpc).toMatchObject({ headers: { tenant: '042' }, queue: { capacity: 34 }, timeoutMs: 9000 });
    expect(found.processors.resource).toMatchObject({ actions: [{ value: 34n }, { value: 'x042' }] });
  });

  it('of memory limits are bytes; percentages are of the memory there is', () => {
    const limiter = (text: string) =>
      settings([`processors.memory_limiter=${text}`, 'service.pipelines.traces.processors=[memory_limiter]']).processors.memory_limiter;
    expect(limiter('{limit_percentage: 80}')).toMatchObject({
      checkIntervalMs: 1000,
      minGcIntervalSoftMs: 10_000,
      minGcIntervalHardMs: 0,
      limitBytes: 800 * MIB,
      spikeBytes: 160 * MIB,
    });
    expect(limiter('{limit_percentage: 50, spike_limit_percentage: 25}')).toMatchObject({ limitBytes: 500 * MIB, spikeBytes: 250 * MIB });
    expect(limiter('{limit_mib: 100, limit_percentage: 80}')).toMatchObject({ limitBytes: 100 * MIB, spikeBytes: 20 * MIB });
  });

  it.each([
    ['^internal\\.', 'internal.x', 'internalx'],
    ['(?i)^SECRET', 'secret.key', 'my.secret'],
    ['k8s\\-(?P<rest>.+)', 'k8s-pod', 'k8s'],
  ])('of patterns are regular expressions of Go: %s', (pattern, matching, other) => {
    const sets = [
      `processors.resource.attributes=[{pattern: '${pattern}', action: delete}]`,
      'service.pipelines.traces.processors=[resource]',
    ];
    const { resource } = settings(sets).processors;
    const expression = resource?.kind === 'resource' ? resource.actions[0]?.pattern : undefined;
    expect([expression?.test(matching), expression?.test(other)]).toEqual([true, false]);
  });

  it('of timers fit into an int32, and a timeout of 0 waits as long as that', () => {
    const longest = 2 ** 31 - 1;
    expect(exporter(['exporters.otlp_grpc.timeout=0']).timeoutMs).toBe(longest);
    expect(exporter(['exporters.otlp_grpc.timeout=']).timeoutMs).toBe(longest);
    expect(exporter(['exporters.otlp_grpc.timeout=1000h']).timeoutMs).toBe(longest);
    expect(exporter(['exporters.otlp_grpc.retry_on_failure={max_interval: 1000h, max_elapsed_time: 0}']).retry).toMatchObject({
      maxIntervalMs: longest,
      maxElapsedMs: 0,
    });
  });

  it.each([
    ['block_on_overflow: true', 'block'],
    ['on_overflow: drop_oldest', 'drop_oldest'],
    ['block_on_overflow: true, on_overflow: refuse', 'refuse'],
  ])('of a full queue: %s', (text, overflow) => {
    expect(exporter([`exporters.otlp_grpc.sending_queue={${text}}`]).queue.overflow).toBe(overflow);
  });

  it.each([
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }, 'localhost'],
    ['dns:///headless:4317', { kind: 'tcp', host: 'headless', port: 4317 }, 'headless:4317'],
    ['"[::1]:4317"', { kind: 'tcp', host: '::1', port: 4317 }, '[::1]:4317'],
  ])('of the endpoint %s', (endpoint, address, authority) => {
    expect(exporter<OtlpGrpcExporterSettings>([`exporters.otlp_grpc.endpoint=${endpoint}`])).toMatchObject({ address, authority });
  });

  it('of a batch processor go to its pipeline, and the sizer of the queue to its batches', () => {
    const found = settings(['processors.batch={timeout: 1s, send_batch_size: 10}', 'service.pipelines.traces.processors=[batch]']);
    expect(found.pipelines[0]).toMatchObject({ processors: [], batch: { flushTimeoutMs: 1000, minSize: 10, maxSize: 0, sizer: 'items' } });
    expect(found.processors).toEqual({});
    expect(exporter(['exporters.otlp_grpc.sending_queue={sizer: bytes, queue_size: 10000, batch: {}}']).queue.batch?.sizer).toBe('bytes');
  });

  it('of the codecs of the receiver: ours, or those of Node.js', () => {
    const { otlp } = settings(['receivers.otlp.protocols={grpc: {http2_codec: node}, http: {http1_codec: node}}']).receivers;
    expect(otlp).toMatchObject({ grpc: { codec: 'node' }, http: { http1Codec: 'node' } });
  });

  it('of our own section', () => {
    expect(settings(['agent={drain_deadline: 10s, memory_limit_mib: 64}']).agent).toEqual({
      workers: 1,
      drainDeadlineMs: 10_000,
      reloadIntervalMs: 2000,
      thresholds: { cpu: 0.8, memory: 0.85, io: 0.9 },
      memoryLimitBytes: 64 * MIB,
    });
  });
});

describe('notices', () => {
  const notices = (sets: readonly string[]) =>
    loadYaml(MINIMAL, { sets }).notices.map(({ path, message }) => `${path.join('.')}: ${message}`);

  it('name keys without effect, empty numbers, bare nanoseconds, unset variables and what nothing uses', () => {
    expect(notices(['exporters.otlp_grpc.wait_for_ready=true'])).toEqual([
      expect.stringContaining('exporters.otlp_grpc.wait_for_ready: has no effect: '),
    ]);
    expect(notices(['exporters.otlp_grpc.timeout='])).toEqual([
      'exporters.otlp_grpc.timeout: is empty, which reads as 0 and not as the default (5s), as in the Collector',
    ]);
    expect(notices(['exporters.otlp_grpc.timeout=500'])).toEqual([expect.stringContaining('500 has no unit, so it is nanoseconds')]);
    expect(notices(['exporters.otlp_grpc.authority=${NOWHERE}'])).toEqual([
      expect.stringContaining('the environment variable NOWHERE is not set'),
    ]);
    expect(notices(['exporters.debug='])).toEqual(['exporters.debug: no pipeline uses it']);
    expect(notices(['extensions.health_check='])).toEqual(['extensions.health_check: is not started: service.extensions does not list it']);
    expect(notices([])).toEqual([]);
  });
});

it('the guide in the corpus is the one that people run', () => {
  const [guide] = corpus().filter(({ name }) => name === 'guide-agent.yaml');
  expect(readFileSync(guide?.path ?? '', 'utf8')).toContain('otel-collector.observability.svc.cluster.local:4317');
});
