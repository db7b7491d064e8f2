import { describe, expect, it } from 'vitest';
import { compileGoRegExp, type GoRegExp } from '../../../agent/config/go-regexp.ts';
import { printProblem } from '../../../agent/config/problems.ts';
import { lenField } from '../../../agent/otlp/wire.ts';
import type { Body } from '../../../agent/process/process.ts';
import { RedactionProcessor } from '../../../agent/process/redaction.ts';
import type { RedactionSettings } from '../../../agent/process/redaction-config.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { decode, encode, type Message, REQUEST_TYPES, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';
import { loadYaml, MINIMAL, problemsOf } from '../support/config.ts';

const settings = (more: Partial<RedactionSettings>): RedactionSettings => ({
  kind: 'redaction',
  id: 'redaction',
  allowedKeys: undefined,
  ignoredKeys: new Set(),
  ignoredKeyPatterns: [],
  blockedKeyPatterns: [],
  blockedValues: [],
  allowedValues: [],
  hashFunction: '',
  hmacKey: '',
  redactAllTypes: false,
  summary: 'silent',
  ...more,
});

const patterns = (...sources: string[]): GoRegExp[] => sources.map((source) => compileGoRegExp(source) as GoRegExp);
const bodyOf = (bytes: Buffer): Body => ({ slices: [bytes], bytes: bytes.length, items: 1 });

function record(message: Message, more: Partial<RedactionSettings>): Message {
  const bytes = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [message] }] }] });
  const out = new RedactionProcessor(settings(more), 'logs').process(bodyOf(bytes));
  if (typeof out === 'string') throw new Error(out);
  const sent = decode('logs', Buffer.concat(out.slices)) as { resourceLogs: { scopeLogs: { logRecords: Message[] }[] }[] };
  return sent.resourceLogs[0]?.scopeLogs[0]?.logRecords[0] ?? {};
}

