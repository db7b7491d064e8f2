import type { Admission } from '../admit/admit.ts';
import type { Grant } from '../admit/budget.ts';
import { REFUSALS, RETRY_AFTER_MS, type Refusal, refuse } from '../admit/errors.ts';
import type { GrpcServerSettings } from '../config/settings.ts';
import { ErrorCode, type ServerStream, type StreamReader } from '../http2/server.ts';
import { encodeResponse } from '../otlp/status.ts';
import { scan } from '../otlp/wire.ts';
import type { Metadata } from '../process/process.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { Receipt } from '../runtime/receipt.ts';
import { respondOk, respondRefusal, respondStatus } from './grpc-respond.ts';
import { type BodyEncoding, inflateView, keepIn } from './inflate.ts';
import { grpcMetadata } from './metadata.ts';
import { bodyStalled } from './stall.ts';

const PREFIX_BYTES = 5;

/**
 * One unary Export call. The message is read into one buffer of exactly its length, which is charged before it is allocated:
 *
 *   DATA frames cut anywhere:   ..[f l l | l l m m m m | m m m m m m].. END_STREAM
 *                                  flag, length (5)  message
 *
 * Exactly one message is expected. The call ends once: answered, or its client gone.
 */
export class GrpcCall implements StreamReader {
  running: boolean;
  readonly #stream: ServerStream;
  readonly #admission: Admission;
  readonly #limit: number;
  readonly #encoding: BodyEncoding;
  #grant: Grant | undefined;
  #prefixRead = 0;
  #flag = 0;
  #length = 0;
  #body: Buffer | undefined;
  #bodyRead = 0;
  #compressed = false;
  readonly #settings: GrpcServerSettings;
  readonly #open: Set<GrpcCall>;
  #metadata: Metadata | undefined;
  /**
   * `performance.now()` in whole milliseconds (V8 keeps small integers in the object, and each other number in an object of its own), taken
   * by the sweep, as reading the clock is a hundredth of a small request: 0 for what no sweep has seen yet.
   */
  #seenAt = 0;
  #movedAt = 0;
  #answeredAt = 0;
  #answered = false;
  /** What had been read at #movedAt. */
  #readThen = 0;
  /** When grpc-timeout passes, `performance.now()`; 0 where there is none. */
  readonly #deadlineAt: number = 0;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #receipt: Receipt | undefined;

  /** `open`: the receiver's calls that have not ended; this one takes itself out. */
  constructor(stream: ServerStream, admission: Admission, settings: GrpcServerSettings, open: Set<GrpcCall>) {
    const { headers } = stream;
    this.#stream = stream;
    this.#admission = admission;
    this.#settings = settings;
    this.#open = open;
    this.#limit = settings.maxMessageBytes;
    this.#encoding = 'identity';
    const timeout = headers['grpc-timeout'];
    if (timeout !== undefined) this.#deadlineAt = deadlineOf(timeout);
    this.running = false;
    open.add(this);
    const encoding = headers['grpc-encoding'] ?? 'identity';
    if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'zstd' && encoding !== 'snappy') {
      this.#refuse(refuse(REFUSALS.UNKNOWN_ENCODING, String(encoding)));
      return;
    }
    this.#encoding = encoding;
    const grant = admission.open(0);
    if (!grant.granted) {
      this.#refuse(grant);
      return;
    }
    this.#grant = grant;
    if (settings.includeMetadata) {
      this.#metadata = grpcMetadata(headers);
      if (!grant.carry(this.#metadata)) {
        this.#refuse(refuse(REFUSALS.MEMORY));
        return;
      }
    }
    this.running = true;
  }

