/**
 * Processors as people configure them, as works of the comparison with the Collector: 512 items of 373 bytes, nothing compressed, one
 * processor behind memory_limiter. `drops` where some items do not arrive, `itemKey` where every item has to have that attribute then.
 */
const work = (signal, processors, more) => ({
  signal,
  protocol: 'grpc',
  encoding: 'identity',
  items: 512,
  itemBytes: 373,
  millions: 0.7,
  processors,
  ...more,
});
const transform = (statements, more) => work('traces', { transform: { error_mode: 'ignore', trace_statements: statements } }, more);
const transformLogs = (statements, more) => work('logs', { transform: { error_mode: 'ignore', log_statements: statements } }, more);
const transformMetrics = (statements, more) =>
  work('metrics', { transform: { error_mode: 'ignore', metric_statements: statements } }, more);
const redaction = (config, more) => work('traces', { redaction: config }, more);
const filter = (signal, conditions, more) => work(signal, { filter: { error_mode: 'ignore', [signal]: conditions } }, more);

/** Attributes that the spans of the bench have. */
const KEYS = [
  'service.name',
  'k8s.pod.name',
  'http.request.method',
  'http.route',
  'url.path',
  'http.response.status_code',
  'server.address',
];
/** Card numbers and addresses of mail, as the redaction processor's readme has them. */
const SECRETS = ['4[0-9]{12}(?:[0-9]{3})?', '(5[1-5][0-9]{14})'];

export const PROCESSOR_WORKS = {
  'none traces': work('traces', {}),
  'none logs': work('logs', {}),
  'none metrics': work('metrics', {}),
  'transform set constant': transform(['set(span.attributes["deployment"], "blue")'], { itemKey: 'deployment' }),
  'transform set from attribute': transform(['set(span.attributes["route"], span.attributes["http.route"])'], { itemKey: 'route' }),
  'transform set from name': transform(['set(span.attributes["operation"], span.name)'], { itemKey: 'operation' }),
  'transform set from resource': transform(['set(span.attributes["service"], resource.attributes["service.name"])'], {
    itemKey: 'service',
  }),
  'transform delete_key': transform(['delete_key(span.attributes, "user.id")']),
  'transform delete_matching_keys': transform(['delete_matching_keys(span.attributes, "^user\\\\..*")']),
  'transform keep_keys': transform([`keep_keys(span.attributes, ${JSON.stringify(KEYS)})`]),
  'transform replace_pattern': transform(['replace_pattern(span.attributes["url.path"], "/cart/\\\\d+", "/cart/{id}")']),
  'transform replace_all_patterns': transform(['replace_all_patterns(span.attributes, "value", "/cart/\\\\d+", "/cart/{id}")']),
  'transform truncate_all': transform(['truncate_all(span.attributes, 64)']),
  'transform limit': transform(['limit(span.attributes, 5, ["http.route"])']),
  'transform status where': transform([
    'set(span.status.code, STATUS_CODE_ERROR) where span.attributes["http.response.status_code"] == 500',
  ]),
  'transform name Concat': transform([
    'set(span.name, Concat(["GET /cart", span.attributes["http.request.method"], span.attributes["http.route"]], "/"))',
  ]),
  'transform six statements': transform([
    'set(span.attributes["deployment"], "blue")',
    'set(span.attributes["service"], resource.attributes["service.name"])',
    'delete_key(span.attributes, "user.id")',
    'replace_pattern(span.attributes["url.path"], "/cart/\\\\d+", "/cart/{id}")',
    'set(span.status.code, STATUS_CODE_ERROR) where span.attributes["http.response.status_code"] == 500',
    'truncate_all(span.attributes, 128)',
  ]),
  'transform resource': transform(['set(resource.attributes["deployment"], "blue")']),
  'transform logs body': transformLogs(['replace_pattern(log.body, "/cart/\\\\d+", "/cart/{id}")']),
  'transform logs severity': transformLogs(['set(log.severity_number, SEVERITY_NUMBER_ERROR) where IsMatch(log.body, "(?i)error")']),
  'transform metrics name': transformMetrics(['set(metric.description, "time") where metric.name == "http.server.duration.7"']),
  'transform datapoint': transformMetrics(['set(datapoint.attributes["deployment"], "blue")']),
  'redaction allowed_keys': redaction({ allow_all_keys: false, allowed_keys: KEYS }),
  'redaction blocked_values': redaction({ allow_all_keys: true, blocked_values: SECRETS }),
  'redaction both': redaction({ allow_all_keys: false, allowed_keys: KEYS, blocked_values: SECRETS, summary: 'debug' }),
  'redaction logs': work('logs', { redaction: { allow_all_keys: true, blocked_values: SECRETS } }),
  'filter Len': filter('traces', { span: ['Len(attributes) > 100'] }),
  'filter duration': filter('traces', { span: ['end_time_unix_nano - start_time_unix_nano > 1000000'] }),
  'filter ConvertCase': filter('traces', { span: ['ConvertCase(attributes["http.request.method"], "lower") == "post"'] }, { drops: true }),
  'filter IsMatch': filter('traces', { span: ['IsMatch(attributes["url.path"], ".*/cart/1[0-9]{3}7$")'] }, { drops: true }),
  'filter arithmetic': filter('traces', { span: ['attributes["http.response.status_code"] / 100 == 5'] }, { drops: true }),
  'filter metric name': filter('metrics', { metric: ['name == "http.server.duration.7"'] }, { drops: true }),
  'filter metric name regexp': work(
    'metrics',
    { filter: { metrics: { exclude: { match_type: 'regexp', metric_names: ['.*\\.duration\\.1.*'] } } } },
    { drops: true },
  ),
  'filter datapoint': filter('metrics', { datapoint: ['attributes["http.route"] == "/health"'] }, { drops: true }),
  'filter metric resource': filter('metrics', { metric: ['resource.attributes["service.name"] == "health"'] }),
};
