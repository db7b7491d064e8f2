import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logsRequest, metricsRequest, serviceRequest } from '../../bench/agent/load.mjs';
import { startSink } from '../../bench/hop/measure.mjs';
import { startChild } from '../../bench/lib/child.mjs';
import { FRAME, FrameReader, frame, PREFACE, settings } from '../../bench/traffic/frames.mjs';
import { markOffset, message } from '../../bench/traffic/messages.mjs';
import { countItems, MARK } from '../../bench/traffic/scan.mjs';
import { summaryOf } from '../../bench/traffic/summary.mjs';

const SEED = 20261121;

describe('the requests of the bench', () => {
  it.each([
    ['traces', serviceRequest],
    ['metrics', metricsRequest],
    ['logs', logsRequest],
  ] as const)('%s: as many items of as many bytes as asked for, as protobufjs reads them too', (signal, make) => {
    for (const [items, bytes] of [
      [1, 373],
      [25, 376],
      [512, 735],
      [3, 10_240],
    ] as const) {
      const request = make(items, bytes, 3);
      expect(countItems(request, signal)).toBe(items);
      expect(Math.abs(request.length / items - bytes)).toBeLessThan(2 + 100 / items);
      expect(summaryOf([request], signal)).toMatchObject({ requests: 1, items, incomplete: 0 });
    }
  });

  it('every span has a trace id of its own, every seed another request', () => {
    const ids = new Set<string>();
    for (const seed of [1, 2, 3, 4]) {
      const request = serviceRequest(100, 373, seed);
      for (let at = request.indexOf('0a10', 0, 'hex'); at >= 0; at = request.indexOf('0a10', at + 18, 'hex')) {
        ids.add(request.toString('hex', at + 2, at + 18));
      }
    }
    expect(ids.size).toBeGreaterThanOrEqual(400);
  });

  it('a mark is found again, where we keep the order of fields and where the Collector turns it round', () => {
    const request = serviceRequest(25, 376);
    const marked = message(request);
    const at = markOffset(request);
    marked.writeUInt32BE(MARK, at);
    marked.writeDoubleBE(1234.5, at + 4);
    const found: number[] = [];
    const body = marked.subarray(5);
    expect(countItems(body, 'traces', (mark: number) => found.push(body.readDoubleBE(mark)))).toBe(25);
    expect(found).toEqual([1234.5]);

    const id = marked.subarray(at - 2, at + 16);
    const backwards = Buffer.concat([Buffer.from([0x12, 8]), Buffer.alloc(8, 9), id]);
    const length = (bytes: Buffer) => Buffer.from([bytes.length]);
    const field = (tag: number, bytes: Buffer) => Buffer.concat([Buffer.from([tag]), length(bytes), bytes]);
    const other = field(0x0a, field(0x12, field(0x12, backwards)));
    expect(countItems(other, 'traces', (mark: number) => found.push(other.readDoubleBE(mark)))).toBe(1);
    expect(found).toEqual([1234.5, 1234.5]);
  });

  it('fails to count what is cut off', () => {
    const request = serviceRequest(5, 376);
    expect(() => countItems(request.subarray(0, -3), 'traces')).toThrow();
  });
});

describe('the frame reader', () => {
  it('finds the same frames wherever reads end', () => {
    const payloads = [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(300, 7), Buffer.alloc(70_000, 9)];
    const stream = Buffer.concat([
      PREFACE,
      settings([[4, 1 << 20]]),
      ...payloads.map((payload, index) => frame(FRAME.DATA, index === 3 ? 1 : 0, 1, payload)),
      ...payloads.slice(0, 3).map((payload) => frame(FRAME.HEADERS, 4, 3, payload)),
    ]);
    const read = (cuts: number[]) => {
      const seen: string[] = [];
      let data = 0;
      const reader = new FrameReader(
        {
          onData: (id: number, _bytes: Buffer, from: number, to: number) => {
            data += id * (to - from);
          },
          onFrame: (type: number, flags: number, id: number, payload: Buffer | undefined) =>
            seen.push(`${type} ${flags} ${id} ${payload?.length ?? 'data'} ${data}`),
        },
        PREFACE.length,
      );
      let at = 0;
      for (const cut of [...cuts.filter((one) => one < stream.length).sort((a, b) => a - b), stream.length]) {
        reader.read(stream.subarray(at, cut), cut - at);
        at = cut;
      }
      return seen;
    };
    const whole = read([]);
    expect(whole).toHaveLength(1 + payloads.length + 3);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: stream.length }), { maxLength: 40 }), (cuts) => {
        expect(read(cuts)).toEqual(whole);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});

describe('driver and sink without a program between them', () => {
  let sink: Awaited<ReturnType<typeof startChild>>;
  let driver: Awaited<ReturnType<typeof startChild>>;

  beforeAll(async () => {
    sink = await startSink(2, undefined);
    driver = await startChild(new URL('../../bench/traffic/open-loop.mjs', import.meta.url).pathname);
  });
  afterAll(async () => {
    await driver.end();
    await sink.end();
  });

  it('all that is sent is counted, answered and timed', async () => {
    await driver.ask({ port: sink.hello.ports[0], connections: 3, spans: 60, spanBytes: 376 });
    await sink.ask({ reset: {} });
    const sent = await driver.ask({ perSecond: 400, seconds: 0.5 });
    expect(sent).toMatchObject({ sent: 200, succeeded: 200, failed: 0, gaveUp: false, problems: [] });
    const counted = await sink.ask('finish');
    expect(counted).toMatchObject({ requests: 200, items: 12_000, upstreams: [200], problems: [] });
    expect(counted.latency).toMatchObject({ count: 200 });
    expect(counted.latency.p50Ms).toBeGreaterThan(0);
    expect(counted.sample).toMatchObject({ incomplete: 0 });
  });

  it('a next hop that answers late holds the answer, not the delivery', async () => {
    await driver.ask({ port: sink.hello.ports[1], connections: 1, spans: 5, spanBytes: 376 });
    await sink.ask({ reset: { delaysMs: [0, 300] } });
    const sent = await driver.ask({ perSecond: 100, seconds: 0.1 });
    expect(sent).toMatchObject({ sent: 10, succeeded: 10 });
    expect(sent.answerMs.p50).toBeGreaterThanOrEqual(299);
    const counted = await sink.ask('finish');
    expect(counted.upstreams[1]).toBe(10);
    expect(counted.latency.p50Ms).toBeLessThan(sent.answerMs.p50);
  });

  it('fails to drive what nobody takes: the run is given up and says so', async () => {
    await driver.ask({ port: sink.hello.ports[1], connections: 1, spans: 5, spanBytes: 376 });
    await sink.ask({ reset: { delaysMs: [0, 60_000] } });
    const sent = await driver.ask({ perSecond: 1000, seconds: 10, giveUpAfterS: 0.2 });
    expect(sent).toMatchObject({ succeeded: 0, gaveUp: true });
    expect(sent.sent).toBeLessThan(1000);
  });
});
