/**
 * What test/bench/agent-components.mjs measures: each component alone on the plain line (grpc in, memory queue, batches of 8192 spans or
 * 100 ms, otlp_grpc out without compression). `of` is the component as the configuration reference names it, `what` its configuration
 * in words, the rest is the part of the configuration that differs from the plain line.
 */
const processor = (of, what, config) => ({ of: `processors.${of}`, what, processors: { [of]: config } });
const exporter = (of, what, config) => ({ of: `exporters.${of}`, what, exporters: { [of]: config } });

const QUEUE = {
  queue_size: 5000,
  block_on_overflow: true,
  batch: { min_size: 8192, flush_timeout: '100ms' },
};

/** `grpc` and `http` are the ports of the sinks, `folder` one for files. */
export function components({ grpc, http, folder }) {
  const toGrpc = (more = {}) => ({
    endpoint: `127.0.0.1:${grpc}`,
    tls: { insecure: true },
    compression: 'none',
    sending_queue: QUEUE,
    ...more,
  });
  const toHttp = (more = {}) => ({ endpoint: `http://127.0.0.1:${http}`, compression: 'none', sending_queue: QUEUE, ...more });
  const counted = (what, config) => ({
    of: 'connectors.count',
    what,
    connectors: { count: config },
    pipelines: {
      traces: { receivers: ['otlp'], exporters: ['otlp_grpc', 'count'] },
      metrics: { receivers: ['count'], exporters: ['otlp_grpc'] },
    },
  });
  const sampler = (mode, percentage) => ({ mode, sampling_percentage: percentage });
  return {
    plain: toGrpc(),
    variants: [
      processor('memory_limiter', 'a limit that is never reached', { limit_mib: 2000 }),
      processor('batch', 'the same batches as the queue makes', { timeout: '100ms' }),
      processor('resource', 'upsert of one attribute', { attributes: [{ key: 'k8s.cluster.name', value: 'a', action: 'upsert' }] }),
      processor('resource_detection', 'env and system', { detectors: ['env', 'system'] }),
      processor('attributes', 'upsert of one, delete of another', {
        actions: [
          { key: 'deployment', value: 'blue', action: 'upsert' },
          { key: 'user.id', action: 'delete' },
        ],
      }),
      processor('attributes', 'hash of one', { actions: [{ key: 'user.id', action: 'hash' }] }),
      processor('filter', 'a condition that no span meets', { traces: { span: ['attributes["http.route"] == "/health"'] } }),
      processor('filter', 'a condition that every span meets', { traces: { span: ['attributes["http.route"] == "/cart/{id}"'] } }),
      processor('transform', 'set of one attribute', { trace_statements: ['set(span.attributes["deployment"], "blue")'] }),
      processor('transform', 'truncate_all and replace_pattern', {
        trace_statements: ['truncate_all(span.attributes, 64)', 'replace_pattern(span.name, "/[0-9]+", "/{id}")'],
      }),
      processor('redaction', 'all keys, one blocked value', { allow_all_keys: true, blocked_values: ['4[0-9]{12}(?:[0-9]{3})?'] }),
      processor('probabilistic_sampler', 'hash_seed, 10 %', sampler('hash_seed', 10)),
      processor('probabilistic_sampler', 'hash_seed, 100 %', sampler('hash_seed', 100)),
      processor('probabilistic_sampler', 'equalizing, 100 %', sampler('equalizing', 100)),
      processor('probabilistic_sampler', 'proportional, 100 %', sampler('proportional', 100)),
      {
        of: 'connectors.forward',
        what: 'to one more pipeline',
        connectors: { forward: null },
        pipelines: {
          traces: { receivers: ['otlp'], exporters: ['forward'] },
          'traces/out': { receivers: ['forward'], exporters: ['otlp_grpc'] },
        },
      },
      counted('spans and events', null),
      counted('spans by one attribute', { spans: { spans: { attributes: [{ key: 'http.request.method' }] } } }),
      counted('spans that meet a condition', { spans: { spans: { conditions: ['span.kind == SPAN_KIND_SERVER'] } } }),
      exporter('otlp_grpc', 'compression gzip', toGrpc({ compression: 'gzip' })),
      exporter('otlp_grpc', 'compression zstd', toGrpc({ compression: 'zstd' })),
      exporter('otlp_grpc', 'without sending_queue: every request alone', toGrpc({ sending_queue: { enabled: false } })),
      exporter('otlp_http', 'compression none', toHttp()),
      exporter('otlp_http', 'encoding json', toHttp({ encoding: 'json' })),
      ...['gzip', 'deflate', 'zstd', 'snappy'].map((name) => exporter('otlp_http', `compression ${name}`, toHttp({ compression: name }))),
      exporter('loadbalancing', 'by trace id, two upstreams', {
        protocol: { otlp: { ...toGrpc(), endpoint: undefined } },
        resolver: { static: { hostnames: [`127.0.0.1:${grpc}`, `127.0.0.2:${grpc}`] } },
      }),
      exporter('file', 'format json', { path: `${folder}/traces.json` }),
      exporter('file', 'format proto', { path: `${folder}/traces.bin`, format: 'proto' }),
      exporter('file', 'format proto, compression zstd', { path: `${folder}/traces.zst`, format: 'proto', compression: 'zstd' }),
      exporter('file', 'format proto, rotated every MiB', {
        path: `${folder}/rotated.bin`,
        format: 'proto',
        rotation: { max_megabytes: 1, max_backups: 3 },
      }),
      exporter('debug', 'verbosity basic', { verbosity: 'basic' }),
      exporter('nop', 'nothing', null),
    ],
  };
}

/** The whole configuration of a variant, for `--config`; JSON is YAML. `undefined` is the plain line. */
export function configuration(plain, variant) {
  const exporters = variant?.exporters ?? { otlp_grpc: plain };
  const processors = variant?.processors ?? {};
  const pipelines = variant?.pipelines ?? {
    traces: { receivers: ['otlp'], processors: Object.keys(processors), exporters: Object.keys(exporters) },
  };
  return {
    receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0', max_recv_msg_size_mib: 64 } } } },
    ...(Object.keys(processors).length === 0 ? {} : { processors }),
    ...(variant?.connectors === undefined ? {} : { connectors: variant.connectors }),
    exporters,
    service: { telemetry: { metrics: { level: 'none' } }, pipelines },
  };
}
