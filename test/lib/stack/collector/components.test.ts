import { Duration, Size } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import * as c from '../../../../lib/stack/collector/index.ts';

const SPELLING = c.Spelling.of(c.COLLECTOR_VERSION);

describe('defaults of typed components', () => {
  it('are left to the program, save what must be said', () => {
    expect(new c.OtlpReceiver()._render()).toMatchObject({
      protocols: { grpc: { endpoint: 'localhost:4317' }, http: { endpoint: 'localhost:4318' } },
    });
    expect(new c.MemoryLimiterProcessor({ limit: Size.mebibytes(10) })._render()).toMatchObject({ check_interval: '1s', limit_mib: 10 });
    expect(new c.HealthCheckExtension()._render()).toMatchObject({ endpoint: 'localhost:13133' });
    expect(new c.PprofExtension()._render()).toEqual({ endpoint: 'localhost:1777' });
    expect(new c.ZpagesExtension()._render()).toEqual({ endpoint: 'localhost:55679' });
    expect(new c.ServiceTelemetry()._render()).toMatchObject({
      metrics: { level: 'normal', readers: [{ pull: { exporter: { prometheus: { host: `\${env:MY_POD_IP}`, port: 8888 } } } }] },
      logs: { level: 'info', encoding: 'json' },
    });
  });

  it('documented numbers', () => {
    expect(new c.OtlpGrpcExporter({ endpoint: 'a:1' }).timeout.toSeconds()).toBe(5);
    expect(new c.OtlpHttpExporter({ endpoint: 'http://a' }).timeout.toSeconds()).toBe(30);
    expect(new c.PrometheusRemoteWriteExporter({ endpoint: 'http://a' }).timeout.toSeconds()).toBe(5);
    expect(new c.ElasticsearchExporter({ endpoints: ['http://a'] }).timeout.toSeconds()).toBe(90);
    expect(new c.SpanMetricsConnector().flushInterval.toSeconds()).toBe(60);
    expect(c.Queue.memory({ batch: {} }).flushTimeout.toMilliseconds()).toBe(200);
    expect(c.Queue.disk().volumeSize.toGibibytes()).toBe(10);
    const timeouts = new c.Timeouts();
    expect([timeouts.flushTimeout, timeouts.exporterTimeout, timeouts.margin].map((one) => one.toMilliseconds())).toEqual([
      200, 5000, 2000,
    ]);
  });

  it('durations carry their unit and fixed numbers none', () => {
    const queue = c.Queue.memory({ batch: { flushTimeout: Duration.millis(1500) } });
    expect(new c.OtlpGrpcExporter({ endpoint: 'a:1', sendingQueue: queue, timeout: Duration.minutes(1) })._render(SPELLING)).toMatchObject({
      timeout: '60s',
      sending_queue: { batch: { flush_timeout: '1500ms' } },
    });
  });

  it('only debug and nop are no destination', () => {
    const exporters = [
      new c.OtlpGrpcExporter({ endpoint: 'a:1' }),
      new c.FileExporter({ path: '/a' }),
      new c.PrometheusExporter({ endpoint: 'a:1' }),
      new c.DebugExporter(),
      new c.NopExporter(),
    ];
    expect(exporters.map((exporter) => exporter.isProductionDestination)).toEqual([true, true, true, false, false]);
  });
});

describe('what k8s_attributes must be allowed', () => {
  const resources = (props: c.K8sAttributesProps, version = '0.155.0'): string[] =>
    new c.K8sAttributesProcessor(props).apiAccess(version).map((access) => access.resource);

  it('follows from what it reads', () => {
    expect(resources({})).toEqual(['pods']);
    expect(resources({ metadata: ['k8s.pod.name', 'k8s.deployment.name'] })).toEqual(['pods']);
    expect(resources({ metadata: ['k8s.cluster.uid', 'k8s.node.uid', 'k8s.deployment.uid'] })).toEqual([
      'pods',
      'namespaces',
      'nodes',
      'replicasets',
    ]);
    expect(resources({ labels: [{ key: 'team', from: c.MetadataSource.DEPLOYMENT }] })).toEqual(['pods', 'replicasets', 'deployments']);
    expect(resources({ metadata: ['k8s.cronjob.uid'] })).toEqual(['pods', 'jobs']);
    expect(resources({ authType: c.KubernetesAuth.KUBE_CONFIG })).toEqual([]);
  });

  it('includes ReplicaSets where an older version reads the Deployment from them', () => {
    expect(resources({}, '0.140.0')).toEqual(['pods', 'replicasets']);
  });
});

describe('timeouts', () => {
  it('derive an agent timeout that exceeds flush, export and margin', () => {
    for (const exporterTimeout of [1, 999, 1000, 1800, 4999, 60_000].map((millis) => Duration.millis(millis))) {
      const timeouts = new c.Timeouts({ exporterTimeout });
      expect(timeouts.agentTimeout.toMilliseconds()).toBeGreaterThan(200 + exporterTimeout.toMilliseconds() + 2000);
      expect(timeouts.receiverWriteTimeout.toSeconds()).toBeGreaterThanOrEqual(timeouts.agentTimeout.toSeconds());
      expect(() => timeouts.checkAgent('agent', timeouts.agentTimeout)).not.toThrow();
    }
  });
});

