import { Duration, Size } from 'cdk8s';
import * as c from '../../../../../lib/stack/collector/index.ts';

/** One pipeline set that holds every typed component of the reference stack, with many of its keys set. */
export function everyComponent(version?: string): c.CollectorConfig {
  const otlp = new c.OtlpReceiver({
    grpc: {
      endpoint: `\${env:MY_POD_IP}:4317`,
      maxRecvMsgSize: Size.mebibytes(64),
      maxConcurrentStreams: 100,
      keepalive: {
        maxConnectionAge: Duration.minutes(5),
        maxConnectionAgeGrace: Duration.seconds(30),
        enforcementMinTime: Duration.seconds(10),
      },
      includeMetadata: true,
    },
    http: {
      endpoint: `\${env:MY_POD_IP}:4318`,
      maxRequestBodySize: Size.mebibytes(64),
      readHeaderTimeout: Duration.seconds(20),
      writeTimeout: Duration.seconds(40),
      idleTimeout: Duration.seconds(90),
      corsAllowedOrigins: ['https://*.example.com'],
    },
  });
  const scraped = new c.PrometheusReceiver({
    jobs: [{ jobName: 'self', targets: ['localhost:8888'], scrapeInterval: Duration.seconds(15), metricsPath: '/metrics' }],
  });
  const limiter = new c.MemoryLimiterProcessor({ limit: Size.mebibytes(1500), spikeLimit: Size.mebibytes(300) });
  const k8s = new c.K8sAttributesProcessor({
    metadata: ['k8s.pod.name', 'k8s.namespace.name', 'k8s.deployment.name', 'k8s.node.name'],
    labels: [{ key: 'app.kubernetes.io/version', tagName: 'service.version' }],
    annotations: [{ key: 'team', from: c.MetadataSource.NAMESPACE }],
    podAssociation: [c.PodAssociation.resourceAttributes(['k8s.pod.name', 'k8s.namespace.name']), c.PodAssociation.connection()],
    waitForMetadata: true,
    waitForMetadataTimeout: Duration.seconds(30),
  });
  const resource = new c.ResourceProcessor({
    attributes: [
      c.AttributeAction.upsert('k8s.cluster.name', c.AttributeValue.text('prod')),
      c.AttributeAction.insert('copied', c.AttributeValue.fromAttribute('service.name')),
      c.AttributeAction.delete('process.command_args'),
    ],
  });
  const attributes = new c.AttributesProcessor({
    actions: [
      c.AttributeAction.hash('user.email'),
      c.AttributeAction.convert('http.status_code', c.AttributeType.INT),
      c.AttributeAction.extract('url.path', '^/(?P<area>[^/]+)/'),
      c.AttributeAction.update('tenant', c.AttributeValue.fromContext('metadata.x-tenant')),
      c.AttributeAction.deleteMatching('^secret\\.'),
      c.AttributeAction.insert('sampled', c.AttributeValue.flag(true)),
      c.AttributeAction.insert('weight', c.AttributeValue.number(2)),
    ],
  });
  const transform = new c.TransformProcessor({
    traceStatements: ['set(span.attributes["team"], resource.attributes["team"])'],
    metricStatements: ['set(metric.description, "") where metric.name == "noise"'],
    logStatements: ['set(log.attributes["seen"], true)'],
  });
  const filter = new c.FilterProcessor({
    spans: ['attributes["http.route"] == "/health/live"'],
    dataPoints: ['attributes["drop"] == true'],
    logRecords: ['severity_number < SEVERITY_NUMBER_INFO'],
  });
  const sampler = new c.ProbabilisticSamplerProcessor({ samplingPercentage: 25, hashSeed: 22, failClosed: false });
  const tail = new c.TailSamplingProcessor({
    decisionWait: Duration.seconds(10),
    numTraces: 1000,
    policies: [
      c.SamplingPolicy.errors('errors'),
      c.SamplingPolicy.slowerThan('slow', Duration.millis(750)),
      c.SamplingPolicy.all('some-shop', [
        c.SamplingPolicy.attribute('shop', 'service.name', ['shop']),
        c.SamplingPolicy.percentage('tenth', 10),
      ]),
      c.SamplingPolicy.condition('big', ['attributes["size"] > 10']),
      c.SamplingPolicy.rateLimit('some', 100),
    ],
  });
  const batch = new c.BatchProcessor({ timeout: Duration.millis(100), sendBatchSize: 1024, sendBatchMaxSize: 2048 });
  const spanMetrics = new c.SpanMetricsConnector({
    dimensions: [{ name: 'http.route', defaultValue: 'unknown' }, { name: 'k8s.namespace.name' }],
    excludeDimensions: ['span.kind'],
    unit: c.DurationUnit.SECONDS,
    buckets: [1, 5, 10, 50, 100, 500, 1000, 5000].map((millis) => Duration.millis(millis)),
    metricsFlushInterval: Duration.seconds(15),
    metricsExpiration: Duration.minutes(5),
    exemplars: true,
    aggregationCardinalityLimit: 10_000,
  });
  const forward = new c.ForwardConnector({ name: 'sampled' });
  const count = new c.CountConnector({
    spans: [
      {
        name: 'errors.count',
        description: 'Spans with an error',
        conditions: ['status.code == STATUS_CODE_ERROR'],
        attributes: ['http.route'],
      },
    ],
  });
  const storage = new c.FileStorageExtension({
    directory: '/var/lib/otelcol',
    timeout: Duration.seconds(2),
    fsync: true,
    createDirectory: true,
  });
  const jaeger = new c.OtlpGrpcExporter({
    name: 'jaeger',
    endpoint: 'jaeger.observability.svc.cluster.local:4317',
    compression: c.Compression.ZSTD,
    keepalive: { time: Duration.seconds(30), timeout: Duration.seconds(10), permitWithoutStream: true },
    headers: { 'x-tenant': 'one' },
    balancerName: 'round_robin',
    waitForReady: true,
    timeout: Duration.seconds(5),
    sendingQueue: c.Queue.memory({
      numConsumers: 10,
      queueSize: 64 * 1024 * 1024,
      sizer: c.QueueSizer.BYTES,
      blockOnOverflow: true,
      waitForResult: true,
      batch: { flushTimeout: Duration.millis(200), minSize: 8192, maxSize: 16_384, sizer: c.QueueSizer.ITEMS },
    }),
    retryOnFailure: c.Retry.disabled(),
  });
  const loki = new c.OtlpHttpExporter({
    name: 'loki',
    logsEndpoint: 'http://loki:3100/otlp/v1/logs',
    compression: c.Compression.GZIP,
    compressionLevel: 1,
    encoding: c.OtlpEncoding.JSON,
    headers: { 'X-Scope-OrgID': 'one' },
    maxConnsPerHost: 10,
    sendingQueue: c.Queue.disk({ storage, queueSize: 5000 }),
    retryOnFailure: c.Retry.backoff({
      initialInterval: Duration.seconds(1),
      maxInterval: Duration.seconds(10),
      maxElapsedTime: Duration.seconds(0),
    }),
  });
  const prometheus = new c.PrometheusExporter({
    endpoint: `\${env:MY_POD_IP}:8889`,
    namespace: 'gw',
    constLabels: { tier: 'gateway' },
    sendTimestamps: true,
    metricExpiration: Duration.minutes(10),
    enableOpenMetrics: true,
    resourceToTelemetryConversion: true,
  });
  const remote = new c.PrometheusRemoteWriteExporter({
    endpoint: 'http://prometheus:9090/api/v1/write',
    externalLabels: { cluster: 'prod' },
    queueSize: 500,
    numConsumers: 2,
    retryOnFailure: c.Retry.disabled(),
  });
  const file = new c.FileExporter({ path: '/tmp/otlp.json', maxFileSize: Size.mebibytes(10), flushInterval: Duration.seconds(2) });
  const debug = new c.DebugExporter({ verbosity: c.DebugVerbosity.DETAILED, samplingInitial: 5, samplingThereafter: 100 });
  return new c.CollectorConfig({
    version,
    pipelines: [
      c.Pipeline.traces({
        receivers: [otlp],
        processors: [limiter, k8s, resource, attributes, transform, filter, sampler],
        exporters: [spanMetrics, forward, count],
      }),
      c.Pipeline.traces({ name: 'sampled', receivers: [forward], processors: [tail, batch], exporters: [jaeger, debug] }),
      c.Pipeline.metrics({ receivers: [otlp, scraped], processors: [limiter, k8s, transform], exporters: [remote] }),
      c.Pipeline.metrics({ name: 'derived', receivers: [spanMetrics, count], exporters: [prometheus] }),
      c.Pipeline.logs({ receivers: [otlp], processors: [limiter, k8s, filter], exporters: [loki, file, new c.NopExporter()] }),
    ],
    extensions: [
      new c.HealthCheckExtension({ endpoint: `\${env:MY_POD_IP}:13133`, path: '/health' }),
      new c.PprofExtension(),
      new c.ZpagesExtension(),
    ],
    telemetry: new c.ServiceTelemetry({
      metricsLevel: c.MetricsLevel.DETAILED,
      logLevel: c.LogLevel.WARN,
      resource: { 'service.name': 'gateway' },
    }),
  });
}
