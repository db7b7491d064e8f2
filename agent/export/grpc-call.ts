import type { CallEnd, CallEvents, ClientCall, Fields } from '../http2/client.ts';
import { decodePartialSuccess } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { grpcOutcome, httpStatusToGrpc } from './grpc-outcome.ts';

/** Responses above are not read (spec 1.11: response size limit). */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

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
  #response: Buffer[] = [];
  #responseBytes = 0;

  constructor(end: Done) {
    this.#end = end;
  }

  /** The call has begun, and gets so much time. */
  began(call: ClientCall, timeoutMs: number): void {
    this.#call = call;
    if (this.#end !== undefined) this.#timer = setTimeout(() => this.#timedOut(timeoutMs), timeoutMs);
  }

  response(fields: Fields): void {
    this.#httpStatus = Number(fields.get(':status') ?? 0);
    if (fields.get('grpc-status') !== undefined) this.#status = fields;
  }

  trailers(fields: Fields): void {
    this.#status = fields;
  }

  data(bytes: Uint8Array): void {
    this.#responseBytes += bytes.length;
    if (this.#responseBytes > MAX_RESPONSE_BYTES) {
      // The request has been taken by then; sending it again would be a duplicate (spec: over the limit is not retryable).
      const message = `the response is larger than ${MAX_RESPONSE_BYTES} bytes`;
      this.#finish({ kind: 'reject', code: GrpcStatus.RESOURCE_EXHAUSTED, message, taken: true }, 'answered');
      this.#call?.cancel();
      return;
    }
    this.#response.push(Buffer.from(bytes));
  }

  closed({ code, sent, refused, message }: CallEnd): void {
    if (this.#end === undefined) return;
    if (this.#status !== undefined) this.#finish(this.#told(this.#status), 'answered');
    else if (this.#httpStatus !== 0 && this.#httpStatus !== 200) {
      const said = `HTTP status ${this.#httpStatus} instead of a gRPC status`;
      this.#finish(grpcOutcome(httpStatusToGrpc(this.#httpStatus), said, undefined), 'answered');
    } else {
      const why = message || `the connection ended before the answer (RST_STREAM ${code})`;
      this.#finish(unavailable(why), refused && this.#httpStatus === 0 ? 'refused' : sent ? 'broken' : 'unsent');
    }
  }

  #timedOut(timeoutMs: number): void {
    const message = `no answer within ${timeoutMs} ms`;
    this.#finish({ kind: 'retry', afterMs: undefined, code: GrpcStatus.DEADLINE_EXCEEDED, message }, 'silent');
    this.#call?.cancel();
  }

  #told(status: Fields): Outcome {
    // A status that is no number is UNKNOWN (grpc PROTOCOL-HTTP2.md); Number('') would make a success of it.
    const said = status.get('grpc-status') ?? '';
    const code = /^\d+$/.test(said) ? Number(said) : GrpcStatus.UNKNOWN;
    if (code !== GrpcStatus.OK) {
      const details = status.get('grpc-status-details-bin');
      const message = percentDecode(status.get('grpc-message') ?? '');
      return grpcOutcome(code, message, details);
    }
    const partial = decodePartialSuccess(Buffer.concat(this.#response).subarray(5));
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
