import type { AnyValue } from '../otlp/view/any-value.ts';
import type { DataPointView } from '../otlp/view/data-points.ts';
import type { LogView } from '../otlp/view/log.ts';
import type { MetricView } from '../otlp/view/metric.ts';
import type { ResourceView, ScopeView } from '../otlp/view/request.ts';
import type { SpanEventView, SpanView } from '../otlp/view/span.ts';
import type { Metadata } from '../process/process.ts';

/**
 * What a statement is run on: one object for a whole request, whose fields the walker sets (all in the constructor, so that its shape
 * stays one). A statement only reads those that its context has.
 */
export class Item {
  resource: ResourceView | undefined = undefined;
  scope: ScopeView | undefined = undefined;
  span: SpanView | undefined = undefined;
  event: SpanEventView | undefined = undefined;
  /** Place among the span's events; undefined where nobody says, as in the processors. */
  eventIndex: number | undefined = undefined;
  metric: MetricView | undefined = undefined;
  point: DataPointView | undefined = undefined;
  log: LogView | undefined = undefined;
  readonly metadata: Metadata | undefined;
  #cache: Map<string, AnyValue> | undefined = undefined;

  constructor(metadata?: Metadata) {
    this.metadata = metadata;
  }

  /** `cache` of a context: made when somebody asks, gone with the item. */
  get cache(): Map<string, AnyValue> {
    this.#cache ??= new Map();
    return this.#cache;
  }

  /** To be called before the statements of a group are run on the next item. */
  forget(): void {
    this.#cache = undefined;
  }
}
