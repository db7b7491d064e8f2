/** What the rehearsal and its two helper processes tell each other. */
import type { ServiceSpans } from './count-spans.ts';

export type SinkQuestion = { readonly kind: 'count' };

export type SinkAnswer =
  | { readonly kind: 'listening'; readonly ports: { readonly grpc: number; readonly http: number } }
  | { readonly kind: 'counted'; readonly byService: { readonly [service: string]: ServiceSpans } };

export type LoadProtocol = 'http/protobuf' | 'grpc';

export interface LoadOptions {
  readonly protocol: LoadProtocol;
  /** `localhost:4318`. */
  readonly address: string;
  readonly spans: number;
  readonly spansPerRequest: number;
  readonly connections: number;
}

/** What became of the load. */
export interface LoadResult {
  /** Spans in requests that were sent at least once. */
  readonly sent: number;
  /** Spans in requests that never got a success. */
  readonly unacknowledged: number;
  readonly requests: number;
  /** Requests that were sent again, as the answer asked for it. */
  readonly retries: number;
  readonly bytesPerSpan: number;
  /** From sending a request to its answer, milliseconds. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** The last reason why a request had no success. */
  readonly problem?: string | undefined;
}

export type LoadMessage = { readonly kind: 'progress'; readonly sent: number } | { readonly kind: 'done'; readonly result: LoadResult };
