import type { Admission } from '../admit/admit.ts';
import type { Grant } from '../admit/budget.ts';
import { REFUSALS, RETRY_AFTER_MS, type Refusal, refuse } from '../admit/errors.ts';
import type { HttpServerSettings } from '../config/settings.ts';
import { type BodyReader, type HttpExchange, JSON_TYPE, PROTOBUF } from '../http1/exchange.ts';
import { decodeJsonInSlices, type JsonResult } from '../otlp/json/decode.ts';
import { scan } from '../otlp/wire.ts';
import type { Metadata } from '../process/process.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { Receipt } from '../runtime/receipt.ts';
import { contentEncoding } from './content-encoding.ts';
import { respondHttpError, respondHttpOk, respondHttpRefusal } from './http-respond.ts';
import { type BodyEncoding, inflateView, keepIn } from './inflate.ts';
import { Pieces } from './pieces.ts';
import { bodyStalled } from './stall.ts';

/** One POST. With a content-length the body is read into one buffer of that size, charged first; without, it is charged as it grows. */
export class HttpCall implements BodyReader {
  readonly #exchange: HttpExchange;
  readonly #admission: Admission;
  readonly #settings: HttpServerSettings;
  readonly #json: boolean;
  #encoding: BodyEncoding = 'identity';
  #grant: Grant | undefined;
  /** Whole body where its length was declared, else the pieces. */
  #whole: Buffer | undefined;
  #pieces: Pieces | undefined;
  #read = 0;
  #reading = false;
  #running = true;
  #receipt: Receipt | undefined;
  #metadata: Metadata | undefined;
  readonly #startedAt: number;
  /** Times that only sweep() needs are taken by it: the clock is a twentieth of what a request of 25 spans costs. */
  #movedAt: number;
  #readBefore = 0;
  #answeredAt = 0;

  constructor(exchange: HttpExchange, admission: Admission, settings: HttpServerSettings) {
    this.#exchange = exchange;
    this.#admission = admission;
    this.#settings = settings;
    this.#json = exchange.type === JSON_TYPE;
    this.#startedAt = performance.now();
    this.#movedAt = this.#startedAt;
  }

  start(): void {
    const refusal = this.#checkHeaders() ?? this.#open();
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    if (this.#settings.includeMetadata && !this.#carry(this.#exchange.metadata())) {
      this.#refuse(refuse(REFUSALS.MEMORY));
      return;
    }
    this.#reading = true;
    this.#exchange.read(this);
  }

  #carry(metadata: Metadata): boolean {
    this.#metadata = metadata;
    return (this.#grant as Grant).carry(metadata);
  }

