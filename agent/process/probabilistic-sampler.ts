import type { Signal } from '../config/settings.ts';
import { editItems, type ItemEditor } from '../otlp/edit-items.ts';
import type { ProcessorCounters } from '../telemetry/counters.ts';
import type { ProbabilisticSamplerSettings } from './probabilistic-sampler-config.ts';
import { ProbabilityDecision } from './probabilistic-sampler-decision.ts';
import { LogSampler } from './probabilistic-sampler-log.ts';
import { SpanSampler } from './probabilistic-sampler-span.ts';
import { type Body, type Processor, wholeOf } from './process.ts';

/**
 * Processor `probabilistic_sampler`: keeps a share of spans or log records, the same ones as a Collector with the same settings.
 * In:       a traces or logs request. Out: one new buffer with what is kept; nothing goes on where nothing is kept.
 * May drop: that is its work: items by their randomness, and with fail_closed those whose tracestate is broken.
 * Counters: otelcol_processor_{incoming,outgoing}_items, whose difference is what was not sampled;
 *           otelcol_processor_probabilistic_sampler_count_{traces,logs}_sampled.
 * Bytes:    edits in place. Of an item only trace id, tracestate and the keys of attributes are read; kept bytes are copied, once.
 * Bench:    test/bench/agent-components
 */
export class ProbabilisticSampler implements Processor {
  readonly #editor: ItemEditor;

  constructor(settings: ProbabilisticSamplerSettings, signal: Signal, counters: ProcessorCounters) {
    const decision = new ProbabilityDecision(settings, signal === 'logs', counters);
    this.#editor = signal === 'logs' ? new LogSampler(settings, decision) : new SpanSampler(decision);
  }

  process(body: Body): Body | string {
    return editItems(body, wholeOf(body), this.#editor);
  }
}
