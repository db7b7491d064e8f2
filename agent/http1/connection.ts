import type { Duplex } from 'node:stream';
import type { Metadata } from '../process/process.ts';
import type { Wire, WireEvents } from '../runtime/wire.ts';
import { type Answers, bareAnswer } from './answer.ts';
import type { AnswerHeaders, BodyReader, HttpExchange } from './exchange.ts';
import { Head, INCOMPLETE, MAX_PLAIN_HEAD_BYTES, NOT_PLAIN } from './head.ts';

/** A head in more pieces is a drip: node's parser goes on where it was, ours begins again with each piece. */
const MAX_HEAD_PIECES = 16;
/** Of requests behind one that is being answered; then the connection is read no more until it is. */
const MAX_HELD_BYTES = 64 * 1024;
/** Of answers that the client does not take; then it gets no more until it does. At least a stream's high-water mark: 'drain' follows. */
const MAX_UNSENT_BYTES = 64 * 1024;
/** node:http's keepAliveTimeoutBuffer: a client that keeps to the time that it was told meets no connection that has just been closed. */
const IDLE_GRACE_MS = 1000;
/** How every HTTP/2 connection begins where its client knows beforehand (RFC 9113, 3.4): "PRI * HTTP/2.0". No HTTP/1.1 method is PRI. */
const HTTP2 = Buffer.from('PRI ');
const NO_HEADERS: Metadata = new Map();

/** What all connections of a listener have in common. */
export interface Http1Shared {
  /** Request targets that are served here; whatever else is asked for goes on to node:http. */
  readonly targets: readonly Uint8Array[];
  /** Headers are wanted (`include_metadata`). */
  readonly collect: boolean;
  readonly answers: Answers;
  /** 0 is off. */
  readonly headerTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** Every answer ends its connection from now on. */
  closing: boolean;
  /** Bytes that connections hold of requests that cannot be read yet, and how many these may be. */
  heldBytes: number;
  readonly maxHeldBytes: number;
}

export interface Http1Events {
  /** A request of target `target`. It is answered sooner or later, where the client waits for that. */
  request(exchange: HttpExchange, target: number): void;
  /** The client has said which HTTP it speaks. */
  spoke(connection: Http1Connection): void;
  /** What comes now is for node's server of this version; the connection is over for us. */
  handOn(connection: Http1Connection, stream: Duplex, version: 1 | 2): void;
  /** What the client did wrong, as otlp_agent_connection_errors names it. */
  fault(name: string): void;
  /** The connection is over. */
  closed(connection: Http1Connection): void;
}

type State =
  /** No byte, or too few to tell the version. */
  | 'silent'
  /** Between requests, or in the head of one. */
  | 'head'
  | 'body'
  /** The request is whole; the next one is read when this one is answered. */
  | 'answer'
  /** Answered for the last time; what comes is thrown away. */
  | 'leaving'
  /** Closed, or handed on. */
  | 'gone';

/** Read before the next head is. */
const HEAD = new Head();

/**
 * One connection, and its present request: HTTP/1.1 has one at a time, so that the connection itself is the exchange.
 *
 *   read:   | head | body ......... |        | head | body |        answers go out in this order, each before the next head is read
 *   state:    head   body             answer   head   body
 *
 * The bytes of a read are used where they lie. Kept are only a head that is cut, and requests behind one whose answer takes its time.
 */
export class Http1Connection implements HttpExchange, WireEvents {
  type = '';
  encoding: string | undefined;
  acceptEncoding: string | undefined;
  length = 0;
  #metadata: Metadata | undefined;
  #close = false;
  #state: State = 'silent';
  /** Of the body, still to come. */
  #left = 0;
  #reader: BodyReader | undefined;
  #held: Buffer | undefined;
  #pieces = 0;
  #paused = false;
  /** The client has closed its writing side. */
  #ended = false;
  /** run() is on the stack: it goes on by itself after an answer. */
  #running = false;
  /** When the connection came, was first seen to be idle (0: not yet), or began a head. */
  #since = performance.now();
  /** What the client had taken when it was last seen to take anything, for the limit of answers that are not read. */
  #taken = 0;
  #takenAt = 0;
  readonly #wire: Wire;
  readonly #shared: Http1Shared;
  readonly #events: Http1Events;

  constructor(wire: Wire, shared: Http1Shared, events: Http1Events) {
    this.#wire = wire;
    this.#shared = shared;
    this.#events = events;
  }

  start(): void {
    this.#wire.start(this);
  }