/** The content of an AnyValue. */
function encodeValue(value: Message): Buffer {
  const type = REQUEST_TYPES.logs.root.lookupType('opentelemetry.proto.common.v1.AnyValue');
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

const text = (key: string, stringValue: string): Message => ({ key, value: { stringValue } });

describe('the redaction processor', () => {
  it('removes what is not on the list, in maps of the body too, and says so', () => {
    const body = { kvlistValue: { values: [text('keep', 'x'), text('drop', 'y')] } };
    expect(
      record({ attributes: [text('keep', '1'), text('drop', '2')], body }, { allowedKeys: new Set(['keep']), summary: 'debug' }),
    ).toEqual({
      attributes: [
        text('keep', '1'),
        text('redaction.redacted.keys', 'drop'),
        { key: 'redaction.redacted.count', value: { intValue: '1' } },
        text('redaction.body.redacted.keys', 'drop'),
        { key: 'redaction.body.redacted.count', value: { intValue: '1' } },
      ],
      body: { kvlistValue: { values: [text('keep', 'x')] } },
    });
  });

  it('leaves no value of a body that a second one of its key, or a second piece of the map, would hide', () => {
    const secret = { key: 'card', value: { stringValue: '4111' } };
    const twice = { kvlistValue: { values: [text('a', 'x'), secret, text('card', 'ok')] } };
    expect(record({ body: twice }, { blockedValues: patterns('\\d{4}') })).toEqual({
      body: { kvlistValue: { values: [text('a', 'x'), text('card', 'ok')] } },
    });
    const pieces = [[secret], [text('a', 'x')]].map((values) => encodeValue({ kvlistValue: { values } }));
    const bytes = [5, 2, 2, 1].reduce<Uint8Array>((content, field) => lenField(field, content), Buffer.concat(pieces));
    const out = new RedactionProcessor(settings({ blockedValues: patterns('\\d{4}') }), 'logs').process(bodyOf(Buffer.from(bytes)));
    if (typeof out === 'string') throw new Error(out);
    expect(Buffer.concat(out.slices).includes('4111')).toBe(false);
    expect(Buffer.concat(out.slices).includes('****')).toBe(true);
  });

  it('masks what a pattern matches and leaves allowed and ignored values', () => {
    const attributes = [text('a', 'card 4111 and 4222'), text('b', 'card 4111 ok'), text('c', '4111')];
    expect(
      record({ attributes }, { blockedValues: patterns('\\d{4}'), allowedValues: patterns('ok$'), ignoredKeys: new Set(['c']) }).attributes,
    ).toEqual([text('a', 'card **** and ****'), text('b', 'card 4111 ok'), text('c', '4111')]);
  });

  it.each([
    ['sha1', 'e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4'],
    ['md5', '5ebe2294ecd0e0f08eab7690d2a6ee69'],
    ['sha3', 'f5a5207a8729b1f709cb710311751eb2fc8acad5a1fb8ac991b736e69b6529a3'],
    ['hmac-sha256', '09d9e6aed1dd2a0e1a8f27e5e9c5f3b7'],
  ] as const)('masks with %s', (hashFunction, hash) => {
    const out = record({ attributes: [text('a', 'secret')] }, { blockedValues: patterns('secret'), hashFunction, hmacKey: 'k'.repeat(32) });
    const [only] = out.attributes as { value: { stringValue: string } }[];
    if (hashFunction === 'hmac-sha256') expect(only?.value.stringValue).toMatch(/^[0-9a-f]{64}$/u);
    else expect(only?.value.stringValue).toBe(hash);
  });

  it('gives back the very body where nothing is to be hidden, and passes values nested too deeply unread', () => {
    const bytes = request('logs', 3);
    const body = bodyOf(bytes);
    expect(new RedactionProcessor(settings({ blockedValues: patterns('no such text') }), 'logs').process(body)).toBe(body);
    let deep: Uint8Array = lenField(1, Buffer.from('x'));
    for (let i = 0; i < 450; i += 1) deep = lenField(5, lenField(1, deep));
    const span = lenField(9, Buffer.concat([lenField(1, Buffer.from('deep')), lenField(2, deep)]));
    const nested = bodyOf(Buffer.from(lenField(1, lenField(2, lenField(2, span)))));
    expect(new RedactionProcessor(settings({ blockedValues: patterns('x+') }), 'traces').process(nested)).toBe(nested);
    expect(new RedactionProcessor(settings({ blockedValues: patterns('x+'), redactAllTypes: true }), 'traces').process(nested)).toMatch(
      /nested more than/u,
    );
  });

  it('in a pipeline redacts spans with their events and balances', async () => {
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port)],
      processors: [settings({ blockedKeyPatterns: patterns('token'), summary: 'info' })],
    });
    const spans = [{ attributes: [text('token', 't')], events: [{ attributes: [text('a.token', 't')] }] }];
    expect((await post(running.httpPort, PATHS.traces, encode('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] }))).status).toBe(
      200,
    );
    await until(() => sink.received.length === 1);
    const sent = JSON.stringify(decode('traces', (sink.received[0] as { body: Buffer }).body));
    expect(sent.match(/\*\*\*\*/gu)).toHaveLength(2);
    expect(sent.match(/redaction\.masked\.count/gu)).toHaveLength(2);
    await finish(running);
    await sink.close();
  });
});

describe('configuration of the redaction processor', () => {
  const sets = (config: string): string[] => [`processors.redaction=${config}`, 'service.pipelines.traces.processors=[redaction]'];

  it.each([
    ['{hash_function: sha7}', 'wants one of sha1, sha3, md5, hmac-sha256, hmac-sha512'],
    ['{hash_function: hmac-sha512, hmac_key: "too short"}', 'must have 64 bytes or more for hmac-sha512, it has 9'],
    ['{blocked_values: ["(?<=a)b"]}', 'is no regular expression'],
    ['{url_sanitizer: {enabled: true}}', 'processors.redaction.url_sanitizer.enabled: this sanitizer is not supported'],
    ['{db_sanitizer: {sql: {enabled: true}}}', 'processors.redaction.db_sanitizer.sql.enabled: this sanitizer is not supported'],
    ['{blocked_value: [a]}', 'did you mean "blocked_values"?'],
  ])('fails on %s', (config, message) => {
    const lines = problemsOf(MINIMAL, { sets: sets(config) }).map(printProblem);
    expect(lines.join('\n')).toContain(message);
    expect(lines.join('\n')).not.toContain('too short');
  });

  it('has the defaults of upstream: no key is allowed, nothing is masked', () => {
    const { processors } = loadYaml(MINIMAL, { sets: sets('{}') }).settings;
    expect(processors.redaction).toMatchObject({ blockedValues: [], hashFunction: '', redactAllTypes: false, summary: 'silent' });
    expect((processors.redaction as RedactionSettings).allowedKeys?.has('redaction.masked.keys')).toBe(true);
  });
});
