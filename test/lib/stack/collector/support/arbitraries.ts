import { Duration, Size } from 'cdk8s';
import fc from 'fast-check';
import * as c from '../../../../../lib/stack/collector/index.ts';

/**
 * Values for every typed key, sensible and not: what a constructor refuses is thrown away by the property, what it takes the real
 * Collector must take too.
 */
export const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
export const duration = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }).map((millis) => Duration.millis(millis)),
  fc.integer({ min: 0, max: 900 }).map((seconds) => Duration.seconds(seconds)),
);
export const size = fc.integer({ min: 0, max: 4096 }).map((mebibytes) => Size.mebibytes(mebibytes));
const count = fc.oneof(fc.constantFrom(-1, 0, 1, 10, 1000, 1024, 2048, 8192), fc.integer({ min: -5, max: 100_000 }));
const key = fc.constantFrom('service.name', 'http.route', 'k8s.pod.name', 'team', 'a.b/c', 'span.name', '');
const text = fc.constantFrom('value', `\${env:K8S_POD_NAME}`, 'with "quotes" and: colon', '$$literal', '');
const address = fc.constantFrom(
  'localhost:4317',
  `\${env:MY_POD_IP}:4318`,
  '[::1]:9999',
  '0.0.0.0:0',
  'backend',
  'dns:///backend:4317',
  'http://backend:4317',
);
const url = fc.constantFrom('http://backend:4318', 'https://backend/otlp', 'backend:4318', `\${env:BACKEND_URL}`);
const words = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const labels = fc.dictionary(fc.constantFrom('tier', 'x-tenant', 'Le Label', 'cluster'), text, { maxKeys: 2 });
const sizer = words(c.QueueSizer.REQUESTS, c.QueueSizer.ITEMS, c.QueueSizer.BYTES);

const batch = fc.record(
  { flushTimeout: maybe(duration), minSize: maybe(count), maxSize: maybe(count), sizer: maybe(sizer) },
  { requiredKeys: [] },
);
const queueProps = {
  numConsumers: maybe(count),
  queueSize: maybe(count),
  sizer: maybe(sizer),
  blockOnOverflow: maybe(fc.boolean()),
  batch: maybe(batch),
};

/** Constructors run inside the property, where what they refuse is sorted out. */
type Make<T> = () => T;

export const queue: fc.Arbitrary<Make<c.Queue>> = fc.oneof(
  fc.record({ ...queueProps, waitForResult: maybe(fc.boolean()) }).map((props) => () => c.Queue.memory(props)),
  fc.record({ ...queueProps, directory: words('/var/lib/a', '/var/lib/b', 'relative') }).map(
    ({ directory, ...props }) =>
      () =>
        c.Queue.disk({ ...props, storage: storage(directory) }),
  ),
  fc.constant(() => c.Queue.disabled()),
);
export const retry: fc.Arbitrary<Make<c.Retry>> = fc.oneof(
  fc
    .record({
      initialInterval: maybe(duration),
      multiplier: maybe(fc.double({ min: -1, max: 3, noNaN: true })),
      randomizationFactor: maybe(fc.double({ min: -0.5, max: 1.5, noNaN: true })),
      maxInterval: maybe(duration),
      maxElapsedTime: maybe(duration),
    })
    .map((props) => () => c.Retry.backoff(props)),
  fc.constant(() => c.Retry.disabled()),
);
const compression = maybe(words(c.Compression.GZIP, c.Compression.ZSTD, c.Compression.SNAPPY, c.Compression.NONE));
const attributeValue: fc.Arbitrary<Make<c.AttributeValue>> = fc.oneof(
  text.map((value) => () => c.AttributeValue.text(value)),
  fc.integer().map((value) => () => c.AttributeValue.number(value)),
  fc.boolean().map((value) => () => c.AttributeValue.flag(value)),
  key.map((value) => () => c.AttributeValue.fromAttribute(value)),
  key.map((value) => () => c.AttributeValue.fromContext(`metadata.${value}`)),
);
const action: fc.Arbitrary<Make<c.AttributeAction>> = fc.oneof(
  fc.tuple(key, attributeValue).map(
    ([name, value]) =>
      () =>
        c.AttributeAction.insert(name, value()),
  ),
  fc.tuple(key, attributeValue).map(
    ([name, value]) =>
      () =>
        c.AttributeAction.update(name, value()),
  ),
  fc.tuple(key, attributeValue).map(
    ([name, value]) =>
      () =>
        c.AttributeAction.upsert(name, value()),
  ),
  key.map((name) => () => c.AttributeAction.delete(name)),
  words('^secret\\.', '.*_id$').map((pattern) => () => c.AttributeAction.deleteMatching(pattern)),
  key.map((name) => () => c.AttributeAction.hash(name)),
  fc.tuple(key, words('^/(?P<area>[^/]+)', '^/([^/]+)')).map(
    ([name, pattern]) =>
      () =>
        c.AttributeAction.extract(name, pattern),
  ),
  fc.tuple(key, words(c.AttributeType.INT, c.AttributeType.DOUBLE, c.AttributeType.STRING)).map(
    ([name, type]) =>
      () =>
        c.AttributeAction.convert(name, type),
  ),
);
const actions = fc.array(action, { maxLength: 3 }).map((makes) => () => makes.map((make) => make()));

