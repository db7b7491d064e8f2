import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attributeText } from '../../../agent/balance/attributes.ts';
import { createKeyer } from '../../../agent/balance/keys.ts';
import type { RoutingKey } from '../../../agent/balance/settings.ts';
import { KeySplitter } from '../../../agent/balance/split-by-key.ts';
import { xxhash64 } from '../../../agent/balance/xxhash64.ts';
import type { Signal } from '../../../agent/config/settings.ts';
import { topFields } from '../../../agent/otlp/wire.ts';
import { attribute, encode, type Message, request } from '../kit/otlp.ts';

interface KeyVectors {
  readonly vectors: readonly {
    readonly request: string;
    readonly resources: readonly string[];
    readonly streams: readonly string[];
    readonly texts: readonly string[];
  }[];
}

const VECTORS = JSON.parse(readFileSync(new URL('vectors/keys.json', import.meta.url), 'utf8')) as KeyVectors;

/** Every key that is asked for, in order. */
function keysOf(signal: Signal, key: RoutingKey, body: Uint8Array, attributes: readonly string[] = []): string[] {
  const keys: string[] = [];
  const splitter = new KeySplitter(signal, createKeyer(signal, { key, attributes }));
  splitter.plan(body, 0, (bytes, from, end) => {
    keys.push(Buffer.from(bytes.subarray(from, end)).toString('latin1'));
    return 0;
  });
  return keys;
}

describe('keys that upstream made', () => {
  it.each(VECTORS.vectors.map((vector, i) => [i, vector] as const))('resource and streamID of request %i', (_i, vector) => {
    const body = Buffer.from(vector.request, 'hex');
    expect(keysOf('metrics', 'resource', body)).toEqual(vector.resources);
    expect(keysOf('metrics', 'streamID', body)).toEqual(vector.streams);
  });

  it.each(VECTORS.vectors.map((vector, i) => [i, vector] as const))('attribute values as text of request %i', (_i, vector) => {
    const body = Buffer.from(vector.request, 'hex');
    const [resourceX] = topFields(body);
    const [resource] = topFields(body, resourceX?.bodyStart, resourceX?.end);
    const names = vector.texts.length === 0 ? [] : ['value', 'b', 'a'];
    const texts = names.map((name) => attributeText(body, resource?.bodyStart as number, resource?.end as number, 1, Buffer.from(name)));
    expect(texts).toEqual(vector.texts);
  });

  it('xxhash64 of the specification', () => {
    expect(xxhash64(Buffer.alloc(0))).toBe(0xef46db3751d8e999n);
    expect(xxhash64(Buffer.from('a'))).toBe(0xd24ec4f1a98c6e5bn);
    expect(xxhash64(Buffer.from('The quick brown fox jumps over the lazy dog'))).toBe(0x0b242d361fda71bcn);
  });
});

const span = (id: number, more: Message = {}): Message => ({
  traceId: Buffer.alloc(16, id),
  spanId: Buffer.alloc(8, 1),
  name: `span ${id}`,
  kind: 2,
  ...more,
});
const traces = (resource: Message[], scope: Message[], spans: Message[]): Buffer =>
  encode('traces', {
    resourceSpans: [{ resource: { attributes: resource }, scopeSpans: [{ scope: { name: 's', attributes: scope }, spans }] }],
  });
const logs = (resource: Message[], logRecords: Message[]): Buffer =>
  encode('logs', { resourceLogs: [{ resource: { attributes: resource }, scopeLogs: [{ scope: { name: 's' }, logRecords }] }] });

describe('traces', () => {
  it('traceID: the sixteen bytes; zeros where there is none', () => {
    expect(keysOf('traces', 'traceID', traces([], [], [span(1), span(2), { name: 'none' }]))).toEqual([
      '\u0001'.repeat(16),
      '\u0002'.repeat(16),
      '\0'.repeat(16),
    ]);
  });

  it('traceID that is not the first field', () => {
    // Span: name = 5 before trace_id = 1
    const inner = Buffer.concat([Buffer.from([0x2a, 1, 0x78, 0x0a, 16]), Buffer.alloc(16, 9)]);
    const scope = Buffer.concat([Buffer.from([0x12, inner.length]), inner]);
    const resource = Buffer.concat([Buffer.from([0x12, scope.length]), scope]);
    expect(keysOf('traces', 'traceID', Buffer.concat([Buffer.from([0x0a, resource.length]), resource]))).toEqual(['\t'.repeat(16)]);
  });

  it('service is name=value|, of the resource, else of the scope, else of the first span of each trace', () => {
    const name = attribute('service.name', 'shop');
    expect(keysOf('traces', 'service', traces([name], [], [span(1), span(2)]))).toEqual(['service.name=shop|']);
    expect(keysOf('traces', 'service', traces([], [name], [span(1), span(2)]))).toEqual(['service.name=shop|']);
    const own = { attributes: [attribute('service.name', 'own')] };
    expect(keysOf('traces', 'service', traces([], [], [span(1), span(1, own), span(2, own)]))).toEqual([
      'service.name=|',
      'service.name=own|',
    ]);
  });

  it('attributes: in the order of the configuration, with the pseudo attributes span.kind and span.name', () => {
    const body = traces([attribute('b', 'resource')], [attribute('c', 'scope')], [span(1, { attributes: [attribute('a', 'span')] })]);
    expect(keysOf('traces', 'attributes', body, ['a', 'b', 'c', 'none', 'span.kind', 'span.name'])).toEqual([
      'a=span|b=resource|c=scope|none=|span.kind=Server|span.name=span 1|',
    ]);
  });

  it('what one resource has does not leak into the next', () => {
    const body = Buffer.concat([traces([attribute('b', '1')], [], [span(1)]), traces([], [], [span(2)])]);
    expect(keysOf('traces', 'attributes', body, ['b'])).toEqual(['b=1|', 'b=|']);
  });
});

describe('logs', () => {
  it('traceID in hexadecimal; a random one where there is none', () => {
    const keys = keysOf('logs', 'traceID', logs([], [{ traceId: Buffer.alloc(16, 0xab) }, {}, { traceId: Buffer.alloc(16) }]));
    expect(keys[0]).toBe('ab'.repeat(16));
    expect(keys[1]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBe(3);
  });

  it('service is the bare value, empty where it is missing', () => {
    expect(keysOf('logs', 'service', logs([attribute('service.name', 'shop')], [{}, {}]))).toEqual(['shop']);
    expect(keysOf('logs', 'service', logs([], [{}, {}]))).toEqual(['']);
  });

  it('attributes: those of the resource first, with the pseudo attributes log.severity and log.body', () => {
    const record = { severityText: 'WARN', body: { stringValue: 'hello' }, attributes: [attribute('a', 'record')] };
    expect(keysOf('logs', 'attributes', logs([attribute('r', '1')], [record]), ['a', 'log.body', 'r', 'log.severity'])).toEqual([
      'r=1|a=record|log.body=hello|log.severity=WARN|',
    ]);
  });
});

describe('metrics', () => {
  it('metric: the name; service: the bare value; attributes: of each data point', () => {
    const body = request('metrics', 2, 'cpu');
    expect(keysOf('metrics', 'metric', body)).toEqual(['cpu-0']);
    expect(keysOf('metrics', 'service', body)).toEqual(['cpu-0']);
    expect(keysOf('metrics', 'attributes', body, ['zone'])).toEqual(['zone=|', 'zone=|']);
  });
});
