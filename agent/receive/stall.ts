import type { StallLimits } from '../config/settings.ts';

/**
 * What a client may not do for ever. Looked for by a sweep over what is open, as a timer for each request would cost more than the request:
 *
 *   place                  limit                                 answer                              counted as
 *   connections            max_connections                       closed: one that has not spoken,    otlp_agent_connection_errors too_many_connections
 *                                                                else the new one
 *   HTTP/2 preface         handshake_timeout, read_header_timeout closed                             ..._errors handshake_timeout
 *   HTTP/1.1 headers       read_header_timeout, 32 KiB           408, 431                            ..._errors header_timeout, header_size
 *   HTTP/1.1 pipelining    64 KiB behind a request that waits,   not read; closed                    ..._errors pipelined
 *                          32 MiB on all connections
 *   HTTP/2 headers         16 KiB (gRPC), 32 KiB (HTTP)          RST_STREAM ENHANCE_YOUR_CALM        (nghttp2 answers it)
 *   HTTP/2 frames, headers body_idle_timeout from first to last  GOAWAY ENHANCE_YOUR_CALM            ..._errors frame_timeout (http2_codec own)
 *                          byte; DATA as a body
 *   streams per connection max_concurrent_streams                RST_STREAM REFUSED_STREAM           (nghttp2 answers it)
 *   body                   body_idle_timeout, min_body_rate,     408 or DEADLINE_EXCEEDED            otlp_agent_receiver_requests OTLP_BODY_TIMEOUT
 *                          read_timeout
 *   response               write_timeout                         closed                              ..._errors response_unread
 *   between requests       idle_timeout, max_connection_idle     closed, GOAWAY                      (no error)
 *   pings                  enforcement_policy                    GOAWAY ENHANCE_YOUR_CALM            ..._errors ping_flood
 */
const LONGEST_SWEEP_MS = 5_000;
const SHORTEST_SWEEP_MS = 25;
/** How late a limit may act, of itself. */
const SWEEPS_PER_LIMIT = 4;

/** How often to look, so that the shortest of these times is kept to a quarter; those of 0 are off. */
export function sweepIntervalMs(...limits: readonly number[]): number {
  const shortest = Math.min(...limits.filter((limit) => limit > 0));
  return Math.ceil(Math.max(SHORTEST_SWEEP_MS, Math.min(LONGEST_SWEEP_MS, shortest / SWEEPS_PER_LIMIT))); // node:http wants whole ones
}

/** Whether a body that began at `startedAt` and moved at `movedAt` is too slow to wait for. Times are `performance.now()`. */
export function bodyStalled(now: number, startedAt: number, movedAt: number, bytes: number, limits: StallLimits): boolean {
  if (now - movedAt > limits.bodyIdleMs) return true;
  // A small body has the idle time to itself, however slow; after that a drip must not hold the memory of a large one.
  const elapsed = now - startedAt;
  return elapsed > limits.bodyIdleMs && bytes * 1000 < limits.minBodyRate * elapsed;
}