  received(bytes: Uint8Array): void {
    const state = this.#state;
    if (state === 'leaving' || state === 'gone') return;
    const held = this.#held;
    if (state === 'answer' || (held !== undefined && this.#paused)) this.#hold(bytes as Buffer, false);
    else if (held === undefined) this.#run(bytes as Buffer, false);
    else {
      this.#release();
      this.#run(Buffer.concat([held, bytes]), true);
    }
  }

  ended(): void {
    if (this.#wire.destroyed || this.#state === 'gone') return;
    this.#ended = true;
    switch (this.#state) {
      case 'silent': // as probes of the port do
        this.#wire.destroy();
        return;
      case 'head':
        if (this.#paused) return; // drained() goes on
        if (this.#held === undefined) this.#leave();
        else this.#refuse(400, 'http1');
        return;
      case 'body':
        this.#reader?.closed();
        this.#refuse(400, 'http1');
        return;
      default:
    }
  }

  closed(): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#release();
    this.#reader?.closed();
    this.#reader = undefined;
    this.#events.closed(this);
  }

  drained(): void {
    if (this.#state === 'head') this.#continue();
  }

  metadata(): Metadata {
    return this.#metadata ?? NO_HEADERS;
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    this.#state = 'body';
  }

  respond(status: number, headers: AnswerHeaders, body: Uint8Array): void {
    if (this.#state !== 'answer' && this.#state !== 'body') return;
    const close = this.#close || this.#shared.closing || this.#left > 0 || (this.#ended && this.#held === undefined);
    this.#reader = undefined;
    this.#wire.write(this.#shared.answers.bytes(status, headers, body, close));
    if (close) {
      this.#leave();
      return;
    }
    this.#state = 'head';
    this.#since = 0;
    if (!this.#running) this.#continue();
  }

  abandon(): void {
    this.#wire.destroy();
  }

  /** Ends the connection where nothing is under way on it. */
  endIfIdle(): void {
    if (this.#state === 'silent' || (this.#state === 'head' && this.#held === undefined)) this.#wire.destroy();
  }

  destroy(): void {
    this.#wire.destroy();
  }

  /** Now and then: keeps the limits of time. */
  sweep(now: number): void {
    const { headerTimeoutMs, idleTimeoutMs } = this.#shared;
    if (this.#since === 0) this.#since = now;
    const age = now - this.#since;
    if (this.#unread(now)) {
      this.#events.fault('response_unread');
      this.#wire.destroy();
    } else if (this.#state === 'silent') {
      if (headerTimeoutMs <= 0 || age <= headerTimeoutMs) return;
      this.#events.fault('handshake_timeout');
      this.#wire.destroy();
    } else if (this.#state === 'head' && !this.#paused) {
      if (this.#held === undefined) {
        if (idleTimeoutMs > 0 && age > idleTimeoutMs + IDLE_GRACE_MS) this.#wire.destroy();
      } else if (headerTimeoutMs > 0 && age > headerTimeoutMs) this.#refuse(408, 'header_timeout');
    } else this.#reader?.sweep(now);
  }

  /** Bytes wait for the client, and it has taken none for too long. */
  #unread(now: number): boolean {
    if (this.#wire.pending === 0) {
      this.#takenAt = 0;
      return false;
    }
    const taken = this.#wire.written;
    if (this.#takenAt !== 0 && taken === this.#taken) return now - this.#takenAt > this.#shared.writeTimeoutMs;
    this.#taken = taken;
    this.#takenAt = now;
    return false;
  }

  /** `ours`: these bytes stay as they are when the read is over. */
  #run(bytes: Buffer, ours: boolean): void {
    this.#running = true;
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'body') at = this.#readBody(bytes, at);
      else if (this.#state === 'head' || this.#state === 'silent') {
        if (this.#wire.pending > MAX_UNSENT_BYTES) {
          this.#hold(bytes.subarray(at), ours);
          this.#pause();
          break;
        }
        at = this.#readHead(bytes, at, ours);
      } else {
        if (this.#state === 'answer') this.#hold(bytes.subarray(at), ours);
        break;
      }
    }
    this.#running = false;
  }

  /** After an answer that took its time, or that the client took its time for. */
  #continue(): void {
    const held = this.#held;
    if (held !== undefined) {
      this.#release();
      this.#run(held, true);
    }
    if (this.#state === 'gone') return;
    if (this.#paused && this.#state !== 'answer' && this.#wire.pending <= MAX_UNSENT_BYTES) {
      this.#paused = false;
      this.#wire.resume();
    }
    if (this.#ended && this.#state === 'head') {
      if (this.#held === undefined) this.#leave();
      else if (!this.#paused) this.#refuse(400, 'http1');
    }
  }

  #readBody(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + this.#left);
    this.#left -= to - from;
    const reader = this.#reader as BodyReader;
    reader.data(bytes, from, to);
    if (this.#left === 0 && this.#state === 'body') {
      this.#state = 'answer';
      reader.end();
    }
    return to;
  }

  /** Where the head ends; the end of the bytes where it goes on behind them, or where it is node's. */
  #readHead(bytes: Buffer, from: number, ours: boolean): number {
    const end = HEAD.read(bytes, from, this.#shared.targets, this.#shared.collect);
    if (end <= INCOMPLETE) {
      this.#readOdd(bytes.subarray(from), end, ours);
      return bytes.length;
    }
    if (this.#state === 'silent') this.#events.spoke(this);
    this.#pieces = 0;
    this.type = HEAD.type;
    this.encoding = HEAD.encoding;
    this.acceptEncoding = HEAD.acceptEncoding;
    this.length = HEAD.length;
    this.#metadata = HEAD.metadata;
    this.#close = HEAD.close;
    this.#left = HEAD.length;
    this.#state = 'answer';
    this.#events.request(this, HEAD.target);
    // Where it was refused it is in another state by now.
    if (this.#left === 0 && (this.#state as State) === 'body') {
      this.#state = 'answer';
      this.#reader?.end();
    }
    return end;
  }

  /** A head that is not whole, or not plain. */
  #readOdd(bytes: Buffer, found: number, ours: boolean): void {
    if (this.#state === 'silent') {
      const known = Math.min(bytes.length, HTTP2.length);
      const http2 = bytes.compare(HTTP2, 0, known, 0, known) === 0;
      if (http2 && known < HTTP2.length) {
        this.#hold(bytes, ours); // still silent
        return;
      }
      this.#state = 'head';
      this.#events.spoke(this);
      if (http2) {
        this.#handOn(bytes, 2);
        return;
      }
    }
    const { heldBytes, maxHeldBytes } = this.#shared;
    const tooMuch = bytes.length > MAX_PLAIN_HEAD_BYTES || this.#pieces >= MAX_HEAD_PIECES || heldBytes + bytes.length > maxHeldBytes;
    if (found === NOT_PLAIN || tooMuch) {
      this.#handOn(bytes, 1);
      return;
    }
    if (this.#pieces === 0) this.#since = performance.now();
    this.#pieces += 1;
    this.#hold(bytes, ours);
  }

  #handOn(bytes: Buffer, version: 1 | 2): void {
    if (this.#ended) {
      // Nothing can be put back in front of an end. Who has closed its side behind a request that is still being answered gets that
      // answer, and not those behind it: a server may close after any answer (RFC 9112, 9.6).
      this.#leave();
      return;
    }
    const stream = this.#wire.handOn(bytes);
    this.#state = 'gone';
    this.#events.handOn(this, stream, version);
  }

  /** An answer to what could not be read. */
  #refuse(status: number, fault: string): void {
    this.#events.fault(fault);
    this.#wire.write(bareAnswer(status));
    this.#leave();
  }

  #leave(): void {
    this.#state = 'leaving';
    this.#reader = undefined;
    this.#release();
    if (this.#paused) {
      this.#paused = false;
      this.#wire.resume();
    }
    this.#wire.end();
  }

  #pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  /**
   * What is ours already is copied only where it is the smaller part of its memory: many small requests that wait for their answers would
   * be copied each time that one gets it, while a rest that is never copied keeps what nobody counts.
   */
  #hold(bytes: Buffer, ours: boolean): void {
    this.#shared.heldBytes += bytes.length;
    if (this.#held !== undefined) this.#held = Buffer.concat([this.#held, bytes]);
    else this.#held = ours && 2 * bytes.length >= bytes.buffer.byteLength ? bytes : Buffer.from(bytes);
    if (this.#shared.heldBytes > this.#shared.maxHeldBytes) {
      this.#events.fault('pipelined');
      this.#wire.destroy();
    } else if (this.#held.length > MAX_HELD_BYTES && this.#state === 'answer') this.#pause();
  }

  #release(): void {
    this.#shared.heldBytes -= this.#held?.length ?? 0;
    this.#held = undefined;
  }
}
