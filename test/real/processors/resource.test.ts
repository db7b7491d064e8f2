import { encode } from '../../agent/kit/otlp.ts';
import { PROFILE_KEYS_BY_INDEX, PROFILES_WITHOUT_SAMPLES } from './exceptions.ts';
import { describeAgainstCollector } from './harness.ts';

const ALL = ['traces', 'metrics', 'logs', 'profiles'] as const;
const resource = (...attributes: object[]): Record<string, unknown> => ({ resource: { attributes } });

describeAgainstCollector(
  'the resource processor',
  [
    {
      name: 'insert, update, upsert and delete',
      processors: resource(
        { key: 'service.name', value: 'fixed', action: 'insert' },
        { key: 'a', value: 42, action: 'update' },
        { key: 'k8s.pod.name', value: 1.5, action: 'upsert' },
        { key: 'copy', from_attribute: 'user.id', action: 'insert' },
        { key: 'b', action: 'delete' },
      ),
      signals: ALL,
    },
    {
      name: 'lists, maps, defaults and patterns',
      processors: resource(
        { key: 'list', value: ['a', 1, 2.5, true, { inner: ['x'] }], action: 'upsert' },
        { key: 'user.id', value: { b: 1, a: { c: 'd' } }, action: 'update' },
        { key: 'b', from_attribute: 'absent', default_value: 'none', action: 'insert' },
        { key: 'service.name', from_attribute: 'a', default_value: [1, 2], action: 'upsert' },
        { pattern: '^(http\\.|k8s)', action: 'delete' },
      ),
      signals: ALL,
    },
    {
      name: 'hash, extract and convert',
      processors: resource(
        { key: 'user.id', action: 'hash' },
        { pattern: 'method$', action: 'hash' },
        { key: 'a', pattern: '^(?P<first>[^/]*)/(?P<second>\\w+)?', action: 'extract' },
        { key: 'b', action: 'convert', converted_type: 'int' },
        { key: 'service.name', action: 'convert', converted_type: 'double' },
        { key: 'k8s.pod.name', action: 'convert', converted_type: 'string' },
      ),
      vocabulary: { texts: ['a/b', '/x', '9223372036854775807', '9223372036854775808', '1_000.5', '0x1p-2', 'inf', '+7', '<&>'] },
      requests: 300,
      signals: ALL,
    },
    {
      name: 'request metadata',
      processors: resource(
        { key: 'tenant', from_context: 'metadata.x-tenant', action: 'upsert' },
        { key: 'a', from_context: 'X-Tenant', action: 'update' },
        { key: 'b', from_context: 'metadata.x-none', default_value: 7, action: 'upsert' },
      ),
      headers: { 'x-tenant': 'blue' },
      signals: ['traces'],
    },
    {
      name: 'profiles with keys by index',
      processors: resource({ key: 'service.name', action: 'delete' }, { key: 'a', value: 'set', action: 'upsert' }),
      signals: ['profiles'],
      vocabulary: { indexed: true },
    },
    {
      name: 'a resource in pieces, unknown fields, no resource',
      processors: resource({ key: 'a', value: 'set', action: 'update' }, { key: 'b', from_attribute: 'a', action: 'insert' }),
      signals: ['traces'],
      requests: 4,
      bodies: () => {
        const attribute = (key: string): Buffer =>
          encode('traces', { resourceSpans: [{ resource: { attributes: [{ key, value: { stringValue: key } }] } }] }).subarray(2);
        const span = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'x' }] }] }] }).subarray(2);
        const unknown = Buffer.from([0xfa, 0x3e, 0x03, 1, 2, 3]);
        const parts = [
          [attribute('a'), attribute('c'), span],
          [attribute('c'), span, attribute('a')],
          [unknown, attribute('a'), unknown, span, unknown],
          [span],
        ];
        return parts.map((each) => Buffer.concat([Buffer.from([0x0a, Buffer.concat(each).length]), ...each]));
      },
    },
  ],
  { exceptions: [PROFILES_WITHOUT_SAMPLES, PROFILE_KEYS_BY_INDEX] },
);
