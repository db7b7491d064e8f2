import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from '../admit/admit.ts';
import type { Grant } from '../admit/budget.ts';
import { REFUSALS, RETRY_AFTER_MS, type Refusal, refuse } from '../admit/errors.ts';
import type { HttpServerSettings } from '../config/settings.ts';
import { encodeResponse } from '../otlp/status.ts';
import { scan } from '../otlp/wire.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { Receipt } from '../runtime/receipt.ts';
import { JSON_TYPE, mediaType, PROTOBUF, respondHttpError, respondHttpOk, respondHttpRefusal } from './http-respond.ts';
import { type BodyEncoding, inflateBody } from './inflate.ts';

const NO_ENCODING: ReadonlySet<string> = new Set(['', 'identity', 'none']);

/** One POST. With a content-length the body is read into one buffer of that size, charged first; without, it is charged as it grows. */
export class HttpCall {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #admission: Admission;
  readonly #settings: HttpServerSettings;
  #encoding: BodyEncoding = 'identity';
  #grant: Grant | undefined;
  /** Whole body where its length was declared, else the pieces. */
  #whole: Buffer | undefined;
  #pieces: Buffer[] = [];
  #read = 0;
  #running = true;
  #receipt: Receipt | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, admission: Admission, settings: HttpServerSettings) {
    this.#request = request;
    this.#response = response;
    this.#admission = admission;
    this.#settings = settings;
  }

  start(expectsContinue: boolean): void {
    const refusal = this.#checkHeaders() ?? this.#open();
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    if (expectsContinue) this.#response.writeContinue();
    this.#request.on('data', (data: Buffer) => this.#onData(data));
    this.#request.on('end', () => this.#onEnd());
    this.#request.on('error', () => {});
    this.#response.on('close', () => this.#onClose());
  }

  #checkHeaders(): Refusal | undefined {
    const type = mediaType(this.#request);
    if (type === JSON_TYPE)
      return refuse(REFUSALS.BAD_MEDIA_TYPE, 'this version reads protobuf only, not JSON; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf');
    if (type !== PROTOBUF) return refuse(REFUSALS.BAD_MEDIA_TYPE, `'${type}' instead of ${PROTOBUF}`);
    const encoding = (this.#request.headers['content-encoding'] ?? '').trim().toLowerCase();
    if (NO_ENCODING.has(encoding)) return undefined;
    if (!this.#settings.compressionAlgorithms.includes(encoding)) return refuse(REFUSALS.UNKNOWN_ENCODING, encoding);
    if (encoding === 'gzip' || encoding === 'zstd') this.#encoding = encoding;
    else if (encoding === 'deflate' || encoding === 'zlib') this.#encoding = 'deflate';
    else return refuse(REFUSALS.UNKNOWN_ENCODING, encoding);
    return undefined;
  }

  #open(): Refusal | undefined {
    const header = this.#request.headers['content-length'];
    const declared = header === undefined ? undefined : Number(header);
    if (declared !== undefined && declared > this.#settings.maxBodyBytes) return this.#tooLarge(declared);
    const grant = this.#admission.open(declared ?? 0);
    if (!grant.granted) return grant;
    this.#grant = grant;
    if (declared !== undefined) this.#whole = Buffer.allocUnsafeSlow(declared);
    return undefined;
  }

  #onData(data: Buffer): void {
    if (!this.#running) return;
    const end = this.#read + data.length;
    if (this.#whole !== undefined) {
      data.copy(this.#whole, this.#read); // node:http ends the body at content-length, so it always fits
    } else {
      if (end > this.#settings.maxBodyBytes) {
        this.#refuse(this.#tooLarge(end));
        return;
      }
      // Twice: the pieces, and the buffer that they are joined into at the end.
      if (!(this.#grant as Grant).resize(2 * end)) {
        this.#refuse(refuse(REFUSALS.MEMORY));
        return;
      }
      this.#pieces.push(data);
    }
    this.#read = end;
  }

  #onEnd(): void {
    if (!this.#running) return;
    const body = this.#whole ?? Buffer.concat(this.#pieces, this.#read);
    this.#pieces = [];
    this.#grant?.resize(body.length);
    if (this.#encoding === 'identity') {
      this.#deliver(body);
      return;
    }
    const inflated = inflateBody(this.#encoding, body, this.#settings.maxBodyBytes, this.#grant as Grant);
    if (inflated instanceof Promise) void inflated.then((result) => this.#inflated(result));
    else this.#inflated(inflated);
  }

  #inflated(result: Buffer | Refusal): void {
    if (!this.#running) return;
    if (!Buffer.isBuffer(result)) {
      this.#refuse(result);
      return;
    }
    this.#grant?.resize(result.length);
    this.#deliver(result);
  }

  #deliver(body: Buffer): void {
    const found = scan(this.#admission.signal, body);
    if (!found.ok) {
      this.#refuse(refuse(REFUSALS.MALFORMED, found.reason));
      return;
    }
    const grant = this.#grant as Grant;
    this.#grant = undefined; // offer() takes it over
    this.#whole = undefined;
    const result = this.#admission.offer(body, found.items, grant, (outcome) => this.#answer(outcome));
    if ('kind' in result) this.#refuse(result);
    else this.#receipt = result;
  }

  #answer(outcome: Outcome): void {
    if (!this.#running) return;
    this.#end(outcome.kind === 'ok' ? 'ok' : outcome.kind === 'retry' ? 'OTLP_NEXT_HOP_RETRY' : 'OTLP_NEXT_HOP_REJECT');
    if (outcome.kind === 'ok') respondHttpOk(this.#response, encodeResponse(this.#admission.signal, outcome.rejected, outcome.message));
    else if (outcome.kind === 'retry') this.#error(503, GrpcStatus.UNAVAILABLE, outcome.message, outcome.afterMs ?? RETRY_AFTER_MS);
    // The next hop does not want it, now or ever: only a status that is not retried says so (spec: 400 for what cannot be processed).
    else this.#error(400, outcome.code, outcome.message, undefined);
  }

  #error(status: number, code: number, message: string, retryAfterMs: number | undefined): void {
    respondHttpError(this.#request, this.#response, status, code, message, retryAfterMs);
  }

  #tooLarge(bytes: number): Refusal {
    return refuse(REFUSALS.TOO_LARGE, `${bytes} bytes, the limit is ${this.#settings.maxBodyBytes}`);
  }

  #refuse(refusal: Refusal): void {
    this.#end(refusal.kind.code);
    respondHttpRefusal(this.#request, this.#response, refusal);
  }

  #onClose(): void {
    if (!this.#running) return;
    if (this.#receipt !== undefined) this.#receipt.abandoned = true;
    this.#end('OTLP_CLIENT_GONE');
  }

  #end(code: string): void {
    this.#running = false;
    this.#admission.counters.request(code);
    this.#grant?.release();
    this.#grant = undefined;
    this.#whole = undefined;
    this.#pieces = [];
  }
}
