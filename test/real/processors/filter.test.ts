import { type Configuration, describeAgainstCollector } from './harness.ts';

const filter = (config: object): Record<string, unknown> => ({ filter: config });

const KEYS = ['n', 'm', 'list', 'http.method', 'a'];
const TEXTS = ['GET', 'health', '/healthz', '10.0.0.1', 'x', 'INFO', 'secret', '1e21', '9.5'];
const vocabulary = { keys: KEYS, texts: TEXTS };

const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: 'conditions by context',
    processors: filter({
      traces: {
        resource: ['attributes["service.name"] == "health"'],
        span: ['attributes["http.method"] == "GET"', 'IsMatch(name, "^/")', 'resource.attributes["n"] > 0 and kind == SPAN_KIND_SERVER'],
        spanevent: ['name == ""', 'attributes["a"] != nil', 'span.status.code == STATUS_CODE_ERROR'],
      },
      metrics: {
        resource: ['attributes["a"] == 1'],
        metric: [
          'name == "GET" and type == METRIC_DATA_TYPE_SUM',
          'HasAttrOnDatapoint("http.method", "GET")',
          'HasAttrKeyOnDatapoint("list")',
        ],
        datapoint: ['attributes["m"] == nil and value_int > 0', 'metric.unit == "x"', 'count > 3 or value_double < 0.0'],
      },
      logs: {
        resource: ['attributes["a"] == true'],
        log_record: ['severity_number < SEVERITY_NUMBER_INFO', 'IsMatch(body, "e")', 'body["a"] == 1', 'instrumentation_scope.name == "x"'],
      },
    }),
    vocabulary,
    requests: 300,
  },
  {
    name: 'only resources, only events, only points',
    processors: filter({
      traces: { spanevent: ['attributes["a"] == nil'] },
      metrics: { datapoint: ['attributes["a"] == nil'] },
      logs: { resource: ['attributes["a"] != nil'] },
    }),
    vocabulary,
  },
  {
    name: 'empty lists, which still remove what is empty',
    processors: filter({ traces: { span: [] }, metrics: { metric: [] }, logs: { log_record: [] } }),
  },
  {
    name: 'everything and nothing',
    processors: filter({ traces: { span: ['true'] }, metrics: { metric: ['true'] }, logs: { log_record: ['false'] } }),
  },
  {
    name: 'inferred conditions',
    processors: filter({
      error_mode: 'silent',
      trace_conditions: [
        'resource.attributes["service.name"] == "health"',
        'scope.name == "x"',
        'span.name == "GET" or IsRootSpan() and span.kind == SPAN_KIND_CLIENT',
        'spanevent.name == span.name',
      ],
      metric_conditions: ['metric.name == "health"', 'datapoint.attributes["a"] == "x"', 'scope.version == ""', 'datapoint.value_int == 0'],
      log_conditions: [
        'log.severity_number == SEVERITY_NUMBER_UNSPECIFIED',
        'resource.attributes["a"] == "x"',
        'scope.attributes["a"] == nil',
      ],
    }),
    vocabulary,
    requests: 300,
  },
  {
    name: 'groups of conditions',
    processors: filter({
      trace_conditions: [
        { context: 'span', conditions: ['name == "GET"', 'attributes["n"] < 5'] },
        { context: 'resource', conditions: ['attributes["a"] == nil'] },
        { conditions: ['span.attributes["a"]["b"] == 1', 'spanevent.attributes["a"] != nil'], error_mode: 'ignore' },
      ],
      log_conditions: [{ context: 'log', conditions: ['Len(attributes) > 2'] }],
      metric_conditions: [{ context: 'datapoint', conditions: ['flags == 1', 'Len(metric.name) > 4'] }, { conditions: [] }],
    }),
    vocabulary,
  },
  {
    name: 'propagated errors',
    processors: filter({
      error_mode: 'propagate',
      traces: { span: ['attributes["a"]["b"] == 1', 'IsMatch(attributes["m"], "x")'] },
      metrics: { datapoint: ['Len(attributes["a"]) > 1'] },
      log_conditions: ['Substring(log.body, 0, 3) == "GET"'],
    }),
    vocabulary,
  },
  {
    name: 'strict include and exclude',
    processors: filter({
      spans: {
        include: { match_type: 'strict', span_names: ['GET', 'POST', 'x', 'secret', '/users/42'], attributes: [{ key: 'a' }] },
        exclude: {
          match_type: 'strict',
          attributes: [{ key: 'http.method', value: 'GET' }],
          span_kinds: ['SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT'],
        },
      },
      metrics: {
        include: { match_type: 'strict', metric_names: ['GET', 'POST', 'x', '', 'a b'] },
        exclude: { match_type: 'strict', metric_names: ['POST'], resource_attributes: [{ key: 'a', value: 'x' }] },
      },
      logs: {
        include: { match_type: 'strict', severity_number: { min: 'info', match_undefined: true } },
        exclude: { match_type: 'strict', bodies: ['GET', '{}', ''], resource_attributes: [{ key: 'service.name' }] },
      },
    }),
    vocabulary,
  },
  {
    name: 'regular expressions in include and exclude',
    processors: filter({
      spans: {
        include: { match_type: 'regexp', services: ['^(GET|nil|x|<nil)', '.'], libraries: [{ name: '.*' }] },
        exclude: { match_type: 'regexp', span_names: ['^/', 'e$'], resources: [{ key: 'a', value: '^[0-9.e-]+$' }] },
      },
      metrics: {
        include: { match_type: 'regexp', regexp: { cacheenabled: true, cachemaxnumentries: 10 }, metric_names: ['[A-Z]', '^$'] },
        exclude: { match_type: 'regexp', resource_attributes: [{ key: 'n', value: '^-?[0-9]+(\\.[0-9]+)?$' }] },
      },
      logs: {
        include: { match_type: 'regexp', bodies: ['.', '^$'] },
        exclude: { match_type: 'regexp', severity_texts: ['(?i)info', '^G'], record_attributes: [{ key: 'a', value: 'true|[0-9]' }] },
      },
    }),
    vocabulary,
  },
  {
    name: 'values of every type in strict attributes',
    processors: filter({
      spans: {
        exclude: {
          match_type: 'strict',
          attributes: [{ key: 'n', value: true }],
        },
      },
      metrics: { include: { match_type: 'strict', resource_attributes: [{ key: 'n' }] } },
      logs: { exclude: { match_type: 'strict', record_attributes: [{ key: 'list', value: ['x', 1] }] } },
    }),
    vocabulary,
  },
];

/** Of the generated requests; another one with OTLP_SEED. */
const SEED = Number(process.env.OTLP_SEED ?? 1);

describeAgainstCollector(
  'the filter processor',
  CONFIGURATIONS.map((one) => ({ ...one, seed: SEED })),
);
