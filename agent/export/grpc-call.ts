import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { decodePartialSuccess } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { writeFrame } from './grpc-frame.ts';
import { grpcOutcome, httpStatusToGrpc } from './grpc-outcome.ts';
import type { Encoded } from './transport.ts';

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
export class GrpcCall {
  readonly #stream: ClientHttp2Stream;
  /** Let go when it was called: it holds the request, and node:http2 holds the stream for a while. */
  #end: Done | undefined;
  readonly #timer: NodeJS.Timeout;
  #status: IncomingHttpHeaders | undefined;
  #httpStatus = 0;
  #response: Buffer[] = [];
  #responseBytes = 0;
  #failure = '';

  constructor(stream: ClientHttp2Stream, body: Encoded, timeoutMs: number, end: Done) {
    this.#stream = stream;
    this.#end = end;
    this.#timer = setTimeout(() => this.#timedOut(timeoutMs), timeoutMs);
    stream.on('response', (headers) => {
      this.#httpStatus = headers[':status'] ?? 0;
      if (headers['grpc-status'] !== undefined) this.#status = headers;
    });
    stream.on('trailers', (trailers) => {
      this.#status = trailers;
    });
    stream.on('data', (data: Buffer) => this.#onData(data));
    stream.on('error', (error) => {
      this.#failure = error.message;
    });
    stream.on('close', () => this.#closed());
    writeFrame(stream, body);
  }

  #onData(data: Buffer): void {
    this.#responseBytes += data.length;
    if (this.#responseBytes > MAX_RESPONSE_BYTES) {
      // The request has been taken by then; sending it again would be a duplicate (spec: over the limit is not retryable).
      const message = `the response is larger than ${MAX_RESPONSE_BYTES} bytes`;
      this.#finish({ kind: 'reject', code: GrpcStatus.RESOURCE_EXHAUSTED, message, taken: true }, 'answered');
      this.#stream.close(constants.NGHTTP2_CANCEL);
      return;
    }
    this.#response.push(data);
  }

  #timedOut(timeoutMs: number): void {
    const message = `no answer within ${timeoutMs} ms`;
    this.#finish({ kind: 'retry', afterMs: undefined, code: GrpcStatus.DEADLINE_EXCEEDED, message }, 'silent');
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #closed(): void {
    if (this.#end === undefined) return;
    if (this.#status !== undefined) this.#finish(this.#told(this.#status), 'answered');
    else if (this.#httpStatus !== 0 && this.#httpStatus !== 200) {
      const message = `HTTP status ${this.#httpStatus} instead of a gRPC status`;
      this.#finish(grpcOutcome(httpStatusToGrpc(this.#httpStatus), message, undefined), 'answered');
    } else {
      const { rstCode, id } = this.#stream;
      const refused = this.#httpStatus === 0 && rstCode === constants.NGHTTP2_REFUSED_STREAM;
      const message = this.#failure || `the connection ended before the answer (RST_STREAM ${rstCode ?? 0})`;
      this.#finish(unavailable(message), refused ? 'refused' : id === undefined ? 'unsent' : 'broken');
    }
  }

  #told(status: IncomingHttpHeaders): Outcome {
    // A status that is no number is UNKNOWN (grpc PROTOCOL-HTTP2.md); Number('') would make a success of it.
    const said = String(status['grpc-status'] ?? '');
    const code = /^\d+$/.test(said) ? Number(said) : GrpcStatus.UNKNOWN;
    if (code !== GrpcStatus.OK) {
      const details = status['grpc-status-details-bin'];
      const message = percentDecode(String(status['grpc-message'] ?? ''));
      return grpcOutcome(code, message, typeof details === 'string' ? details : undefined);
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
