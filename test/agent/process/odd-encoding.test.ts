import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessorSettings, Signal } from '../../../agent/config/settings.ts';
import { scan } from '../../../agent/otlp/wire.ts';
import { createProcessor } from '../../../agent/process/create-processor.ts';
import { type Body, type Processor, ProcessorRefusal } from '../../../agent/process/process.ts';
import { ProcessorCounters } from '../../../agent/telemetry/counters.ts';
import { requestArbitrary } from '../../real/processors/generate.ts';
import { recordingLog } from '../kit/agent.ts';
import { encode, type Message, REQUEST_TYPES } from '../kit/otlp.ts';
import { processorSettings } from '../ottl/support.ts';
import { oddly, plainly } from './odd-encoding.ts';

/**
 * What a processor makes of a request does not depend on how the request is encoded: of an odd encoding it makes what it makes of the plain
 * one, as protobuf reads both. `plainly` knows nothing of the agent's readers.
 */

const SEED = 20261122;
type Tested = Exclude<Signal, 'profiles'>;
const KEYS = ['a', 'n', 'http.method', 'user.id', 'k'.repeat(130), ''];
const TEXTS = ['GET', '/healthz', 'x', '', '4111111111111111', 'x'.repeat(130)];

const attributes = (...actions: object[]): object => ({ attributes: { actions } });
const spans = (...statements: string[]): object => ({ transform: { trace_statements: statements } });
const points = (...statements: string[]): object => ({ transform: { metric_statements: statements } });
const records = (...statements: string[]): object => ({ transform: { log_statements: statements } });
const filter = (signal: Tested, conditions: object): object => ({ filter: { [signal]: conditions } });

const EVERYWHERE: readonly object[] = [
  { resource: { attributes: [{ key: 'a', value: 'blue', action: 'upsert' }] } },
  {
    resource: {
      attributes: [
        { key: 'a', action: 'delete' },
        { key: 'n', from_attribute: 'user.id', action: 'insert' },
      ],
    },
  },
  attributes({ key: 'a', value: 'blue', action: 'upsert' }),
  attributes(
    { key: 'a', action: 'delete' },
    { key: 'n', value: 7, action: 'insert' },
    { key: 'http.method', value: 'x', action: 'update' },
  ),
  attributes({ key: 'user.id', action: 'hash' }),
  attributes({ key: 'new', from_attribute: 'a', action: 'upsert' }, { key: 'n', action: 'convert', converted_type: 'string' }),
  attributes({ key: 'a', pattern: '^(?P<n>.)(?P<rest>.*)$', action: 'extract' }),
  attributes({ pattern: '^(a|h)', action: 'delete' }),
  { redaction: { allow_all_keys: false, allowed_keys: ['a', 'n'], summary: 'debug' } },
  { redaction: { allow_all_keys: true, blocked_values: ['4[0-9]{12}(?:[0-9]{3})?', '^x'], summary: 'info' } },
  { redaction: { allow_all_keys: true, blocked_key_patterns: ['^h'], redact_all_types: true } },
];
const OF_SIGNAL: Readonly<Record<Tested, readonly object[]>> = {
  traces: [
    { probabilistic_sampler: { sampling_percentage: 40, hash_seed: 3 } },
    { probabilistic_sampler: { sampling_percentage: 40, mode: 'equalizing' } },
    { probabilistic_sampler: { sampling_percentage: 60, mode: 'proportional' } },
    { attributes: { include: { match_type: 'strict', services: ['GET', 'x'] }, actions: [{ key: 'a', value: 'b', action: 'upsert' }] } },
    filter('traces', { span: ['attributes["a"] == "GET"', 'name == "x"'] }),
    filter('traces', { span: ['kind == SPAN_KIND_SERVER', 'status.code == STATUS_CODE_OK', 'IsMatch(attributes["n"], "1")'] }),
    filter('traces', { span: ['resource.attributes["a"] == "x"', 'scope.name == "GET"', 'IsRootSpan()'] }),
    filter('traces', { span: ['Len(attributes) > 2', 'end_time_unix_nano < start_time_unix_nano'], spanevent: ['name == ""'] }),
    filter('traces', { resource: ['attributes["a"] != nil'], span: ['trace_state == ""'] }),
    { filter: { spans: { exclude: { match_type: 'strict', services: ['GET'], span_names: ['x', 'GET'] } } } },
    spans('set(span.attributes["n"], "blue")', 'delete_key(span.attributes, "a")'),
    spans('set(span.attributes["b"], span.attributes["a"])', 'set(span.attributes["c"], resource.attributes["a"])'),
    spans('set(span.attributes["b"], span.name)', 'set(span.name, span.attributes["a"])', 'set(span.attributes["a"], span.status.message)'),
    spans('keep_keys(span.attributes, ["a", "n"])'),
    spans('delete_matching_keys(span.attributes, "^(h|u)")', 'truncate_all(span.attributes, 3)', 'limit(span.attributes, 2, ["a"])'),
    spans('replace_pattern(span.attributes["a"], "[A-Z]", "x")', 'replace_all_patterns(span.attributes, "value", "x", "yy")'),
    spans('set(span.status.code, STATUS_CODE_ERROR) where span.attributes["a"] == "GET"', 'set(span.status.message, "é")'),
    spans(
      'set(span.kind, SPAN_KIND_CLIENT)',
      'set(span.end_time_unix_nano, span.start_time_unix_nano)',
      'set(span.dropped_events_count, 1)',
    ),
    spans('set(spanevent.attributes["a"], span.name)', 'set(spanevent.name, "n") where spanevent.time_unix_nano > 5'),
    spans('set(resource.attributes["b"], resource.attributes["a"])', 'set(scope.name, scope.version)', 'set(span.trace_state["k"], "v")'),
  ],
  logs: [
    { probabilistic_sampler: { sampling_percentage: 40, hash_seed: 3 } },
    { probabilistic_sampler: { sampling_percentage: 40, attribute_source: 'record', from_attribute: 'a' } },
    { probabilistic_sampler: { sampling_percentage: 40, mode: 'proportional', sampling_priority: 'n' } },
    filter('logs', { log_record: ['severity_number < SEVERITY_NUMBER_WARN', 'severity_text == "x"', 'body == "GET"'] }),
    filter('logs', { log_record: ['IsMatch(body, "[a-z]")', 'attributes["a"] == nil'] }),
    { filter: { logs: { include: { match_type: 'strict', bodies: ['x', 'GET'], record_attributes: [{ key: 'a', value: 'x' }] } } } },
    records('set(log.attributes["n"], "blue")', 'delete_key(log.attributes, "a")'),
    records('set(log.attributes["b"], log.body)', 'set(log.body, log.attributes["a"])'),
    records('replace_pattern(log.body, "[a-z]", "y")', 'keep_keys(log.attributes, ["a"])', 'truncate_all(log.attributes, 2)'),
    records('set(log.severity_number, SEVERITY_NUMBER_ERROR) where IsMatch(log.body, "x")', 'set(log.flags, 1)'),
  ],
  metrics: [
    filter('metrics', { metric: ['name == "x"', 'type == METRIC_DATA_TYPE_SUM'] }),
    filter('metrics', { datapoint: ['attributes["a"] == "GET"', 'value_int > 0', 'count > 5'] }),
    filter('metrics', { datapoint: ['attributes["a"] == "GET"', 'metric.name == "x"'] }),
    { filter: { metrics: { exclude: { match_type: 'regexp', metric_names: ['^x'] } } } },
    points('set(datapoint.attributes["n"], "blue")', 'delete_key(datapoint.attributes, "a")'),
    points('set(datapoint.attributes["n"], metric.name)', 'keep_keys(datapoint.attributes, ["n"])'),
    points('set(metric.name, "y") where metric.unit == ""', 'set(metric.description, metric.name)'),
    points('truncate_all(datapoint.attributes, 2)', 'set(datapoint.time_unix_nano, datapoint.start_time_unix_nano)'),
  ],
};

