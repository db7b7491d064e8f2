import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributesView } from '../../../../agent/otlp/view/attributes.ts';
import { MessageView } from '../../../../agent/otlp/view/message.ts';
import { RequestView } from '../../../../agent/otlp/view/request.ts';
import { lenField, MalformedError, scan } from '../../../../agent/otlp/wire.ts';
import { canonical } from '../../../real/processors/canonical.ts';
import { requestArbitrary } from '../../../real/processors/generate.ts';
import { encode, type Message } from '../../kit/otlp.ts';
import { plain } from './plain.ts';

const SIGNALS = ['traces', 'metrics', 'logs'] as const;
const RUNS = { numRuns: 150 };

/** The view with something written, so that it is written anew. */
function joined(view: RequestView): Buffer {
  const body = view.toBody();
  const bytes = Buffer.concat(body.slices);
  expect(bytes.length).toBe(body.bytes);
  return bytes;
}

describe.each(SIGNALS)('a view over %s', (signal) => {
  it('reads what protobufjs reads, field for field', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), (message) => {
        const bytes = encode(signal, message);
        expect(canonical(signal, encode(signal, plain(signal, new RequestView(signal, bytes))))).toEqual(canonical(signal, bytes));
      }),
      RUNS,
    );
  });

  it('is the very body that it was made of while nothing is written, however much is read', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), (message) => {
        const bytes = encode(signal, message);
        const body = { slices: [bytes], bytes: bytes.length, items: 1 };
        const view = new RequestView(signal, body);
        plain(signal, view);
        expect(view.toBody()).toBe(body);
      }),
      RUNS,
    );
  });

  it('written with all fields of another one, it is that other one', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), requestArbitrary(signal), (a, b) => {
        const view = new RequestView(signal, encode(signal, a));
        const other = new RequestView(signal, encode(signal, b));
        copyTrees(view, other);
        // Lists are copied as far as both have members, so both are cut to that.
        expect(canonical(signal, joined(view))).toEqual(canonical(signal, joined(other)));
      }),
      RUNS,
    );
  });

  it('keeps the bytes of everything beside the one attribute that is written', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), fc.nat(), (message, pick) => {
        const bytes = encode(signal, message);
        const view = new RequestView(signal, bytes);
        // Where there are some: a Resource or Scope that is missing would be made.
        const places = attributesOf(view).filter(({ size }) => size > 0);
        const place = places[pick % Math.max(places.length, 1)];
        if (place === undefined) return;
        place.set('added by the test', 'x');
        const written = joined(view);
        const added = encode('traces', {
          resourceSpans: [{ resource: { attributes: [{ key: 'added by the test', value: { stringValue: 'x' } }] } }],
        });
        // 4: the headers of ResourceSpans and Resource. Around the attribute each of nine levels may need a longer length.
        expect(written.length - bytes.length).toBeLessThanOrEqual(added.length - 4 + 9);
        expect(written.includes(added.subarray(6))).toBe(true);
        place.delete('added by the test');
        // All levels around it are written anew, out of ranges of what came in.
        expect(joined(view).equals(bytes)).toBe(true);
      }),
      RUNS,
    );
  });

  it('never throws anything but MalformedError on mutated bytes, and reads everything again after a change', () => {
    fc.assert(
      fc.property(
        requestArbitrary(signal),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (message, changes) => {
          const bytes = Buffer.from(encode(signal, message));
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          try {
            const view = new RequestView(signal, bytes);
            plain(signal, view);
            for (const place of attributesOf(view)) place.set('a', 1n);
            const written = joined(view);
            plain(signal, new RequestView(signal, written));
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedError);
          }
        },
      ),
      { numRuns: 600 },
    );
  });

  it('counts the items that removals leave', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), (message, choices) => {
        const view = new RequestView(signal, encode(signal, message));
        let i = 0;
        const chosen = (): boolean => choices[i++ % choices.length] === true;
        for (const resource of view.resources) {
          for (const scope of resource.scopes) {
            for (const item of scope.items) if (chosen()) item.remove();
            if (scope.items.length === 0 || chosen()) scope.remove();
          }
          if (resource.scopes.length === 0) resource.remove();
        }
        const body = view.toBody();
        expect(scan(signal, Buffer.concat(body.slices))).toEqual({ ok: true, items: body.items });
      }),
      RUNS,
    );
  });
});

