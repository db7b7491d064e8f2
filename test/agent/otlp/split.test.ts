import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../agent/config/settings.ts';
import { splitRequest } from '../../../agent/otlp/split.ts';
import { lenHeader, scan } from '../../../agent/otlp/wire.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { attribute, decode, encode, type Message, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS, QUEUE } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

type SplitSignal = Exclude<Signal, 'profiles'>;

const NAMES = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  metrics: { resources: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
} as const;

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

/** A request by its shape: numbers of items by scope by resource; for metrics of points by metric by scope by resource. */
function build(signal: SplitSignal, shape: readonly (readonly (readonly number[])[])[]): Buffer {
  const { resources, scopes, items } = NAMES[signal];
  let serial = 0;
  const item = (): Message => {
    serial += 1;
    const text = 'x'.repeat(serial % 7);
    if (signal === 'traces') return { name: `${serial}${text}`, traceId: Buffer.alloc(16, 1 + (serial % 9)) };
    return signal === 'logs'
      ? { body: { stringValue: `${serial}${text}` } }
      : { timeUnixNano: String(serial), attributes: [attribute('t', text)] };
  };
  const many = (count: number): Message[] => Array.from({ length: count }, item);
  const metric = (count: number, index: number): Message => {
    const kind = KINDS[index % KINDS.length] as (typeof KINDS)[number];
    const temporality = kind === 'gauge' || kind === 'summary' ? {} : { aggregationTemporality: 2 };
    return { name: `m${index}`, unit: 's', description: 'of a metric', [kind]: { dataPoints: many(count), ...temporality } };
  };
  return encode(signal, {
    [resources]: shape.map((list, r) => ({
      resource: { attributes: [attribute('r', String(r))] },
      [scopes]: list.map((counts, s) => ({
        scope: { name: `s${s}` },
        [items]: signal === 'metrics' ? counts.map(metric) : counts.flatMap(many),
        schemaUrl: 'scope',
      })),
      schemaUrl: 'resource',
    })),
  });
}

/** Every item in order, each with all that stands around it. */
function flatten(signal: SplitSignal, body: Buffer): string[] {
  const { resources, scopes, items } = NAMES[signal];
  const list = (value: unknown): Message[] => (value ?? []) as Message[];
  return list(decode(signal, body)[resources]).flatMap(({ [scopes]: inner, ...resource }) =>
    list(inner).flatMap(({ [items]: found, ...scope }) =>
      list(found).flatMap((one) => {
        const kind = KINDS.find((name) => name in one);
        if (kind === undefined) return [JSON.stringify([resource, scope, one])];
        const { dataPoints, ...data } = one[kind] as Message;
        return list(dataPoints).map((point) => JSON.stringify([resource, scope, { ...one, [kind]: data }, point]));
      }),
    ),
  );
}

/** What holds nothing; there must be none. */
function emptyEnvelopes(signal: SplitSignal, body: Buffer): number {
  const { resources, scopes, items } = NAMES[signal];
  let empty = 0;
  for (const resource of (decode(signal, body)[resources] ?? []) as Message[]) {
    if (((resource[scopes] ?? []) as Message[]).length === 0) empty += 1;
    for (const scope of (resource[scopes] ?? []) as Message[]) if (((scope[items] ?? []) as Message[]).length === 0) empty += 1;
  }
  return empty;
}

