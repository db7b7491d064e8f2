import { encode } from '../../agent/kit/otlp.ts';
import { DELETE_TAKES_ALL } from './exceptions.ts';
import { type Configuration, describeAgainstCollector } from './harness.ts';

const upsert = { key: 'matched', value: true, action: 'upsert' };
const attributes = (config: object): Record<string, unknown> => ({ attributes: config });
const only = (signal: 'traces' | 'metrics' | 'logs', name: string, config: object, more: Partial<Configuration> = {}): Configuration => ({
  name,
  processors: attributes({ ...config, actions: [upsert] }),
  signals: [signal],
  ...more,
});

describeAgainstCollector(
  'the attributes processor',
  [
    {
      name: 'all actions',
      processors: attributes({
        actions: [
          { key: 'http.method', value: 'GET', action: 'insert' },
          { key: 'a', value: [1, { x: true }], action: 'update' },
          { key: 'user.id', action: 'hash' },
          { key: 'b', pattern: '^(?P<first>\\w)(?P<rest>.*)$', action: 'extract' },
          { key: 'http.status_code', action: 'convert', converted_type: 'string' },
          { key: 'first', action: 'convert', converted_type: 'int' },
          { key: 'copied', from_attribute: 'service.name', default_value: 'no service', action: 'upsert' },
          { key: 'k8s.pod.name', action: 'delete' },
        ],
      }),
    },
    {
      name: 'texts that are no UTF-8 and long ones, hashed alone',
      processors: attributes({
        actions: [
          { key: 'user.id', action: 'hash' },
          { key: 'new', value: 'x', action: 'upsert' },
        ],
      }),
      signals: ['traces', 'logs'],
      requests: 3,
      bodies: (signal) =>
        ['\u00e9\u00e9', 'x'.repeat(300), '\u00e9x\u00e9'].map((value, i) => {
          const attribute = { key: 'user.id', value: { stringValue: value } };
          const items =
            signal === 'traces'
              ? { scopeSpans: [{ spans: [{ attributes: [attribute] }] }] }
              : { scopeLogs: [{ logRecords: [{ attributes: [attribute] }] }] };
          const bytes = encode(signal, signal === 'traces' ? { resourceSpans: [items] } : { resourceLogs: [items] });
          // The second byte of a letter of two: the first alone, followed by ASCII, is no UTF-8.
          return i === 1 ? bytes : Buffer.from(bytes.map((byte) => (byte === 0xa9 ? 0x41 : byte)));
        }),
    },
    {
      name: 'delete and hash by pattern, twice where key and pattern meet',
      processors: attributes({
        actions: [
          { pattern: '(?i)^HTTP\\.', action: 'delete' },
          { key: 'user.id', pattern: '^(user|a)', action: 'hash' },
        ],
      }),
    },
    {
      name: 'keys that are there twice',
      processors: attributes({
        actions: [
          { key: 'a', value: 'first', action: 'upsert' },
          { key: 'b', from_attribute: 'a', action: 'update' },
          { pattern: 'http', action: 'hash' },
          { key: 'service.name', action: 'convert', converted_type: 'string' },
        ],
      }),
      vocabulary: { duplicateKeys: true },
    },
    {
      name: 'keys that are there twice, deleted',
      processors: attributes({ actions: [{ key: 'user.id', action: 'delete' }] }),
      vocabulary: { duplicateKeys: true },
    },
    {
      name: 'metadata',
      processors: attributes({ actions: [{ key: 'tenant', from_context: 'metadata.X-Tenant', action: 'insert' }] }),
      headers: { 'x-tenant': 'green' },
    },
    only('traces', 'include strict', {
      include: { match_type: 'strict', span_names: ['GET', 'POST', 'a b', '', 'secret', '/users/42'], attributes: [{ key: 'a' }] },
    }),
    only('traces', 'include regexp', {
      include: { match_type: 'regexp', services: ['^[a-zA-Z]', 'nil'], span_names: ['[a-z]$', '^$', '\\d'] },
    }),
    only('traces', 'span kinds', { include: { match_type: 'strict', span_kinds: ['SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT'] } }),
    only('traces', 'exclude by kind and attribute', {
      include: { match_type: 'regexp', span_kinds: ['SPAN', '^$'] },
      exclude: { match_type: 'regexp', attributes: [{ key: 'http.method', value: '^(GET|[0-9.e+-]+|true)$' }] },
    }),
    only(
      'traces',
      'values of all kinds',
      {
        exclude: {
          match_type: 'strict',
          resources: [{ key: 'a', value: [1, { k: 'v', j: 2 }] }],
        },
        include: { match_type: 'strict', attributes: [{ key: 'http.status_code', value: 200 }] },
      },
      { vocabulary: { keys: ['http.status_code', 'http.status_code', 'http.status_code'] } },
    ),
    only('traces', 'libraries', { include: { match_type: 'regexp', libraries: [{ name: '.', version: '' }, { name: '[a-zA-Z]' }] } }),
    only('logs', 'bodies and severities', {
      include: { match_type: 'regexp', log_bodies: ['[a-z0-9]'], log_severity_number: { min: 5, match_undefined: true } },
      exclude: { match_type: 'strict', log_severity_texts: ['GET', 'secret'] },
    }),
    only('logs', 'severity without undefined', { include: { match_type: 'strict', log_severity_number: { min: 9 } } }),
    only('logs', 'attributes and resources', {
      include: { match_type: 'regexp', attributes: [{ key: 'a', value: '.' }], resources: [{ key: 'service.name' }] },
    }),
    only('metrics', 'names strict', { include: { match_type: 'strict', metric_names: ['GET', 'POST', '', 'secret', '0'] } }),
    only('metrics', 'names regexp', { exclude: { match_type: 'regexp', metric_names: ['^[A-Z]', '/'] } }),
    only('metrics', 'resources, which are not compared', { include: { match_type: 'strict', resources: [{ key: 'a', value: 'b' }] } }),
  ],
  { exceptions: [DELETE_TAKES_ALL] },
);