export const receiver: fc.Arbitrary<Make<c.Receiver>> = fc.oneof(
  fc
    .record(
      {
        grpc: fc.record(
          { endpoint: address, maxRecvMsgSize: size, maxConcurrentStreams: count, includeMetadata: fc.boolean() },
          { requiredKeys: [] },
        ),
        http: fc.record(
          {
            endpoint: address,
            maxRequestBodySize: size,
            readHeaderTimeout: duration,
            writeTimeout: duration,
            idleTimeout: duration,
            corsAllowedOrigins: fc.array(url, { maxLength: 2 }),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    )
    .map((props) => () => new c.OtlpReceiver(props)),
  fc
    .array(
      fc.record({ jobName: words('a', 'b'), targets: fc.array(words('localhost:8888', 'backend:1'), { minLength: 1, maxLength: 2 }) }),
      { maxLength: 2 },
    )
    .map((jobs) => () => new c.PrometheusReceiver({ jobs })),
);

export const processor: fc.Arbitrary<Make<c.Processor>> = fc.oneof(
  fc
    .record(
      { checkInterval: duration, limit: size, spikeLimit: size, limitPercentage: count, spikeLimitPercentage: count },
      { requiredKeys: [] },
    )
    .map((props) => () => new c.MemoryLimiterProcessor(props)),
  fc
    .record({ timeout: maybe(duration), sendBatchSize: maybe(count), sendBatchMaxSize: maybe(count) })
    .map((props) => () => new c.BatchProcessor(props)),
  actions.map((make) => () => new c.ResourceProcessor({ attributes: make() })),
  actions.map((make) => () => new c.AttributesProcessor({ actions: make() })),
  fc
    .record(
      { samplingPercentage: fc.double({ min: -10, max: 110, noNaN: true }), hashSeed: maybe(count), failClosed: maybe(fc.boolean()) },
      { requiredKeys: ['samplingPercentage'] },
    )
    .map((props) => () => new c.ProbabilisticSamplerProcessor(props)),
  fc
    .record({
      decisionWait: maybe(duration),
      numTraces: maybe(count),
      policies: fc.subarray<Make<c.SamplingPolicy>>([
        () => c.SamplingPolicy.always('all'),
        () => c.SamplingPolicy.errors('errors'),
        () => c.SamplingPolicy.slowerThan('slow', Duration.seconds(1)),
        () => c.SamplingPolicy.percentage('some', 12.5),
        () => c.SamplingPolicy.rateLimit('errors', 10),
        () => c.SamplingPolicy.all('both', [c.SamplingPolicy.errors('a'), c.SamplingPolicy.percentage('b', 1)]),
      ]),
    })
    .map((props) => () => new c.TailSamplingProcessor({ ...props, policies: props.policies.map((make) => make()) })),
  fc
    .record(
      {
        errorMode: words(c.OttlErrorMode.IGNORE, c.OttlErrorMode.SILENT, c.OttlErrorMode.PROPAGATE),
        traceStatements: words<string[]>(['set(span.name, "x")'], []),
        metricStatements: words<string[]>(['set(metric.description, "")'], ['']),
        logStatements: words<string[]>(['set(log.attributes["a"], 1)'], []),
      },
      { requiredKeys: [] },
    )
    .map((props) => () => new c.TransformProcessor(props)),
  fc
    .record(
      {
        spans: words<string[]>(['attributes["a"] == "b"'], []),
        spanEvents: words<string[]>(['name == "x"'], []),
        metrics: words<string[]>(['name == "x"'], []),
        dataPoints: words<string[]>(['value_int > 1'], ['']),
        logRecords: words<string[]>(['IsMatch(body, "x")'], []),
      },
      { requiredKeys: [] },
    )
    .map((props) => () => new c.FilterProcessor(props)),
  fc
    .record(
      {
        authType: words(c.KubernetesAuth.SERVICE_ACCOUNT, c.KubernetesAuth.NONE, c.KubernetesAuth.KUBE_CONFIG),
        metadata: fc.subarray(['k8s.pod.name', 'k8s.node.uid', 'k8s.cluster.uid', 'k8s.cronjob.uid', 'k8s.no.such']),
        labels: fc.array(fc.record({ key: words('team'), from: maybe(words(c.MetadataSource.NAMESPACE, c.MetadataSource.JOB)) }), {
          maxLength: 2,
        }),
        namespace: words('shop'),
        waitForMetadata: fc.boolean(),
        waitForMetadataTimeout: duration,
        podAssociation: fc.subarray([c.PodAssociation.connection(), c.PodAssociation.resourceAttributes(['k8s.pod.uid'])]),
      },
      { requiredKeys: [] },
    )
    .map((props) => () => new c.K8sAttributesProcessor(props)),
);

export const exporter: fc.Arbitrary<Make<c.Exporter>> = fc.oneof(
  fc
    .record({
      endpoint: address,
      timeout: maybe(duration),
      compression,
      headers: maybe(labels),
      waitForReady: maybe(fc.boolean()),
      queue: maybe(queue),
      retry: maybe(retry),
    })
    .map(
      ({ queue: sending, retry: again, ...props }) =>
        () =>
          new c.OtlpGrpcExporter({ ...props, sendingQueue: sending?.(), retryOnFailure: again?.() }),
    ),
  fc
    .record({
      endpoint: maybe(url),
      logsEndpoint: maybe(url),
      encoding: maybe(words(c.OtlpEncoding.JSON, c.OtlpEncoding.PROTO)),
      compression,
      compressionLevel: maybe(words(0, 1, 6, 9, 12)),
      maxConnsPerHost: maybe(count),
      timeout: maybe(duration),
      queue: maybe(queue),
      retry: maybe(retry),
    })
    .map(
      ({ queue: sending, retry: again, ...props }) =>
        () =>
          new c.OtlpHttpExporter({ ...props, sendingQueue: sending?.(), retryOnFailure: again?.() }),
    ),
  fc
    .record({
      endpoint: address,
      namespace: maybe(words('ns', 'a.b')),
      constLabels: maybe(labels),
      metricExpiration: maybe(duration),
      enableOpenMetrics: maybe(fc.boolean()),
    })
    .map((props) => () => new c.PrometheusExporter(props)),
  fc
    .record({
      endpoint: url,
      externalLabels: maybe(labels),
      timeout: maybe(duration),
      queueSize: maybe(count),
      numConsumers: maybe(count),
      retry: maybe(retry),
    })
    .map(
      ({ retry: again, ...props }) =>
        () =>
          new c.PrometheusRemoteWriteExporter({ ...props, retryOnFailure: again?.() }),
    ),
  fc
    .record({
      verbosity: maybe(words(c.DebugVerbosity.BASIC, c.DebugVerbosity.DETAILED)),
      samplingInitial: maybe(count),
      samplingThereafter: maybe(count),
    })
    .map((props) => () => new c.DebugExporter(props)),
  fc
    .record({
      path: words('/tmp/a.json', ''),
      append: maybe(fc.boolean()),
      maxFileSize: maybe(size),
      format: maybe(words(c.OtlpEncoding.JSON, c.OtlpEncoding.PROTO)),
      flushInterval: maybe(duration),
    })
    .map((props) => () => new c.FileExporter(props)),
  fc.constant(() => new c.NopExporter()),
);

export const connector: fc.Arbitrary<Make<c.Connector>> = fc.oneof(
  fc
    .record({
      dimensions: maybe(fc.array(fc.record({ name: key, defaultValue: maybe(text) }), { maxLength: 2 })),
      unit: maybe(words(c.DurationUnit.MILLISECONDS, c.DurationUnit.SECONDS)),
      buckets: maybe(fc.array(duration, { maxLength: 4 })),
      metricsFlushInterval: maybe(duration),
      metricsExpiration: maybe(duration),
      namespace: maybe(words('spans', '')),
      exemplars: maybe(fc.boolean()),
      aggregationCardinalityLimit: maybe(count),
    })
    .map((props) => () => new c.SpanMetricsConnector(props)),
  fc.constant(() => new c.ForwardConnector()),
  fc
    .record({
      spans: maybe(
        fc.array(
          fc.record({
            name: words('one', 'two', ''),
            conditions: maybe(words<string[]>(['status.code == STATUS_CODE_ERROR'], [''])),
            attributes: maybe(words<string[]>(['a'])),
          }),
          {
            maxLength: 2,
          },
        ),
      ),
      metrics: maybe(fc.array(fc.record({ name: words('one'), attributes: maybe(words<string[]>(['a'])) }), { maxLength: 1 })),
    })
    .map((props) => () => new c.CountConnector(props)),
);

const storages = new Map<string, c.FileStorageExtension>();

/** One directory is one extension, as two of one name with different keys are refused. */
function storage(directory: string): c.FileStorageExtension {
  const made = storages.get(directory) ?? new c.FileStorageExtension({ name: directory.at(-1), directory, createDirectory: true });
  storages.set(directory, made);
  return made;
}

/** A whole configuration: any receivers and exporters, each signal that all of them can carry, one connector behind. */
export const configuration: fc.Arbitrary<Make<c.CollectorConfig>> = fc
  .record({
    receiver,
    processors: fc.array(processor, { maxLength: 3 }),
    exporter,
    connector,
    signal: words(c.Signal.TRACES, c.Signal.METRICS, c.Signal.LOGS),
    to: words(c.Signal.TRACES, c.Signal.METRICS, c.Signal.LOGS),
    connect: fc.boolean(),
    level: words(c.MetricsLevel.NONE, c.MetricsLevel.BASIC, c.MetricsLevel.DETAILED),
  })
  .map((parts) => () => {
    const behind = parts.connector();
    const out = parts.exporter();
    const first = c.Pipeline.of(parts.signal, {
      receivers: [parts.receiver()],
      processors: parts.processors.map((make) => make()),
      exporters: parts.connect ? [out, behind] : [out],
    });
    const second = c.Pipeline.of(parts.to, { name: 'behind', receivers: [behind], exporters: [new c.NopExporter({ name: 'end' })] });
    return new c.CollectorConfig({
      pipelines: parts.connect ? [first, second] : [first],
      telemetry: new c.ServiceTelemetry({ metricsLevel: parts.level }),
    });
  });
