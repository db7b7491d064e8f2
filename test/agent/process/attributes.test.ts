import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoRegExp, GoRegExp } from '../../../agent/config/go-regexp.ts';
import { printProblem } from '../../../agent/config/problems.ts';
import type { AttributeAction } from '../../../agent/process/actions/action.ts';
import { AttributesProcessor } from '../../../agent/process/attributes.ts';
import type { AttributesSettings } from '../../../agent/process/attributes-config.ts';
import type { Body, Metadata } from '../../../agent/process/process.ts';
import { requestArbitrary } from '../../real/processors/generate.ts';
import { finish, GrpcClient, post, startAgent, until } from '../kit/agent.ts';
import { decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';
import { MINIMAL, problemsOf } from '../support/config.ts';

const settings = (actions: readonly AttributeAction[], more: Partial<AttributesSettings> = {}): AttributesSettings => ({
  kind: 'attributes',
  id: 'attributes',
  actions,
  ...more,
});

const bodyOf = (bytes: Buffer): Body => ({ slices: [bytes], bytes: bytes.length, items: 1 });

function spanAttributes(actions: readonly AttributeAction[], attributes: Message[], metadata?: Metadata): unknown {
  const body = encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'kept', attributes }] }] }] });
  const out = new AttributesProcessor(settings(actions), 'traces').process(bodyOf(body), metadata);
  if (typeof out === 'string') throw new Error(out);
  const bytes = Buffer.concat(out.slices);
  expect(bytes.length).toBe(out.bytes);
  const sent = decode('traces', bytes) as { resourceSpans: { scopeSpans: { spans: { attributes?: Message[] }[] }[] }[] };
  return Object.fromEntries((sent.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.attributes ?? []).map(({ key, value }) => [key, value]));
}

const text = (key: string, stringValue: string): Message => ({ key, value: { stringValue } });

function pattern(source: string): GoRegExp {
  const compiled = compileGoRegExp(source);
  if (compiled instanceof GoRegExp) return compiled;
  throw new Error(compiled.wrong);
}