/** All attributes of a request, of whatever place. */
function attributesOf(view: RequestView): AttributesView[] {
  const found: AttributesView[] = [];
  for (const resource of view.resources) {
    found.push(resource.attributes);
    for (const scope of resource.scopes) {
      found.push(scope.attributes);
      for (const item of scope.items) collect(item, found);
    }
  }
  return found;
}

function collect(message: MessageView, found: AttributesView[]): void {
  const own = message as unknown as Record<string, unknown>;
  for (const key of ['attributes', 'filteredAttributes', 'metadata']) if (key in own) found.push(own[key] as AttributesView);
  for (const key of ['events', 'links', 'dataPoints', 'exemplars'])
    if (key in own) for (const each of own[key] as MessageView[]) collect(each, found);
}

/** Writes every field of `from` that has a setter into `to`, level by level; where one list is longer, its rest is removed. */
function copyTrees(to: RequestView, from: RequestView): void {
  copyLists(to.resources, from.resources, (a, b) => {
    copyAccessors(a, b);
    copyAccessors(a.resource, b.resource);
    copyLists(a.scopes, b.scopes, (c, d) => {
      copyAccessors(c, d);
      copyLists(c.items, d.items, (e, f) => copyMessage(e, f));
    });
  });
}

function copyLists<V extends MessageView>(to: readonly V[], from: readonly V[], copy: (a: V, b: V) => void): void {
  to.forEach((view, i) => {
    const other = from[i];
    if (other === undefined) view.remove();
    else copy(view, other);
  });
  for (const extra of from.slice(to.length)) extra.remove();
}

function copyMessage(to: MessageView, from: MessageView): void {
  const [a, b] = [to as unknown as Record<string, unknown>, from as unknown as Record<string, unknown>];
  // The kind of a metric cannot be set: both have to be of one kind.
  if ('dataPoints' in a && a.type !== b.type) {
    to.remove();
    from.remove();
    return;
  }
  copyAccessors(to, from);
  for (const key of ['status', 'positive', 'negative']) if (key in a) copyAccessors(a[key] as MessageView, b[key] as MessageView);
  for (const key of ['events', 'links', 'dataPoints', 'quantileValues'])
    if (key in a) copyLists(a[key] as MessageView[], b[key] as MessageView[], copyMessage);
  // Exemplars can only be read.
  if ('exemplars' in a) for (const each of [...(a.exemplars as MessageView[]), ...(b.exemplars as MessageView[])]) each.remove();
}

function copyAccessors(to: MessageView, from: MessageView): void {
  const [a, b] = [to as unknown as Record<string, unknown>, from as unknown as Record<string, unknown>];
  for (let shape: unknown = Object.getPrototypeOf(to); shape !== MessageView.prototype; shape = Object.getPrototypeOf(shape)) {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(shape as object))) {
      if (property.set !== undefined) a[key] = b[key];
      else if (key === 'attributes' || key === 'metadata') (a[key] as AttributesView).replaceAll(b[key] as AttributesView);
    }
  }
}

