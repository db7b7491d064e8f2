import type { Tracer } from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settings } from '../../../../apps/sample-service/config/settings.ts';
import { createTraceExporter } from '../../../../apps/sample-service/telemetry/exporters.ts';
import { SpanLedger } from '../../../../apps/sample-service/telemetry/span-ledger.ts';
import { createSpanPipeline } from '../../../../apps/sample-service/telemetry/span-pipeline.ts';
import { type OtlpSink, type SinkReply, startOtlpSink } from '../../../support/otlp-sink.ts';

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

function pipeline(batch: Partial<Settings['batch']>, sampled = true) {
  const ledger = new SpanLedger();
  const states: string[] = [];
  const exporter = createTraceExporter({
    protocol: 'http/protobuf',
    url: `${sink.httpUrl}/v1/traces`,
    compression: 'none',
    timeoutMs: 5000,
  });
  const settings = { queueSize: 8192, exportSize: 1024, delayMs: 1, concurrency: 20, ...batch };
  const processor = createSpanPipeline(exporter, settings, ledger, (state) => states.push(state));
  const provider = new TracerProvider({ sampler: sampled ? new AlwaysOnSampler() : new AlwaysOffSampler(), spanProcessors: [processor] });
  const tracer = provider.getTracer('tests');
  const end = (count: number): void => {
    for (let index = 0; index < count; index++) endOne(tracer);
  };
  return { ledger, states, processor, provider, end };
}

const endOne = (tracer: Tracer): void => tracer.startSpan('work').end();
const accounted = (ledger: SpanLedger): number => ledger.exported + ledger.droppedTotal + ledger.queued + ledger.inFlight;

/** Holds every request back until it is released; `open` is how many wait right now. */
function gate() {
  const waiting: (() => void)[] = [];
  let most = 0;
  sink.respond(
    () =>
      new Promise((resolve) => {
        waiting.push(() => resolve(undefined));
        most = Math.max(most, waiting.length);
        arrived();
      }),
  );
  let arrived = (): void => undefined;
  return {
    most: () => most,
    reaches: (count: number) =>
      new Promise<void>((resolve) => {
        arrived = () => waiting.length >= count && resolve();
        arrived();
      }),
    open: () => {
      sink.respond(undefined);
      for (const release of waiting.splice(0)) release();
    },
  };
}

describe('the span pipeline', () => {
  it('keeps as many exports under way as it is told, and not one more', async () => {
    const gated = gate();
    const { ledger, processor, end } = pipeline({ exportSize: 10, queueSize: 1000, concurrency: 4 });
    end(300);
    await gated.reaches(4);
    expect([ledger.inFlight, ledger.queued, ledger.exported]).toEqual([40, 260, 0]);
    gated.open();
    await processor.forceFlush();
    expect(gated.most()).toBe(4);
    expect([ledger.inFlight, ledger.queued, ledger.exported, ledger.droppedTotal]).toEqual([0, 0, 300, 0]);
    expect(new Set(sink.spans().map(({ spanId }) => spanId)).size).toBe(300);
  });

  it('refuses and counts what does not fit into the queue', async () => {
    const gated = gate();
    const { ledger, processor, end } = pipeline({ exportSize: 10, queueSize: 20, concurrency: 1 });
    end(10);
    await gated.reaches(1);
    end(25);
    expect([ledger.queued, ledger.inFlight, ledger.dropped.queue_full]).toEqual([20, 10, 5]);
    gated.open();
    await processor.forceFlush();
    expect(ledger.exported).toBe(30);
    expect(sink.spans()).toHaveLength(30);
  });

  it('delivers the whole queue at shutdown, however many batches that is', async () => {
    const { ledger, processor, provider, end } = pipeline({ exportSize: 1, queueSize: 200, concurrency: 2, delayMs: 60_000 });
    end(150);
    await processor.shutdown();
    expect(ledger.exported).toBe(150);
    expect(sink.spans()).toHaveLength(150);
    end(3);
    expect(ledger.dropped.shutdown).toBe(3);
    await provider.shutdown();
  });

  it('counts sampled spans only', async () => {
    const { ledger, processor, end } = pipeline({}, false);
    end(5);
    await processor.forceFlush();
    expect(accounted(ledger)).toBe(0);
  });

  it('reports the change between failing and working, not every batch', async () => {
    const { states, processor, end } = pipeline({ exportSize: 1, concurrency: 1 });
    sink.respond(() => ({ status: 400 }));
    end(3);
    await processor.forceFlush();
    sink.respond(undefined);
    end(3);
    await processor.forceFlush();
    expect(states).toEqual(['failing', 'working']);
  });

  it('gives up at the deadline: what is waiting or under way is lost and counted once', async () => {
    const gated = gate();
    const { ledger, end, processor } = pipeline({ exportSize: 10, concurrency: 1 });
    end(25);
    await gated.reaches(1);
    expect(ledger.giveUp()).toBe(25);
    gated.open();
    await processor.forceFlush();
    expect(ledger.dropped.shutdown).toBe(25);
    expect(ledger.inFlight).toBe(0);
  });

  it('balances its books for any sequence of answers', async () => {
    const answer: fc.Arbitrary<SinkReply> = fc.oneof(
      fc.constant({}),
      fc.constant({ status: 400 }),
      fc.integer({ min: 1, max: 30 }).map((rejected) => ({ partial: { rejected, message: 'no' } })),
    );
    const run = fc.record({
      answers: fc.array(answer, { minLength: 1, maxLength: 8 }),
      bursts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
      exportSize: fc.integer({ min: 1, max: 12 }),
      queueSize: fc.integer({ min: 12, max: 50 }),
      concurrency: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ answers, bursts, ...batch }) => {
        let next = 0;
        const before = sink.spans().length;
        sink.respond(() => answers[next++ % answers.length]);
        const { ledger, processor, end } = pipeline(batch);
        let ended = 0;
        for (const burst of bursts) {
          end(burst);
          ended += burst;
          expect(accounted(ledger)).toBe(ended);
          expect(ledger.queued).toBeLessThanOrEqual(batch.queueSize);
          await new Promise((resolve) => setImmediate(resolve));
          expect(accounted(ledger)).toBe(ended);
        }
        await processor.shutdown();
        expect([ledger.queued, ledger.inFlight]).toEqual([0, 0]);
        expect(accounted(ledger)).toBe(ended);
        expect(ledger.exported + ledger.dropped.rejected).toBe(sink.spans().length - before);
      }),
      { numRuns: 25 },
    );
  });
});
