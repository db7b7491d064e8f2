/**
 * What a client may make us do or hold, and what happens above it. Nothing of it costs a well-behaved request more than a comparison.
 *
 *   place                     limit                                  answer                                counted as (otlp_agent_connection_errors)
 *   frames                    16 KiB, sizes of their types           GOAWAY FRAME_SIZE_ERROR               frame_size
 *   frames but DATA, header   frameTimeoutMs from first to last byte GOAWAY ENHANCE_YOUR_CALM               frame_timeout
 *   blocks
 *   header block, as sent     2 x maxHeaderBytes, 32 CONTINUATIONs   GOAWAY ENHANCE_YOUR_CALM              header_size, continuation_flood
 *   header list, as meant     maxHeaderBytes                         RST_STREAM ENHANCE_YOUR_CALM          header_size
 *   HPACK table               4096 bytes, never more                 GOAWAY COMPRESSION_ERROR              compression
 *   requests                  as RFC 9113, 8 has them                RST_STREAM PROTOCOL_ERROR             malformed_request
 *   streams at a time         maxConcurrentStreams, and as many      RST_STREAM REFUSED_STREAM             refused_stream
 *                             whose client has reset them while
 *                             they were worked at as resets allow
 *   answers behind windows    1 MiB a connection, 64 KiB a stream    REFUSED_STREAM; ENHANCE_YOUR_CALM     refused_stream; response_unread
 *                             that is written in parts
 *   answers in the socket     256 KiB                                reading stops until they are taken;   response_unread
 *                             and writeTimeoutMs without any taken   closed
 *   windows we gave           what we gave                           FLOW_CONTROL_ERROR, of the stream     flow_control
 *                                                                    or as GOAWAY
 *   windows we got            2^31 - 1                               FLOW_CONTROL_ERROR, likewise          flow_control
 *   resets, theirs within 2 s 1000 and 33 a second more, 1 for       GOAWAY ENHANCE_YOUR_CALM              rapid_reset
 *   and ours (CVE-2023-44487, each request that is answered
 *   CVE-2025-8671)
 *   SETTINGS, PING, PRIORITY, 1000 and 100 a second more, 10 for     GOAWAY ENHANCE_YOUR_CALM              settings_flood, ping_flood,
 *   WINDOW_UPDATE, empty      each request and each answer                                                 priority_flood, window_flood,
 *   DATA, what is unknown or                                                                               empty_frame_flood, stray_frame_flood
 *   for streams that are gone
 *   values in one SETTINGS    64                                     GOAWAY ENHANCE_YOUR_CALM              settings_flood
 *   a body after its answer   16 MiB, 5 s                            RST_STREAM NO_ERROR                   (no error)
 *   anything else             the protocol                           GOAWAY or RST_STREAM with its code    protocol, stream_closed
 *
 * Times for silent, idle and dead clients are the receiver's (receive/stall.ts, receive/grpc-session.ts).
 */

/** A block is decoded as a whole, so it is held as a whole. Huffman can make odd octets four times as long: twice the list is generous. */
export const BLOCK_BYTES_PER_HEADER_BYTE = 2;
/** Two frames hold the largest header list; some clients cut smaller. nghttp2 takes 8, Go counts bytes only. */
export const MAX_CONTINUATIONS = 32;
/** There are seven settings, and each has to be sent once (nghttp2 takes 32). */
export const MAX_SETTINGS = 64;

/** Of answers that wait for windows of the client, or that one read has brought: above it there are no new streams. */
export const MAX_QUEUED_BYTES = 1024 * 1024;
/** Of one answer in parts, such as the health service's Watch, whose messages have 7 bytes. */
export const MAX_QUEUED_STREAM_BYTES = 64 * 1024;
/** Of answers that the socket has not taken; as much as MAX_QUEUED_BYTES more may come of one read. */
export const MAX_UNSENT_BYTES = 256 * 1024;

/** Of a body whose answer is complete: more than what is under way when the client learns of it. */
export const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;
export const MAX_DISCARD_MS = 5_000;
/** Streams that we have reset and whose client may not know yet: its frames are no error. As many as resets come in a burst. */
export const MAX_REMEMBERED_RESETS = 1024;
/** How long a client may take to hang up after a GOAWAY with an error: closing at once could overtake it (RFC 9113, 5.4.1). */
export const FAREWELL_MS = 2_000;
/** Of our own pings, unanswered. */
export const MAX_PINGS = 10;

/** nghttp2's numbers (`nghttp2_option_set_stream_reset_rate_limit`). A client whose calls are answered may cancel as many more. */
const RESET_BURST = 1000;
const RESETS_PER_SECOND = 33;
export const RESETS_PER_ANSWER = 1;
/** A reset within this time is one of these: between one and two seconds, as the clock of a connection has only seconds. */
export const RAPID_SECONDS = 2;
/**
 * What is too much depends on what is asked and answered: gRPC's C core opens the window of each call when it begins, a thousand at once
 * where there are so many calls; grpc-go pings once for each round trip that brought DATA (its bandwidth estimate). So each request earns
 * some when it comes and when it is answered, and can save them for all that are open.
 */
const CHATTER_BURST = 1000;
const CHATTER_PER_SECOND = 100;
export const CHATTER_PER_REQUEST = 10;
const DEFAULT_STREAMS = 1000;
/** A DATA frame that had to wait for a window brings two WINDOW_UPDATEs for the next one: a large answer to small windows is no flood. */
export const CHATTER_PER_QUEUED_FRAME = 2;

/**
 * So many, some more each second, and more for what a client earns, up to a limit of its own. The clock is read only when all are spent,
 * and gives no more than there was in the beginning.
 */
export class Budget {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #most: number;
  #left: number;
  #filledAt = performance.now();

  constructor(burst: number, perSecond: number, most: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#most = most;
    this.#left = burst;
  }

  /** False where there is nothing left. */
  spend(): boolean {
    if (this.#left < 1) {
      const now = performance.now();
      this.#left = Math.min(this.#burst, this.#left + ((now - this.#filledAt) / 1000) * this.#perSecond);
      this.#filledAt = now;
      if (this.#left < 1) return false;
    }
    this.#left -= 1;
    return true;
  }

  earn(more: number): void {
    const left = this.#left + more;
    this.#left = left > this.#most ? this.#most : left;
  }
}

export function resetBudget(): Budget {
  return new Budget(RESET_BURST, RESETS_PER_SECOND, RESET_BURST);
}

export function chatterBudget(streams = DEFAULT_STREAMS): Budget {
  return new Budget(CHATTER_BURST, CHATTER_PER_SECOND, Math.max(CHATTER_BURST, 2 * CHATTER_PER_REQUEST * streams));
}