describe('bytes that nobody writes by hand', () => {
  const unknownField = Buffer.from([0xfa, 0x3e, 0x03, 1, 2, 3]); // field 1007, three bytes
  const len = (field: number, ...parts: Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    expect(content.length).toBeLessThan(128);
    return Buffer.concat([Buffer.from([(field << 3) | 2, content.length]), content]);
  };
  const text = (field: number, value: string): Buffer => len(field, Buffer.from(value));
  const pair = (key: string, value: string): Buffer => Buffer.concat([text(1, key), len(2, text(1, value))]);

  it('unknown fields of every level stay where they are', () => {
    const span = (name: Buffer): Buffer =>
      Buffer.concat([unknownField, name, unknownField, len(9, pair('k', 'v'), unknownField), unknownField]);
    const around = (inner: Buffer): Buffer =>
      len(1, unknownField, len(1, len(1, pair('r', 's')), unknownField), len(2, unknownField, len(2, inner)), unknownField);
    const view = new RequestView('traces', around(span(text(5, 'old'))));
    const first = view.resources[0]?.scopes[0]?.items[0];
    if (first === undefined) throw new Error('no span');
    first.name = 'new';
    expect(joined(view).equals(around(span(text(5, 'new'))))).toBe(true);
    first.attributes.set('k', 'w');
    const expected = Buffer.concat([unknownField, text(5, 'new'), unknownField, len(9, pair('k', 'w'), unknownField), unknownField]);
    expect(joined(view).equals(around(expected))).toBe(true);
  });

  it('a message in pieces is one message: Resource, Scope, Status, Gauge, body and the value of an attribute', () => {
    const spans = new RequestView(
      'traces',
      len(
        1,
        len(1, len(1, pair('a', '1'))),
        len(1, len(1, pair('b', '2'))),
        len(2, len(1, text(1, 'scope')), len(1, text(2, '7')), len(2, len(15, text(2, 'bad')), len(15, Buffer.from([24, 2])))),
      ),
    );
    const resource = spans.resources[0];
    const scope = resource?.scopes[0];
    expect([...(resource?.attributes.keys() ?? [])]).toEqual(['a', 'b']);
    expect([scope?.name, scope?.version]).toEqual(['scope', '7']);
    expect([scope?.items[0]?.status.message, scope?.items[0]?.status.code]).toEqual(['bad', 2]);
    resource?.attributes.set('b', 'changed');
    expect(canonical('traces', joined(spans))).toMatchObject({
      resourceSpans: [{ resource: { attributes: [{ key: 'a' }, { key: 'b', value: { stringValue: 'changed' } }] } }],
    });
    const point = len(1, len(7, pair('k', 'v')));
    const metrics = new RequestView('metrics', len(1, len(2, len(2, len(7, point), len(5, point), len(5, point)))));
    const metric = metrics.resources[0]?.scopes[0]?.items[0];
    expect([metric?.type, metric?.dataPoints.length]).toEqual(['gauge', 2]);
    const log = new RequestView('logs', len(1, len(2, len(2, len(5, text(1, 'first')), len(5, text(1, 'second'))))));
    expect(log.resources[0]?.scopes[0]?.items[0]?.body).toBe('second');
  });

  it('of a key that is there twice the first is read and set, and both are deleted', () => {
    const view = new RequestView('traces', len(1, len(1, len(1, pair('k', '1')), len(1, pair('x', '2')), len(1, pair('k', '3')))));
    const attributes = view.resources[0]?.attributes as AttributesView;
    expect(attributes.get('k')).toBe('1');
    attributes.set('k', 'set');
    expect([...attributes]).toEqual([
      ['k', 'set'],
      ['x', '2'],
      ['k', '3'],
    ]);
    attributes.delete('k');
    expect(joined(view).equals(len(1, len(1, len(1, pair('x', '2')))))).toBe(true);
  });

  it('a key is found by its letters, not by bytes that are none', () => {
    const raw = Buffer.concat([len(1, Buffer.from([0xe9])), len(2, text(1, 'no text'))]);
    const view = new RequestView('traces', len(1, len(1, len(1, raw), len(1, pair('ä', 'two bytes')), len(1, pair('ab', 'ascii')))));
    const attributes = view.resources[0]?.attributes as AttributesView;
    expect([attributes.get('\u00e9'), attributes.get('ä'), attributes.get('ab'), attributes.get('\ufffd')]).toEqual([
      undefined,
      'two bytes',
      'ascii',
      undefined,
    ]);
  });

  it('an attribute without value, and one whose key stands behind its value, can be set', () => {
    const body = len(1, len(1, len(1, text(1, 'bare')), len(1, len(2, text(1, 'v')), text(1, 'late'))));
    const view = new RequestView('traces', body);
    const attributes = view.resources[0]?.attributes as AttributesView;
    expect([...attributes]).toEqual([
      ['bare', undefined],
      ['late', 'v'],
    ]);
    attributes.set('bare', true);
    attributes.set('late', 5n);
    expect(canonical('traces', joined(view))).toEqual({
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'bare', value: { boolValue: true } },
              { key: 'late', value: { intValue: '5' } },
            ],
          },
        },
      ],
    });
  });

  it('fails on a known field of another wire type, when it is read', () => {
    const view = new RequestView('traces', len(1, len(2, len(2, Buffer.from([(5 << 3) | 0, 1])))));
    const span = view.resources[0]?.scopes[0]?.items[0];
    expect(span?.kind).toBe(0);
    expect(() => span?.name).toThrow(MalformedError);
  });

  it('fails with MalformedError on values nested 10 000 deep, and passes them on where nobody reads them', () => {
    let value: Buffer = Buffer.alloc(0);
    const nested = (field: number, content: Buffer): Buffer => {
      const length: number[] = [];
      let rest = content.length;
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80);
      return Buffer.concat([Buffer.from([(field << 3) | 2, ...length, rest]), content]);
    };
    for (let depth = 0; depth < 10_000; depth += 1) value = nested(5, nested(1, value));
    const record = Buffer.concat([nested(5, value), nested(6, Buffer.concat([text(1, 'deep'), nested(2, value)]))]);
    const body = nested(1, nested(2, nested(2, record)));
    const view = new RequestView('logs', body);
    const log = view.resources[0]?.scopes[0]?.items[0];
    expect(() => log?.body).toThrow(MalformedError);
    expect(() => log?.attributes.get('deep')).toThrow(MalformedError);
    log?.attributes.set('beside', 1n);
    expect(joined(view).includes(value)).toBe(true);
  });

  it('long untouched ranges are shared with the input, not copied', () => {
    const big = encode('logs', {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'x'.repeat(20_000) } }, { severityText: 'a' }] }] }],
    } as Message);
    const view = new RequestView('logs', big);
    const records = view.resources[0]?.scopes[0]?.items ?? [];
    if (records[1] !== undefined) records[1].severityText = 'changed';
    const body = view.toBody();
    expect(body.slices.some((slice) => slice.buffer === big.buffer && slice.length > 20_000)).toBe(true);
  });
});