const shapes = fc.array(fc.array(fc.array(fc.nat({ max: 9 }), { maxLength: 3 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 });
const signals = fc.constantFrom<SplitSignal>('traces', 'metrics', 'logs');

describe('cutting a request that is larger than a batch', () => {
  it('by items: conserves every item with all that is around it, in order, in as few pieces as can be, none above the maximum', () => {
    fc.assert(
      fc.property(signals, shapes, fc.integer({ min: 1, max: 20 }), (signal, shape, max) => {
        const body = build(signal, shape);
        const pieces = splitRequest(signal, [body], max, 'items');
        const all = flatten(signal, body);
        expect(pieces.length).toBe(Math.max(1, Math.ceil(all.length / max)));
        for (const piece of pieces) {
          const bytes = Buffer.concat(piece.slices);
          expect(piece.bytes).toBe(bytes.length);
          expect(scan(signal, bytes)).toMatchObject({ ok: true, items: piece.items });
          expect(piece.items).toBeLessThanOrEqual(max);
          expect(emptyEnvelopes(signal, bytes)).toBe(0);
        }
        expect(pieces.flatMap((piece) => flatten(signal, Buffer.concat(piece.slices)))).toEqual(all);
      }),
    );
  });

  it('by bytes: the same, and only a piece of one item may be above the maximum', () => {
    fc.assert(
      fc.property(signals, shapes, fc.integer({ min: 20, max: 600 }), (signal, shape, max) => {
        const body = build(signal, shape);
        const pieces = splitRequest(signal, [body], max, 'bytes');
        const all = flatten(signal, body);
        for (const piece of pieces) {
          expect(piece.bytes).toBe(Buffer.concat(piece.slices).length);
          if (piece.items > 1) expect(piece.bytes).toBeLessThanOrEqual(max);
        }
        expect(pieces.reduce((sum, piece) => sum + piece.items, 0)).toBe(all.length);
        expect(pieces.flatMap((piece) => flatten(signal, Buffer.concat(piece.slices)))).toEqual(all);
      }),
    );
  });

  it('by bytes: a piece ends only where the next item would not fit', () => {
    const body = build('logs', [[[40]]]);
    const pieces = splitRequest('logs', [body], 200, 'bytes');
    for (const piece of pieces.slice(0, -1)) expect(piece.bytes).toBeGreaterThan(200 - 20);
  });

  it('takes what needs no cut as it is: one slice of the same memory', () => {
    const one = request('logs', 3);
    const body = Buffer.concat([one, one, one]);
    const pieces = splitRequest('logs', [body], 6, 'items');
    expect(pieces.map((piece) => piece.bytes)).toEqual([one.length * 2, one.length]);
    expect(pieces.map((piece) => piece.slices.length)).toEqual([1, 1]);
    expect(pieces[0]?.slices[0]?.buffer).toBe(body.buffer);
  });

  it('keeps fields of the envelopes that it does not know in every piece, those of items with their item', () => {
    const unknown = Buffer.from([0xf8, 0x07, 5]); // field 127
    const item = Buffer.concat([Buffer.from([0x2a, 1, 0x61]), unknown]);
    const nest = (tag: number, ...parts: Buffer[]): Buffer => {
      const inner = Buffer.concat(parts);
      return Buffer.concat([Buffer.from([tag, inner.length]), inner]);
    };
    const body = nest(0x0a, nest(0x12, nest(0x12, item), unknown, nest(0x12, item)), unknown);
    for (const piece of splitRequest('traces', [body], 1, 'items')) {
      const bytes = Buffer.concat(piece.slices);
      expect(bytes.toString('hex').split(unknown.toString('hex')).length - 1).toBe(3);
    }
  });

  it('cuts whatever passes the scan, mutated bytes too, and conserves what the scan counts', () => {
    let cut = 0;
    fc.assert(
      fc.property(
        signals,
        shapes,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        (signal, shape, edits, max) => {
          const body = build(signal, shape);
          for (const [place, byte] of edits) if (body.length > 0) body[place % body.length] = byte;
          const found = scan(signal, body);
          if (!found.ok) return;
          for (const measure of ['items', 'bytes'] as const) {
            const pieces = splitRequest(signal, [body], measure === 'items' ? max : max * 40, measure);
            if (pieces.length > 1) cut += 1;
            expect(pieces.reduce((sum, piece) => sum + piece.items, 0)).toBe(found.items);
            for (const piece of pieces) expect(scan(signal, Buffer.concat(piece.slices))).toMatchObject({ ok: true, items: piece.items });
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(cut).toBeGreaterThan(500);
  });

  it('does not repeat a huge resource for ever: beyond some times its size the rest of a request stays whole', () => {
    const attributes = [attribute('big', 'x'.repeat(1_000_000))];
    const spans = Array.from({ length: 2000 }, (_, i) => ({ name: String(i) }));
    const body = encode('traces', { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
    for (const [max, measure] of [
      [1, 'items'],
      [1000, 'bytes'],
    ] as const) {
      const pieces = splitRequest('traces', [body], max, measure);
      expect(pieces.length).toBeGreaterThan(2);
      expect(pieces.reduce((sum, piece) => sum + piece.bytes, 0)).toBeLessThan(7 * body.length);
      expect(pieces.reduce((sum, piece) => sum + piece.items, 0)).toBe(2000);
    }
  });

  it('takes millions of items of two bytes, with unknown fields between them, without an object for each', () => {
    const field = (tag: number, inner: Buffer): Buffer => Buffer.concat([lenHeader(tag, inner.length), inner]);
    const scope = field(2, Buffer.alloc(8_000_000, Buffer.from([0x12, 0x00, 0x78, 0x01])));
    const body = field(1, scope);
    const before = process.memoryUsage.rss();
    const pieces = splitRequest('logs', [body], 100_000, 'items');
    expect(pieces.map((piece) => piece.items).reduce((a, b) => a + b, 0)).toBe(2_000_000);
    expect(pieces.reduce((sum, piece) => sum + piece.slices.length, 0)).toBeLessThan(10_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(400e6);
  });

  it('never cuts profiles: all of a request needs its one dictionary', () => {
    const body = request('profiles', 4, 'p', 5);
    expect(splitRequest('profiles', [body], 1, 'items')).toEqual([{ slices: [body], bytes: body.length, items: 20 }]);
  });
});

describe('an exporter whose batches have a maximum', () => {
  it('sends a single resource that is above it in several requests, each item once, and the books balance', async () => {
    const sink = await grpcSink();
    const batch = { flushTimeoutMs: 10, minSize: 0, maxSize: 100, sizer: 'items' } as const;
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, batch } })] });
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      expect((await post(running.httpPort, PATHS[signal], request(signal, 950))).status).toBe(200);
      await until(() => sink.delivered(signal) === 950);
      const mine = sink.received.filter((one) => one.signal === signal);
      expect(mine.map((one) => one.items).toSorted((a, b) => b - a)).toEqual([...Array.from({ length: 9 }, () => 100), 50]);
    }
    const books = await finish(running);
    expect(books.total.sent).toBe(3 * 950);
    await sink.close();
  });

  it('answers a sender that waits when all pieces were delivered, with the worst of their outcomes', async () => {
    let requests = 0;
    const sink = await grpcSink(() => {
      requests += 1;
      return requests === 5 ? { code: 3, message: 'poison' } : undefined;
    });
    const batch = { flushTimeoutMs: 10, minSize: 0, maxSize: 100, sizer: 'items' } as const;
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, waitForResult: true, batch } })] });
    const good = await post(running.httpPort, PATHS.traces, request('traces', 250));
    expect([good.status, sink.delivered()]).toEqual([200, 250]);
    const bad = await post(running.httpPort, PATHS.traces, request('traces', 250));
    expect([bad.status, requests]).toEqual([400, 6]);
    const books = await finish(running);
    expect([books.total.sent + books.total.sendFailed, books.total.sent]).toEqual([500, sink.delivered()]);
    await sink.close();
  });
});
