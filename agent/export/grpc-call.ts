import type { CallEnd, CallEvents, ClientCall, Fields } from '../http2/client.ts';
import { decodePartialSuccess } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { onceRead } from '../runtime/once-read.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { PREFIX_BYTES } from './grpc-frame.ts';
import { grpcOutcome, httpStatusToGrpc } from './grpc-outcome.ts';

/** Responses above are not read (spec 1.11: response size limit). */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * What is known of the request itself, beside the outcome:
 *
 *   answered   the next hop has said something
 *   unsent     it never left: there was no connection
 *   refused    it left and was not looked at: above the last stream of a GOAWAY, or REFUSED_STREAM (RFC 9113, 8.7)
 *   silent     no answer in time
 *   broken     the connection ended before the answer: nobody can know
 *
 * unsent and refused may be sent elsewhere at once, without a wait and without a duplicate.
 */
export type Fate = 'answered' | 'unsent' | 'refused' | 'silent' | 'broken';

/** Called once. A callback, as one promise for each batch is enough. */
export type Done = (outcome: Outcome, fate: Fate) => void;

/** One call: ends once, whichever of response, error and timeout comes first. */
export class GrpcCall implements CallEvents {
  /** Let go when it was called: it holds the request, and a codec may hold this for a while. */
  #end: Done | undefined;
  #call: ClientCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  #status: Fields | undefined;
  #httpStatus = 0;
  #response: Buffer = NOTHING;
  #responseBytes = 0;
  /** The response is above its limit, and given up. */
  #tooLarge = false;
  readonly #late: () => void;

  /** `late`: the time is over, the answer is there and the connection has still not taken the request, so that it is to be looked after. */
  constructor(end: Done, late: () => void) {
    this.#end = end;
    this.#late = late;
  }

  /** The call has begun, and gets so much time. */
  began(call: ClientCall, timeoutMs: number): void {
    this.#call = call;
    if (this.#end !== undefined) this.#watch(timeoutMs);
  }

  response(fields: Fields): void {
    this.#httpStatus = Number(fields.get(':status') ?? 0);
    if (fields.get('grpc-status') !== undefined) this.#status = fields;
  }

  trailers(fields: Fields): void {
    this.#status = fields;
  }

  data(bytes: Uint8Array): void {
    if (this.#tooLarge) return;
    const before = this.#responseBytes;
    const end = before + bytes.length;
    this.#responseBytes = end;
    if (end > MAX_RESPONSE_BYTES) {
      this.#tooLarge = true;
      this.#response = NOTHING;
      this.#call?.cancel();
      return;
    }
    if (before === 0) {
      this.#response = Buffer.from(bytes);
      return;
    }
    // One buffer that grows: four million frames of one byte, each in a buffer of its own, would be 530 MiB.
    if (end > this.#response.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(MAX_RESPONSE_BYTES, 2 * end));
      this.#response.copy(larger, 0, 0, before);
      this.#response = larger;
    }
    this.#response.set(bytes, before);
  }

  closed({ code, sent, refused, message }: CallEnd): void {
    if (this.#end === undefined) return;
    if (this.#tooLarge) {
      // The request has been taken by then; sending it again would be a duplicate (spec: over the limit is not retryable).
      const said = `the response is larger than ${MAX_RESPONSE_BYTES} bytes`;
      this.#finish({ kind: 'reject', code: GrpcStatus.RESOURCE_EXHAUSTED, message: said, taken: true }, 'answered');
    } else if (this.#status !== undefined) this.#finish(this.#told(this.#status), 'answered');
    else if (this.#httpStatus !== 0 && this.#httpStatus !== 200) {
      const said = `HTTP status ${this.#httpStatus} instead of a gRPC status`;
      this.#finish(grpcOutcome(httpStatusToGrpc(this.#httpStatus), said, undefined), 'answered');
    } else {
      const why = message || `the connection ended before the answer (RST_STREAM ${code})`;
      this.#finish(unavailable(why), refused && this.#httpStatus === 0 ? 'refused' : sent ? 'broken' : 'unsent');
    }
  }

  #watch(timeoutMs: number): void {
    this.#timer = setTimeout(onceRead, timeoutMs, (ms: number) => this.#timedOut(ms), timeoutMs);
  }

  /**
   * Whatever has been answered is not sent again. It is told when the connection has taken the request or has ended, as its memory may be
   * read until then.
   */
  #timedOut(timeoutMs: number): void {
    if (this.#end === undefined) return;
    if (this.#status !== undefined || this.#tooLarge) {
      this.#call?.cancel();
      if (this.#end === undefined) return;
      this.#watch(timeoutMs);
      this.#late();
      return;
    }
    const message = `no answer within ${timeoutMs} ms`;
    this.#finish({ kind: 'retry', afterMs: undefined, code: GrpcStatus.DEADLINE_EXCEEDED, message }, 'silent');
    this.#call?.cancel();
  }

  #told(status: Fields): Outcome {
    const said = status.get('grpc-status') ?? '';
    // A status that is no number is UNKNOWN (grpc PROTOCOL-HTTP2.md); Number('') would make a success of it. It says neither that the
    // request was taken nor that it was not, so that no part of it may be sent again.
    if (!/^\d+$/.test(said)) {
      const message = `UNKNOWN: '${said.slice(0, 100)}' is no gRPC status`;
      return { kind: 'reject', code: GrpcStatus.UNKNOWN, message, taken: true };
    }
    const code = Number(said);
    if (code !== GrpcStatus.OK) {
      const details = status.get('grpc-status-details-bin');
      const message = percentDecode(status.get('grpc-message') ?? '');
      return grpcOutcome(code, message, details);
    }
    const partial = decodePartialSuccess(this.#response.subarray(PREFIX_BYTES, this.#responseBytes));
    return partial === undefined ? OK : { kind: 'ok', rejected: partial.rejected, message: partial.message };
  }

  #finish(outcome: Outcome, fate: Fate): void {
    const end = this.#end;
    if (end === undefined) return;
    this.#end = undefined;
    clearTimeout(this.#timer);
    end(outcome, fate);
  }
}

export function unavailable(message: string): Outcome {
  return { kind: 'retry', afterMs: undefined, code: GrpcStatus.UNAVAILABLE, message };
}

/** grpc-message is percent-encoded UTF-8; what does not decode is shown as it came. */
function percentDecode(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
