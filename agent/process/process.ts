/**
 * process: what a pipeline does to a request between admit and queue, on bytes.
 * In:       the slices of a request. Out: slices of the rewritten request; untouched parts are shared, never copied.
 * May drop: nothing (filters come with their own issue). Counters: otelcol_processor_{incoming,outgoing}_items.
 * Fails:    with a reason, when the bytes that must be rewritten are malformed: the request is refused as such.
 * Bench:    test/bench/agent-throughput.
 */
export interface Body {
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
}

export interface Processor {
  /** Throws never; a string is the reason why the body cannot be processed. */
  process(body: Body): Body | string;
}
