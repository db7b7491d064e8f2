import type { Compression, Signal } from '../config/settings.ts';
import type { Outcome } from '../runtime/outcome.ts';

/** What goes over the wire in one request, after merging and compressing; kept for the retries of the same batch. */
export interface Encoded {
  readonly signal: Signal;
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly items: number;
  readonly encoding: 'identity' | Exclude<Compression, 'none'>;
  /**
   * Set by a transport whose connection may still be writing the slices when the outcome is known: a request that was refused in the middle
   * and answered elsewhere, or a client that does not tell. Their memory is left to V8 then, which sees who holds it, instead of being used
   * again or freed. Of a retry that is so anyway.
   */
  stillRead?: boolean;
}

/** The last step of the path: one attempt to hand one request to the next hop. */
export interface Transport {
  /** `{ server_address, server_port, url_path }` of the Collector's exporter metrics. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Merged bytes into a body; compression happens here, once for each batch. `members` are gzip bodies that belong to the same request
   * and go on as they came; `items` counts what is in them too. Only the transports of exporters with gzip_members get any.
   */
  encode(
    signal: Signal,
    slices: readonly Uint8Array[],
    bytes: number,
    items: number,
    members?: readonly Uint8Array[],
  ): Encoded | Promise<Encoded>;
  /** Never rejects: whatever happens is an outcome. */
  send(body: Encoded): Promise<Outcome>;
  /** Ends connections; attempts that are under way end with `retry`. */
  close(): Promise<void>;
}