  /** Called now and then: ends a body that is too slow. True where the client has not taken its answer in time and has to go. */
  sweep(now: number): boolean {
    const { limits } = this.#settings;
    if (this.#answered) {
      if (this.#answeredAt === 0) this.#answeredAt = Math.floor(now);
      return now - this.#answeredAt > limits.writeTimeoutMs;
    }
    if (this.#receipt !== undefined) return false;
    const read = this.#prefixRead + this.#bodyRead;
    if (this.#seenAt === 0) this.#seenAt = Math.floor(now);
    if (this.#movedAt === 0 || read !== this.#readThen) {
      this.#movedAt = Math.floor(now);
      this.#readThen = read;
    }
    if (this.running && bodyStalled(now, this.#seenAt, this.#movedAt, this.#bodyRead, limits)) this.#refuse(refuse(REFUSALS.BODY_TIMEOUT));
    return false;
  }

  /** Ends the stream without an answer. */
  abandon(): void {
    this.#stream.reset(ErrorCode.CANCEL);
  }

  data(data: Uint8Array): void {
    if (!this.running) return;
    let from = 0;
    if (this.#body === undefined) {
      while (this.#prefixRead < PREFIX_BYTES && from < data.length) {
        if (this.#prefixRead === 0) this.#flag = data[from] as number;
        else this.#length = this.#length * 0x100 + (data[from] as number);
        this.#prefixRead += 1;
        from += 1;
      }
      if (this.#prefixRead < PREFIX_BYTES) return;
      if (!this.#allocate()) return;
    }
    const body = this.#body as unknown as Buffer;
    const left = data.length - from;
    if (left > body.length - this.#bodyRead) {
      this.#refuse(refuse(REFUSALS.BAD_FRAMING, 'more than one message'));
      return;
    }
    body.set(from === 0 ? data : data.subarray(from), this.#bodyRead);
    this.#bodyRead += left;
  }

  /** The prefix is complete: charge the memory, then take it. */
  #allocate(): boolean {
    const flag = this.#flag;
    const length = this.#length;
    this.#compressed = flag === 1;
    if (flag > 1) this.#refuse(refuse(REFUSALS.BAD_FRAMING, `compressed flag is ${flag}`));
    else if (flag === 1 && this.#encoding === 'identity')
      this.#refuse(refuse(REFUSALS.BAD_FRAMING, 'compressed message without grpc-encoding'));
    else if (length > this.#limit) this.#refuse(refuse(REFUSALS.TOO_LARGE, `${length} bytes, the limit is ${this.#limit}`));
    if (!this.running) return false;
    this.#body = (this.#grant as Grant).allocate(length);
    if (this.#body === undefined) this.#refuse(refuse(REFUSALS.MEMORY));
    return this.running;
  }

  end(): void {
    if (!this.running) return;
    const body = this.#body;
    if (body === undefined || this.#bodyRead < body.length) {
      this.#refuse(refuse(REFUSALS.BAD_FRAMING, 'the message is shorter than its prefix says'));
      return;
    }
    if (!this.#compressed || this.#encoding === 'identity') {
      this.#scan(body, false);
      return;
    }
    const inflated = inflateView(this.#encoding, body, this.#limit, this.#grant as Grant);
    if (inflated instanceof Promise) void inflated.then((result) => this.#inflated(result));
    else this.#inflated(inflated);
  }

  #inflated(result: Buffer | Refusal): void {
    if (!this.running) return;
    if (!Buffer.isBuffer(result)) {
      this.#refuse(result);
      return;
    }
    this.#scan(result, true);
  }

  /** `plain` may lie in memory of the inflater: it is looked at here, and then the gzip that came goes on, or a copy. */
  #scan(plain: Buffer, inflated: boolean): void {
    const found = scan(this.#admission.signal, plain);
    if (!found.ok) {
      this.#refuse(refuse(REFUSALS.MALFORMED, found.reason));
      return;
    }
    const grant = this.#grant as Grant;
    if (inflated && this.#encoding === 'gzip' && this.#admission.takesMembers(found.items, plain.length)) {
      const body = this.#body as Buffer;
      grant.resize(body.length);
      this.#deliver(body, found.items, plain.length);
      return;
    }
    const body = inflated ? keepIn(plain, grant) : plain;
    if (body === undefined) this.#refuse(refuse(REFUSALS.MEMORY));
    else this.#deliver(body, found.items, undefined);
  }

  #deliver(body: Buffer, items: number, inflatedBytes: number | undefined): void {
    const grant = this.#grant as Grant;
    this.#grant = undefined; // offer() takes it over
    this.#body = undefined;
    const result = this.#admission.offer(body, items, grant, (outcome) => this.#answer(outcome), this.#metadata, false, inflatedBytes);
    if ('kind' in result) {
      this.#refuse(result);
      return;
    }
    this.#receipt = result;
    if (result.open && this.#deadlineAt > 0) {
      const left = this.#deadlineAt - performance.now();
      this.#deadlineTimer = setTimeout(() => this.#expire(), Math.max(0, left)).unref();
    }
  }

  #answer(outcome: Outcome): void {
    if (!this.running) return;
    this.#end(outcome.kind === 'ok' ? 'ok' : outcome.kind === 'retry' ? 'OTLP_NEXT_HOP_RETRY' : 'OTLP_NEXT_HOP_REJECT');
    if (outcome.kind === 'ok') respondOk(this.#stream, encodeResponse(this.#admission.signal, outcome.rejected, outcome.message));
    else if (outcome.kind === 'retry')
      respondStatus(this.#stream, GrpcStatus.UNAVAILABLE, outcome.message, outcome.afterMs ?? RETRY_AFTER_MS);
    else respondStatus(this.#stream, outcome.code, outcome.message, undefined);
  }

  /** grpc-timeout has passed while the answer was pending: the client has given up, the data goes its way. */
  #expire(): void {
    if (!this.running) return;
    if (this.#receipt !== undefined) this.#receipt.abandoned = true;
    this.#end('OTLP_DEADLINE');
    respondStatus(this.#stream, GrpcStatus.DEADLINE_EXCEEDED, 'the deadline of the call has passed', undefined);
  }

  #refuse(refusal: Refusal): void {
    this.#end(refusal.kind.code);
    respondRefusal(this.#stream, refusal);
  }

  /** The stream is closed, by us after the answer or by a client that died. */
  closed(): void {
    this.#open.delete(this);
    if (!this.running) return;
    if (this.#receipt !== undefined) this.#receipt.abandoned = true;
    this.#end('OTLP_CLIENT_GONE');
  }

  #end(code: string): void {
    this.running = false;
    this.#answered = true;
    this.#admission.counters.request(code);
    clearTimeout(this.#deadlineTimer);
    this.#grant?.release();
    this.#grant = undefined;
    this.#body = undefined;
  }
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** When a grpc-timeout passes, `performance.now()`: at most 8 digits and a unit; 0 where it is none. */
function deadlineOf(timeout: string): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(timeout);
  return match === null ? 0 : Math.ceil(performance.now() + Number(match[1]) * (UNITS[match[2] as string] as number));
}
