import { encode, REQUEST_TYPES } from '../../agent/kit/otlp.ts';
import { oddly } from '../../agent/process/odd-encoding.ts';
import { generateMessages } from './generate.ts';
import { type Configuration, describeAgainstCollector } from './harness.ts';

/** Encodings that protobuf allows and nobody writes: the Collector and the agent read them alike, whichever way the agent takes. */

const VOCABULARY = { keys: ['a', 'n', 'http.method', 'user.id'], texts: ['GET', 'x', '4111111111111111'] };
const SEED = Number(process.env.OTLP_COMPARE_SEED ?? 1);

function configuration(name: string, processors: Readonly<Record<string, unknown>>, signals: Configuration['signals']): Configuration {
  return {
    name,
    processors,
    ...(signals && { signals }),
    requests: 120,
    bodies: (signal) =>
      generateMessages(signal, SEED, 120, VOCABULARY).map((message, i) =>
        oddly(REQUEST_TYPES[signal], encode(signal, message), SEED * 1000 + i, [0.1, 0.4, 1][i % 3] as number, true),
      ),
  };
}

describeAgainstCollector(
  'processors of odd encodings',
  [
    configuration('nothing', {}, undefined),
    configuration(
      'attributes',
      {
        attributes: {
          actions: [
            { key: 'a', value: 'blue', action: 'upsert' },
            { key: 'n', value: 7, action: 'update' },
            { key: 'user.id', action: 'hash' },
          ],
        },
      },
      undefined,
    ),
    configuration(
      'attributes one after the other',
      {
        attributes: {
          actions: [
            { key: 'new', from_attribute: 'a', action: 'upsert' },
            { key: 'n', action: 'convert', converted_type: 'string' },
          ],
        },
      },
      undefined,
    ),
    configuration('resource', { resource: { attributes: [{ key: 'a', value: 'blue', action: 'upsert' }] } }, undefined),
    configuration(
      'redaction',
      { redaction: { allow_all_keys: true, blocked_values: ['4[0-9]{12}(?:[0-9]{3})?', '^x'], summary: 'silent' } },
      undefined,
    ),
    configuration('filter of spans', { filter: { traces: { span: ['attributes["a"] == "GET"', 'name == "x"'] } } }, ['traces']),
    configuration('filter of spans by more', { filter: { traces: { span: ['Len(attributes) > 2', 'kind == SPAN_KIND_SERVER'] } } }, [
      'traces',
    ]),
    configuration('filter of points', { filter: { metrics: { datapoint: ['attributes["a"] == "GET"', 'metric.name == "x"'] } } }, [
      'metrics',
    ]),
    configuration('filter of records', { filter: { logs: { log_record: ['body == "GET"', 'severity_number < SEVERITY_NUMBER_WARN'] } } }, [
      'logs',
    ]),
    configuration(
      'transform',
      {
        transform: {
          trace_statements: [
            'set(span.attributes["b"], span.attributes["a"])',
            'keep_keys(span.attributes, ["b", "n"])',
            'set(span.status.message, span.name)',
          ],
          metric_statements: ['set(datapoint.attributes["n"], metric.name)'],
          log_statements: ['set(log.attributes["b"], log.body)', 'set(log.severity_text, "x") where IsMatch(log.body, "e")'],
        },
      },
      undefined,
    ),
  ],
  {},
);
