import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpanCount } from '../../../../apps/cli/rehearse/count-spans.ts';
import { LOAD_SERVICE, LoadRequest, newRun } from '../../../../apps/cli/rehearse/spans.ts';
import { spansOf } from '../../../support/otlp-decode.ts';

describe('a request of the load', () => {
  it('is what the published .proto files read: ids, parents, times and attributes', () => {
    const run = newRun();
    const request = new LoadRequest(20);
    request.fill(run, 512);
    const spans = spansOf(request.bytes);
    expect(spans).toHaveLength(20);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(20);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
    for (const [index, span] of spans.entries()) {
      expect(span.resource['service.name']).toBe(LOAD_SERVICE);
      const root = spans[Math.floor(index / 8) * 8];
      expect(span.traceId).toBe(root?.traceId);
      expect(span.parentSpanId).toBe(index % 8 === 0 ? '' : root?.spanId);
    }
  });

  it('never repeats an id, however often it is filled', () => {
    const run = newRun();
    const request = new LoadRequest(512);
    const count = new SpanCount();
    for (let first = 0; first < 512 * 20; first += 512) {
      request.fill(run, first);
      count.add(request.bytes);
    }
    expect(count.byService()).toEqual({ [LOAD_SERVICE]: { spans: 512 * 20, distinct: 512 * 20 } });
  });
});

describe('the count of the sink', () => {
  it('tells spans that came twice', () => {
    const request = new LoadRequest(10);
    request.fill(newRun(), 0);
    const count = new SpanCount();
    count.add(request.bytes);
    count.add(request.bytes);
    expect(count.byService()).toEqual({ [LOAD_SERVICE]: { spans: 20, distinct: 10 } });
  });

  it('adds up requests that were merged by concatenation, as the agent merges them', () => {
    const [a, b] = [new LoadRequest(3), new LoadRequest(5)];
    a.fill(newRun(), 0);
    b.fill(newRun(), 0);
    const count = new SpanCount();
    count.add(Buffer.concat([a.bytes, b.bytes]));
    expect(count.byService()[LOAD_SERVICE]).toEqual({ spans: 8, distinct: 8 });
  });

  it('agrees with the published .proto files for every number of spans', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(1_000_000), (spans, first) => {
        const request = new LoadRequest(spans);
        request.fill(newRun(), first);
        const count = new SpanCount();
        count.add(request.bytes);
        expect(count.byService()[LOAD_SERVICE]?.distinct).toBe(spansOf(request.bytes).length);
      }),
      { numRuns: 40 },
    );
  });

  it('fails on truncated bytes instead of counting them', () => {
    const { bytes } = new LoadRequest(4);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bytes.length - 1 }), (length) => {
        expect(() => new SpanCount().add(bytes.subarray(0, length))).toThrow(RangeError);
      }),
    );
  });
});