describe('very many tiny messages', () => {
  const len = (field: number, content: Buffer): Buffer => Buffer.from(lenField(field, content));
  const many = (count: number, what: Buffer): Buffer => Buffer.alloc(count * what.length, what);

  it('fails on fields of two bytes by the million, instead of taking memory for each', () => {
    const spans = new RequestView('traces', len(1, len(2, many(3_000_000, Buffer.from([0x12, 0])))));
    expect(() => spans.resources[0]?.scopes[0]?.items.length).toThrow(/more than \d+ fields in one message/u);
    const apart = new RequestView('traces', many(1000, len(1, len(2, many(1000, Buffer.from([0x12, 0]))))));
    expect(() => {
      for (const resource of apart.resources) for (const scope of resource.scopes) expect(scope.items.length).toBe(1000);
    }).toThrow(/less than 8 bytes on average/u);
    const list = len(5, many(2_000_000, Buffer.from([0x0a, 0])));
    const body = new RequestView('logs', len(1, len(2, len(2, len(5, list)))));
    expect(() => body.resources[0]?.scopes[0]?.items[0]?.body).toThrow(/more than \d+ members/u);
  });

  it('a hundred thousand attributes of one key are deleted, and replaced, in one pass', () => {
    const pair = len(1, Buffer.concat([len(1, Buffer.from('k')), len(2, len(1, Buffer.from('v')))]));
    const view = new RequestView('traces', len(1, len(1, many(100_000, pair))));
    const attributes = view.resources[0]?.attributes as AttributesView;
    attributes.replaceAll(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 'v'] as const));
    expect(attributes.size).toBe(100_000);
    expect(attributes.deleteIf((key) => key.endsWith('7'))).toBe(10_000);
    expect(joined(view).length).toBeGreaterThan(90_000 * 10);
  });
});