describe('memory of a Collector', () => {
  it('is ordered: container > GOMEMLIMIT > hard > soft', () => {
    for (const mebibytes of [256, 1000, 8192]) {
      const memory = new c.CollectorMemory(Size.mebibytes(mebibytes));
      expect(memory.goMemLimit).toBe(`${Math.floor(mebibytes * 0.8)}MiB`);
      const marks = [mebibytes, memory.goMemoryLimit.toMebibytes(), memory.limit.toMebibytes(), memory.softLimit.toMebibytes(), 0];
      expect([...marks].sort((a, b) => b - a)).toEqual(marks);
      expect(new Set(marks).size).toBe(5);
    }
  });
});

describe('fails', () => {
  const cases: [string, () => unknown, RegExp][] = [
    [
      'a spike as large as the limit',
      () => limiter({ limit: mib(10), spikeLimit: mib(10) }),
      /'spikeLimit' \(10Mi\S*\) must be below 'limit' \(10Mi\S*\)/,
    ],
    ['no limit', () => limiter({}), /neither of 'limit' and 'limitPercentage'/],
    ['two limits', () => limiter({ limit: mib(10), limitPercentage: 50 }), /both of 'limit' and 'limitPercentage'/],
    ['mixed limits', () => limiter({ limit: mib(10), spikeLimitPercentage: 5 }), /both be sizes or both percentages/],
    ['a percentage above 100', () => limiter({ limitPercentage: 101 }), /'limitPercentage' must be between 1 and 100, got 101/],
    [
      'a limiter above GOMEMLIMIT',
      () => new c.CollectorMemory(mib(100), { limitPercentage: 90 }),
      /'limitPercentage' \(90 %\).*'goMemoryPercentage' \(80 %\)/,
    ],
    ['two protocols on one port', () => new c.OtlpReceiver({ grpc: { endpoint: 'a:1' }, http: { endpoint: 'a:1' } }), /both 'a:1'/],
    ['an address without a port', () => new c.OtlpReceiver({ grpc: { endpoint: 'localhost' } }), /HOST:PORT, got 'localhost'/],
    [
      'a URL without a scheme',
      () => new c.OtlpHttpExporter({ endpoint: 'loki:3100' }),
      /'endpoint' must be a URL.*write 'http:\/\/loki:3100'/,
    ],
    [
      'a max_size below min_size',
      () => c.Queue.memory({ batch: { minSize: 100, maxSize: 50 } }),
      /'max_size' \(50\) must not be below 'min_size' \(100\)/,
    ],
    [
      'a batch that never fills',
      () => c.Queue.memory({ sizer: c.QueueSizer.ITEMS, queueSize: 100, batch: { minSize: 200 } }),
      /'batch.min_size' \(200 items\) must not exceed 'queue_size' \(100 items\)/,
    ],
    ['a batch of requests', () => c.Queue.memory({ batch: { sizer: c.QueueSizer.REQUESTS } }), /'requests' is not possible/],
    [
      'an interval beyond the total',
      () => c.Retry.backoff({ maxElapsedTime: Duration.seconds(10) }),
      /'max_interval' \(30s\) must not exceed 'max_elapsed_time' \(10s\)/,
    ],
    [
      'a disk queue without storage',
      () => new c.OtlpGrpcExporter({ endpoint: 'a:1', sendingQueue: c.Queue.disk() })._render(SPELLING),
      /exporters.otlp_grpc: a queue on disk needs a 'file_storage' extension/,
    ],
    [
      'a literal password',
      () => new c.ElasticsearchExporter({ endpoints: ['http://a'], user: 'u', password: 'p' }),
      /literal value, which would be printed/,
    ],
    [
      'unknown metadata',
      () => new c.K8sAttributesProcessor({ metadata: ['k8s.pod.nam'] }),
      /'k8s.pod.nam', which the processor does not know; it knows .*k8s.pod.name/,
    ],
    ['nodes in one namespace', () => new c.K8sAttributesProcessor({ namespace: 'a', metadata: ['k8s.node.uid'] }), /exclude each other/],
    [
      'a dimension that is always there',
      () => new c.SpanMetricsConnector({ dimensions: [{ name: 'span.name' }] }),
      /'span.name' is always there/,
    ],
    [
      'unsorted buckets',
      () => new c.SpanMetricsConnector({ buckets: [Duration.millis(5), Duration.millis(2)] }),
      /\(2 ms\) must be above the one before it \(5 ms\)/,
    ],
    ['no policy', () => new c.TailSamplingProcessor({ policies: [] }), /every trace would be dropped/],
    ['append with rotation', () => new c.FileExporter({ path: '/a', append: true, maxFileSize: mib(1) }), /exclude each other/],
    [
      'a level for zstd',
      () => new c.OtlpHttpExporter({ endpoint: 'http://a', compression: c.Compression.ZSTD, compressionLevel: 3 }),
      /belongs to gzip, 'compression' is 'zstd'/,
    ],
    ['an extract without groups', () => c.AttributeAction.extract('a', '^(.*)$'), /no named group/],
    ['a margin of nothing', () => new c.Timeouts({ margin: Duration.seconds(0) }), /'margin' \(0s\) must be positive/],
    ['a name with a slash', () => new c.DebugExporter({ name: 'a/b' }), /'name' must consist of/],
    ['a type that is none', () => c.Exporter.custom('1st'), /type '1st' must start with a letter/],
  ];
  for (const [title, make, message] of cases) {
    it(`on ${title}`, () => {
      expect(make).toThrow(message);
    });
  }
});

function limiter(props: c.MemoryLimiterProps): c.MemoryLimiterProcessor {
  return new c.MemoryLimiterProcessor(props);
}

function mib(amount: number): Size {
  return Size.mebibytes(amount);
}