function run(config: object, signal: Tested, bytes: Buffer): object {
  const [kind, own] = Object.entries(config)[0] as [string, object];
  const settings = processorSettings(kind, own, [signal]) as ProcessorSettings;
  const counters = new ProcessorCounters(kind, kind, signal);
  const processor = createProcessor(settings, signal, { log: recordingLog([]), counters, prepared: new Map() }) as Processor;
  const found = scan(signal, bytes);
  if (!found.ok) throw new Error(`not even scanned: ${found.reason}`);
  const body: Body = { slices: [bytes], bytes: bytes.length, items: found.items };
  const result = processor.process(body, undefined);
  if (typeof result === 'string') return { malformed: result };
  if (result instanceof ProcessorRefusal) return { refused: true };
  const out = Buffer.concat(result.slices);
  expect(out.length).toBe(result.bytes);
  const { filtered, failures } = counters;
  // Of an encoding with data of several kinds the scan counts all, as an upper bound.
  const items = signal === 'metrics' ? 0 : result.items;
  return { out: plainly(REQUEST_TYPES[signal], out).toString('hex'), items, filtered: signal === 'metrics' ? 0 : filtered, failures };
}

describe.each(['traces', 'metrics', 'logs'] as const)('encodings that nobody writes: %s', (signal) => {
  const configs = [...EVERYWHERE, ...OF_SIGNAL[signal]].map((config) => [JSON.stringify(config), config] as const);
  const requests = requestArbitrary(signal, { keys: KEYS, texts: TEXTS, duplicateKeys: true }).map((message) =>
    encode(signal, message as Message),
  );
  const odd = fc
    .tuple(requests, fc.integer({ min: 1, max: 0x7fff_ffff }), fc.constantFrom(0.1, 0.4, 1))
    .map(([bytes, seed, rate]) => oddly(REQUEST_TYPES[signal], bytes, seed, rate));

  it.each(configs)(`%s (seed ${SEED})`, (_name, config) => {
    fc.assert(
      fc.property(odd, (bytes) => {
        expect(run(config, signal, bytes)).toEqual(run(config, signal, plainly(REQUEST_TYPES[signal], bytes)));
      }),
      { numRuns: 60, seed: SEED, endOnFailure: true },
    );
  });
});
