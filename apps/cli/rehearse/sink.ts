import type { ServiceSpans } from './count-spans.ts';

/** What arrived at the far end. */
export interface Delivered {
  /** Each span once, where the sink can tell. */
  readonly spans: number;
  /** Spans that came more than once; undefined where the sink cannot tell. */
  readonly duplicates: number | undefined;
  readonly byService: { readonly [service: string]: ServiceSpans } | undefined;
}

/** Something with an address that a person may want to open while `--keep` holds it. */
export interface OpenAddress {
  readonly what: string;
  readonly address: string;
}

/** Where the agent sends to in a rehearsal. */
export interface Sink {
  readonly kind: 'embedded' | 'real';
  /** For the first lines of the output. */
  readonly description: string;
  /** Takes OTLP over gRPC: `127.0.0.1:4317`. */
  readonly grpcAddress: string;
  /** Takes OTLP over HTTP. */
  readonly httpAddress: string;
  readonly open: readonly OpenAddress[];
  /** What of the printed configuration is not run, each with its reason. */
  readonly leftOut: readonly string[];
  /** Where the number of `delivered` comes from. */
  readonly countedBy: string;
  delivered(): Promise<Delivered>;
  /**
   * Reads these traces back from where a person would look for them; the number of those found.
   * Undefined where nothing keeps traces.
   */
  readBack(traceIds: readonly string[]): Promise<number | undefined>;
  /** Idempotent. Exit codes other than 0 are told by name. */
  stop(): Promise<string[]>;
}
