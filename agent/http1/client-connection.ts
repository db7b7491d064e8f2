import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onceRead } from '../runtime/once-read.ts';
import { connectWire, type Wire, type WireEvents } from '../runtime/wire.ts';
import type { HttpBody, HttpEnd } from './client.ts';
import { AnswerReader, BROKEN, MORE } from './client-answer.ts';
import type { RequestHeads } from './client-request.ts';

/** undici's: a peer that is gone without a word is known by TCP after a minute, and not by the next request. */
const TCP_KEEPALIVE_MS = 60_000;
/** A connection is not used in the last part of the time that its server keeps it: what is sent then may meet its end. */
const HINT_MARGIN_MS = 1_000;

/** A connection that has begun. */
export interface Dialed {
  readonly stream: Duplex;
  readonly wire: Wire;
  /** The event after which bytes may be sent, `connect` or TLS's `secureConnect`. */
  readonly ready: string;
  /** What is no longer pending has left, as with a socket: streams may keep what they have taken. */
  readonly writesAtOnce: boolean;
}

/** Begins a connection. May throw. Any duplex stream will do: TLS can be put underneath. */
export type Dial = () => Dialed;

/** TCP, the addresses of a name tried as node:net does (happy eyeballs), each time anew. */
export function dialTcp(host: string, port: number): Dial {
  return () => {
    const { socket, wire } = connectWire({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
    return { stream: socket, wire, ready: 'connect', writesAtOnce: true };
  };
}

/** One request. */
export class Call {
  readonly body: HttpBody;
  readonly done: (end: HttpEnd) => void;
  /** Among the requests and connections of its client, as they began. */
  readonly order: number;
  connection: ClientConnection | undefined;
  ended = false;
  /** Keeps the process alive as long as the request is under way: sockets do not. */
  timer: NodeJS.Timeout | undefined;

  constructor(body: HttpBody, done: (end: HttpEnd) => void, order: number) {
    this.body = body;
    this.done = done;
    this.order = order;
  }

  end(end: HttpEnd): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.done(end);
  }
}

/** Whose connections these are. */
export interface ConnectionOwner {
  readonly heads: RequestHeads;
  readonly keepAlives: boolean;
  readonly maxAnswerBytes: number;
  readonly idleTimeoutMs: number;
  /** It has connected. */
  ready(connection: ClientConnection): void;
  /** It has been answered, and takes another request. */
  free(connection: ClientConnection): void;
  /** It is over. `connected` is false where it never began: then no request was on it. */
  gone(connection: ClientConnection, connected: boolean, message: string): void;
}

/**
 * One connection with at most one request at a time (no pipelining):
 *
 *   connecting -> idle -> busy -> idle ...        busy: from the first byte of a request to the last one of its answer
 *
 * It is read all the time, so that an idle one whose server closes it, or says what nobody asked for, is given up at once. After an answer
 * it is idle only where the answer says so, ends with the bytes that came, and the request has left before it came.
 */
export class ClientConnection implements WireEvents {
  /** Idle ones are not used from then on (`performance.now()`). */
  expiresAt = 0;
  readonly order: number;
  #call: Call | undefined;
  #connected = false;
  #failure = '';
  readonly #wire: Wire;
  readonly #writesAtOnce: boolean;
  readonly #reader: AnswerReader;
  readonly #owner: ConnectionOwner;
  readonly #timer: NodeJS.Timeout;

  /** Throws where `dial` does. */
  constructor(dial: Dial, connectTimeoutMs: number, order: number, owner: ConnectionOwner) {
    this.order = order;
    const { stream, wire, ready, writesAtOnce } = dial();
    this.#wire = wire;
    this.#writesAtOnce = writesAtOnce;
    this.#owner = owner;
    this.#reader = new AnswerReader(owner.maxAnswerBytes);
    letGo(stream);
    stream.on('error', (error) => {
      this.#failure ||= inWords(error);
    });
    stream.once(ready, () => {
      clearTimeout(this.#timer);
      letGo(stream); // again: of a name with several addresses it is another socket underneath
      this.#connected = true;
      owner.ready(this);
    });
    this.#timer = setTimeout(onceRead, connectTimeoutMs, () => this.#unconnected(connectTimeoutMs), undefined).unref();
    wire.start(this);
  }

  get destroyed(): boolean {
    return this.#wire.destroyed;
  }

  send(call: Call): void {
    this.#call = call;
    call.connection = this;
    this.#reader.reset();
    const pieces = this.#owner.heads.pieces(call.body);
    if (pieces.length > 1) this.#wire.writeAll(pieces);
    else {
      this.#wire.write(pieces[0] as Uint8Array);
      if (!this.#writesAtOnce || this.#wire.pending > 0) this.#owner.heads.keepLast();
    }
  }

  /** The end of its request, too, where it has one. */
  destroy(why: string): void {
    this.#failure ||= why;
    this.#wire.destroy();
    this.#fail();
  }

  /** Nobody waits for the answer any more; nothing is read or written after this. */
  abandon(): void {
    this.#call = undefined;
    this.#wire.destroy();
  }

  received(bytes: Uint8Array): void {
    if (this.#call === undefined) {
      this.destroy('the server has sent what nobody asked for');
      return;
    }
    const end = this.#reader.read(bytes as Buffer, 0);
    if (end === MORE) return;
    if (end === BROKEN) this.destroy(`the answer is broken: ${this.#reader.problem}`);
    else this.#answered(end === bytes.length);
  }

  ended(): void {
    // After an error it is not the answer's end, and what has come of it may be half of it.
    if (this.#call !== undefined && this.#failure === '' && this.#reader.end()) this.#answered(false);
    else this.destroy(this.#reader.begun ? 'the connection ended inside of the answer' : 'the connection ended before the answer');
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#fail();
    this.#owner.gone(this, this.#connected, this.#failure);
  }

  #unconnected(timeoutMs: number): void {
    if (!this.#connected) this.destroy(`no connection within ${timeoutMs} ms`);
  }

  /** `exactly`: no bytes came behind the answer. */
  #answered(exactly: boolean): void {
    const call = this.#call as Call;
    this.#call = undefined;
    const { status, type, retryAfter, body, reusable, keepAliveMs } = this.#reader;
    this.#reader.body = undefined;
    // Bytes of the request that still wait are not sent any more: who is told may write where they are.
    if (reusable && exactly && this.#owner.keepAlives && this.#wire.pending === 0 && keepAliveMs !== 0) {
      const { idleTimeoutMs } = this.#owner;
      const hinted = keepAliveMs === undefined ? idleTimeoutMs : keepAliveMs - Math.min(HINT_MARGIN_MS, keepAliveMs / 2);
      this.expiresAt = performance.now() + Math.min(idleTimeoutMs, hinted);
      this.#owner.free(this);
    } else this.#wire.destroy();
    call.end({ kind: 'answer', status, type, retryAfter, body });
  }

  #fail(): void {
    const call = this.#call;
    this.#call = undefined;
    call?.end({ kind: 'failed', message: this.#failure });
  }
}

/** Idle connections keep no process alive; requests do, by their timers. */
function letGo(stream: Duplex): void {
  (stream as Partial<Socket>).unref?.();
}

/** node:net gives one error for all addresses of a name, with nothing in its message. */
function inWords(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map((one) => (one as Error).message).join(', ');
  return error.message || ((error as NodeJS.ErrnoException).code ?? 'the connection failed');
}
