/**
 * process: what a pipeline does to a request between admit and queue, on bytes.
 * In:       the slices of a request. Out: slices of the rewritten request; untouched parts are shared, never copied.
 * May drop: items that a filter or sampler does not keep: `items` becomes fewer, and with `bytes` 0 nothing goes on.
 * Counters: otelcol_processor_{incoming,outgoing}_items; their difference is what was dropped.
 * Fails:    with a reason, when the bytes that must be rewritten are malformed: the request is refused as such. A processor that is told
 *           to (error_mode: propagate) refuses sound bytes with a ProcessorRefusal.
 * Bench:    test/bench/agent-components
 */
export interface Body {
  readonly slices: readonly Uint8Array[];
  /** Of the request, after inflating where it is packed. */
  readonly bytes: number;
  /** Spans, data points, log records or profile samples. */
  readonly items: number;
  /** The slices are one gzip body that nobody on its way reads; no processor ever sees it. */
  readonly packed?: boolean;
  /** A store (admit/slab.ts) that all slices lie in and nothing else: whoever is told that the body is done with may use it again. */
  readonly store?: Buffer;
}

/** Headers of the request that brought the data, by lower-case name; only where the receiver has include_metadata. */
export type Metadata = ReadonlyMap<string, readonly string[]>;

/** What a processor refuses although it can be read; the sender is told to send again, as the Collector tells it. */
export class ProcessorRefusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export interface Processor {
  /** Never throws; a string is the reason why the body cannot be read. */
  process(body: Body, metadata: Metadata | undefined): Body | string | ProcessorRefusal;
  /** Where it holds timers or files. */
  close?(): void;
}

/** One slice: a processor that scans wants to see the request whole. Slices come whole from receive; after an editor they are joined. */
export function wholeOf(body: Body): Uint8Array {
  return body.slices.length === 1 ? (body.slices[0] as Uint8Array) : Buffer.concat(body.slices, body.bytes);
}
