import type { Compression, SocketAddress } from '../../config/settings.ts';

/** Where the agent sends what it says of itself. */
export interface OwnDestination {
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json';
  /** With `grpc`. */
  readonly address?: SocketAddress;
  /** With http: the whole URL. */
  readonly url?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: Compression;
  readonly timeoutMs: number;
  /** `schedule_delay`. */
  readonly flushMs: number;
  /** `max_queue_size`: what is kept between two sendings; more is dropped. */
  readonly maxItems: number;
}

/** `service.telemetry.traces`. */
export interface OwnTraces extends OwnDestination {
  /** Share of the deliveries that are recorded. */
  readonly ratio: number;
}