describe('the attributes processor', () => {
  it('hashes as the Collector: SHA-256 of the text or of the number in eight bytes, nothing of the rest', () => {
    const attributes = [text('a', 'secret'), { key: 'b', value: { intValue: 1 } }, { key: 'c', value: { arrayValue: {} } }];
    expect(spanAttributes([{ action: 'hash', key: '', pattern: pattern('.') }], attributes)).toEqual({
      a: { stringValue: '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b' },
      b: { stringValue: '7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8' },
      c: { stringValue: '' },
    });
  });

  it('takes texts apart by named groups; a group that took no part is the empty text', () => {
    const actions: AttributeAction[] = [
      { action: 'extract', key: 'url', pattern: pattern('^(?P<scheme>\\w+)://(?P<host>[^/:]+)(?::(?P<port>\\d+))?') },
    ];
    expect(spanAttributes(actions, [text('url', 'http://shop.example/cart'), text('host', 'old')])).toEqual({
      url: { stringValue: 'http://shop.example/cart' },
      scheme: { stringValue: 'http' },
      host: { stringValue: 'shop.example' },
      port: { stringValue: '' },
    });
  });

  it.each<[Message, 'int' | 'double' | 'string', Message]>([
    [{ stringValue: '-42' }, 'int', { intValue: '-42' }],
    [{ stringValue: '9223372036854775808' }, 'int', { stringValue: '9223372036854775808' }],
    [{ doubleValue: 1e300 }, 'int', { intValue: '-9223372036854775808' }],
    [{ boolValue: true }, 'int', { intValue: '1' }],
    [{ stringValue: '1_000.5' }, 'double', { doubleValue: 1000.5 }],
    [{ stringValue: '0x1p-2' }, 'double', { doubleValue: 0.25 }],
    [{ stringValue: '1__0' }, 'double', { stringValue: '1__0' }],
    [{ stringValue: '1e999' }, 'double', { stringValue: '1e999' }],
    [{ doubleValue: 1e21 }, 'string', { stringValue: '1e+21' }],
    [
      {
        kvlistValue: {
          values: [
            { key: 'b', value: { stringValue: '<&>' } },
            { key: 'a', value: {} },
          ],
        },
      },
      'string',
      { stringValue: '{"a":null,"b":"<&>"}' },
    ],
  ])('converts %o to %s', (value, convertedType, expected) => {
    expect(spanAttributes([{ action: 'convert', key: 'k', convertedType }], [{ key: 'k', value }])).toEqual({ k: expected });
  });

  it('copies request metadata, many values joined, and falls back', () => {
    const actions: AttributeAction[] = [
      { action: 'upsert', key: 'tenant', fromMetadata: 'x-tenant' },
      { action: 'insert', key: 'other', fromMetadata: 'x-other', defaultValue: 7n },
      { action: 'insert', key: 'absent', fromMetadata: 'x-other' },
    ];
    expect(spanAttributes(actions, [], new Map([['x-tenant', ['a', 'b']]]))).toEqual({
      tenant: { stringValue: 'a;b' },
      other: { intValue: '7' },
    });
  });

  it('gives back the very body where nothing changes, whatever lies in it', () => {
    const processor = new AttributesProcessor(
      settings([
        { action: 'delete', key: 'not there' },
        { action: 'update', key: 'nor this', value: 1n },
      ]),
      'metrics',
    );
    fc.assert(
      fc.property(requestArbitrary('metrics', { duplicateKeys: true }), (message) => {
        const body = bodyOf(encode('metrics', message));
        expect(processor.process(body, undefined)).toBe(body);
      }),
    );
  });

  it('in a pipeline acts on every span of both transports, counts them, and refuses what it cannot read', async () => {
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port)],
      processors: [settings([{ action: 'upsert', key: 'env', value: 'test' }])],
    });
    const client = new GrpcClient(running.grpcPort);
    await client.export('traces', request('traces', 3));
    expect((await post(running.httpPort, PATHS.logs, request('logs', 2))).status).toBe(200);
    // A span whose attribute says five bytes and has one.
    const span = Buffer.from([0x4a, 5, 1]);
    const scope = Buffer.from([0x12, span.length, ...span]);
    const malformed = Buffer.from([0x0a, scope.length + 2, 0x12, scope.length, ...scope]);
    expect((await post(running.httpPort, PATHS.traces, malformed)).status).toBe(400);
    await until(() => sink.received.length === 2);
    for (const { signal, body } of sink.received)
      expect(JSON.stringify(decode(signal, body)).split('"key":"env"').length).toBe(signal === 'traces' ? 4 : 3);
    client.close();
    expect((await finish(running)).total).toMatchObject({ accepted: 5, refused: 1, sent: 5 });
    await sink.close();
  });
});

describe('configuration of the attributes processor', () => {
  const problems = (config: string, signal = 'traces'): string[] =>
    problemsOf(MINIMAL, {
      sets: [
        `processors.attributes=${config}`,
        `service.pipelines.${signal}={receivers: [otlp], processors: [attributes], exporters: [otlp_grpc]}`,
      ],
    }).map(printProblem);
  const actions = 'actions: [{key: a, action: delete}]';

  it.each([
    ['{}', 'needs at least one action'],
    [`{include: {match_type: glob, span_names: [a]}, ${actions}}`, '"glob" is none of strict, regexp'],
    [`{include: {}, ${actions}}`, 'for traces at least one of services, span_names'],
    [`{exclude: {match_type: regexp, span_names: ["(?=x)"]}, ${actions}}`, 'is no regular expression'],
    [`{include: {match_type: strict, span_kinds: [server]}, ${actions}}`, '"server" is none of SPAN_KIND_CLIENT'],
    [`{include: {match_type: strict, log_bodies: [a], span_names: [b]}, ${actions}}`, 'is not for traces'],
    [`{include: {match_type: regexp, attributes: [{key: a, value: 5}]}, ${actions}}`, 'must be text where match_type is regexp'],
    [`{include: {match_type: strict, attributes: [{value: x}]}, ${actions}}`, 'must not be empty'],
  ])('fails on %s', (config, message) => {
    expect(problems(config).join('\n')).toContain(message);
  });

  it('fails on what is not for metrics', () => {
    expect(problems(`{include: {match_type: strict, services: [a], metric_names: [b]}, ${actions}}`, 'metrics').join('\n')).toContain(
      'is not for metrics',
    );
  });
});