  /** Called now and then: ends a body that is too slow. True where the client has not taken its answer in time and has to go. */
  sweep(now: number): boolean {
    if (this.#running) {
      if (this.#read !== this.#readBefore) this.#movedAt = now;
      this.#readBefore = this.#read;
      if (this.#reading && this.#tooSlow(now)) this.#refuse(refuse(REFUSALS.BODY_TIMEOUT));
      return false;
    }
    if (this.#answeredAt === 0) this.#answeredAt = now;
    return now - this.#answeredAt > this.#settings.limits.writeTimeoutMs;
  }

  /** Ends the connection without an answer. */
  abandon(): void {
    this.#exchange.abandon();
  }

  #tooSlow(now: number): boolean {
    const { readTimeoutMs, limits } = this.#settings;
    if (readTimeoutMs > 0) return now - this.#startedAt > readTimeoutMs;
    return bodyStalled(now, this.#startedAt, this.#movedAt, this.#read, limits);
  }

  #checkHeaders(): Refusal | undefined {
    const { type, encoding: header } = this.#exchange;
    if (!this.#json && type !== PROTOBUF) {
      return refuse(REFUSALS.BAD_MEDIA_TYPE, `'${type}' instead of ${PROTOBUF} or ${JSON_TYPE}`);
    }
    const encoding = contentEncoding(header, this.#settings.compressionAlgorithms);
    if (encoding === undefined) return refuse(REFUSALS.UNKNOWN_ENCODING, header);
    this.#encoding = encoding;
    return undefined;
  }

  #open(): Refusal | undefined {
    const declared = this.#exchange.length;
    if (declared !== undefined && declared > this.#settings.maxBodyBytes) return this.#tooLarge(declared);
    const grant = this.#admission.open(declared ?? 0);
    if (!grant.granted) return grant;
    this.#grant = grant;
    if (declared === undefined) return undefined;
    this.#whole = grant.allocate(declared);
    return this.#whole === undefined ? refuse(REFUSALS.MEMORY) : undefined;
  }

  data(bytes: Buffer, from: number, to: number): void {
    if (!this.#running) return;
    const end = this.#read + to - from;
    if (this.#whole !== undefined) {
      bytes.copy(this.#whole, this.#read, from, to);
    } else {
      if (end > this.#settings.maxBodyBytes) {
        this.#refuse(this.#tooLarge(end));
        return;
      }
      this.#pieces ??= new Pieces();
      this.#pieces.add(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
      // The pieces, and the buffer that they are joined into at the end.
      if (!(this.#grant as Grant).resize(this.#pieces.held + end)) {
        this.#refuse(refuse(REFUSALS.MEMORY));
        return;
      }
    }
    this.#read = end;
  }

  end(): void {
    if (!this.#running) return;
    if (this.#whole !== undefined && this.#read < this.#whole.length) {
      this.closed();
      return;
    }
    this.#reading = false;
    const body = this.#whole ?? this.#join();
    if (body === undefined) {
      this.#refuse(refuse(REFUSALS.MEMORY));
      return;
    }
    if (this.#encoding === 'identity') {
      if (this.#json) this.#convert(body);
      else this.#scan(body, undefined);
      return;
    }
    const inflated = inflateView(this.#encoding, body, this.#settings.maxBodyBytes, this.#grant as Grant);
    if (inflated instanceof Promise) void inflated.then((result) => this.#inflated(result, body));
    else this.#inflated(inflated, body);
  }

  /** Undefined where a memory limit is in the way. */
  #join(): Buffer | undefined {
    const body = (this.#grant as Grant).allocate(this.#read);
    if (body !== undefined) this.#pieces?.joinInto(body);
    this.#pieces = undefined;
    return body;
  }

  /** `result` may lie in memory of the inflater: it is looked at here, and then the gzip that came goes on, or a copy. */
  #inflated(result: Buffer | Refusal, compressed: Buffer): void {
    if (!this.#running) return;
    if (!Buffer.isBuffer(result)) {
      this.#refuse(result);
      return;
    }
    if (!this.#json) {
      this.#scan(result, compressed);
      return;
    }
    const body = keepIn(result, this.#grant as Grant);
    if (body === undefined) this.#refuse(refuse(REFUSALS.MEMORY));
    else this.#convert(body);
  }

  /** `compressed` is what `plain` was made of, where it was compressed. */
  #scan(plain: Buffer, compressed: Buffer | undefined): void {
    const found = scan(this.#admission.signal, plain);
    if (!found.ok) {
      this.#refuse(refuse(REFUSALS.MALFORMED, found.reason));
      return;
    }
    const grant = this.#grant as Grant;
    if (compressed !== undefined && this.#encoding === 'gzip' && this.#admission.takesMembers(found.items, plain.length)) {
      grant.resize(compressed.length);
      this.#offer(compressed, found.items, plain.length);
      return;
    }
    const body = compressed === undefined ? plain : keepIn(plain, grant);
    if (body === undefined) this.#refuse(refuse(REFUSALS.MEMORY));
    else this.#offer(body, found.items, undefined);
  }

  #offer(body: Buffer, items: number, inflatedBytes: number | undefined): void {
    const grant = this.#grant as Grant;
    this.#grant = undefined; // offer() takes it over
    this.#whole = undefined;
    const result = this.#admission.offer(body, items, grant, (outcome) => this.#answer(outcome), this.#metadata, false, inflatedBytes);
    if ('kind' in result) this.#refuse(result);
    else this.#receipt = result;
  }

  /** The body and what is made of it are charged together while both are there, then the latter alone. */
  #convert(body: Buffer): void {
    const grant = this.#grant as Grant;
    // A client that has gone wants no conversion.
    const result = decodeJsonInSlices(this.#admission.signal, body, (bytes) => this.#running && grant.resize(body.length + bytes));
    if (!(result instanceof Promise)) {
      this.#converted(result);
      return;
    }
    grant.retain(1); // the conversion goes on when the client has gone and its call has given the grant back
    void result.then((done) => {
      this.#converted(done);
      grant.release();
    });
  }

  #converted(result: JsonResult): void {
    if (!this.#running) return;
    if (!result.ok) {
      this.#refuse(result.memory ? refuse(REFUSALS.MEMORY) : refuse(REFUSALS.MALFORMED, result.reason));
      return;
    }
    this.#grant?.leaveBody();
    this.#grant?.resize(result.body.buffer.byteLength);
    this.#scan(result.body, undefined);
  }

  #answer(outcome: Outcome): void {
    if (!this.#running) return;
    this.#end(outcome.kind === 'ok' ? 'ok' : outcome.kind === 'retry' ? 'OTLP_NEXT_HOP_RETRY' : 'OTLP_NEXT_HOP_REJECT');
    if (outcome.kind === 'ok') respondHttpOk(this.#exchange, this.#admission.signal, outcome.rejected, outcome.message);
    else if (outcome.kind === 'retry') this.#error(503, GrpcStatus.UNAVAILABLE, outcome.message, outcome.afterMs ?? RETRY_AFTER_MS);
    // The next hop does not want it, now or ever: only a status that is not retried says so (spec: 400 for what cannot be processed).
    else this.#error(400, outcome.code, outcome.message, undefined);
  }

  #error(status: number, code: number, message: string, retryAfterMs: number | undefined): void {
    respondHttpError(this.#exchange, status, code, message, retryAfterMs);
  }

  #tooLarge(bytes: number): Refusal {
    return refuse(REFUSALS.TOO_LARGE, `${bytes} bytes, the limit is ${this.#settings.maxBodyBytes}`);
  }

  #refuse(refusal: Refusal): void {
    this.#end(refusal.kind.code);
    respondHttpRefusal(this.#exchange, refusal);
  }

  closed(): void {
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
    this.#pieces = undefined;
  }
}
