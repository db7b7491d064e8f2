import type { OutgoingHttpHeaders, ServerHttp2Session, ServerHttp2Stream, ServerOptions } from 'node:http2';
import * as http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import {
  ErrorCode,
  EVERY_STREAM,
  type RequestHeaders,
  type ResponseHeaders,
  type ServerSession,
  type ServerStream,
  type SessionEvents,
  type SessionOptions,
  type StreamReader,
} from './server.ts';

/** Above it node:http2 refuses streams without asking us; what is held is counted by admit, so this only has to be out of the way. In MB. */
const MAX_SESSION_MEMORY_MB = 4096;
/** Of a refused body. More than what is under way when the client learns of the refusal. */
const MAX_THROWN_AWAY_BYTES = 16 * 1024 * 1024;
const MAX_LINGER_MS = 5_000;
/** How long a client has to hang up, too, once we have. */
const FAREWELL_MS = 2_000;

/** What node:http2 replaces with the last stream that it has taken. */
const LAST_TAKEN = 0;
/** How often is looked whether a client that reads slowly has let a GOAWAY out. */
const UNSENT_LOOK_MS = 5;

/** @types/node of our oldest Node does not know it: since 20.12. */
const { performServerHandshake } = http2 as unknown as {
  performServerHandshake(stream: Duplex, options: ServerOptions): ServerHttp2Session;
};

/** HTTP/2 by node:http2, behind the same interface as our own codec. About 33 microseconds a request, most of it stream objects. */
export function createNodeSession(socket: Duplex, options: SessionOptions, events: SessionEvents): ServerSession {
  const session = performServerHandshake(socket, {
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    settings: {
      initialWindowSize: options.streamWindowBytes,
      maxConcurrentStreams: options.maxConcurrentStreams,
      maxHeaderListSize: options.maxHeaderBytes,
      enablePush: false,
    },
  });
  let called = false;
  session.setLocalWindowSize(options.sessionWindowBytes);
  // Garbage on the port, a client that resets: theirs alone. Only of those that never made a call: grpc-go says goodbye with a GOAWAY
  // that nghttp2 finds a protocol error (last stream 2^31-1).
  session.on('error', () => {
    if (!called) events.fault('http2');
  });
  session.once('remoteSettings', () => events.ready());
  session.on('ping', () => events.ping());
  session.on('close', () => events.closed());
  const control = new NodeSession(session, socket);
  session.on('stream', (stream, headers) => {
    called = true;
    serve(stream, headers as RequestHeaders, events);
  });
  return control;
}

/** A session of node:http2 whose streams somebody else handles. */
export class NodeSession implements ServerSession {
  open = 0;
  readonly #session: ServerHttp2Session;
  readonly #socket: Duplex;

  constructor(session: ServerHttp2Session, socket: Duplex) {
    this.#session = session;
    this.#socket = socket;
    const closed = (): void => {
      this.open -= 1;
    };
    session.on('stream', (stream) => {
      this.open += 1;
      stream.on('close', closed);
    });
    socket.once('finish', () => setTimeout(() => this.destroy(), FAREWELL_MS).unref());
  }

  get closing(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  get destroyed(): boolean {
    return this.#session.destroyed;
  }

  sweep(): void {}

  ping(answered: () => void): boolean {
    return !this.#session.destroyed && this.#session.ping(answered);
  }

  goaway(code: number, lastStream: number, debug?: string): void {
    if (this.#session.destroyed) return;
    this.#session.goaway(code, lastStream, debug === undefined ? undefined : Buffer.from(debug));
    if (lastStream === EVERY_STREAM) this.#sayLast();
  }

  /**
   * The last stream that was taken. nghttp2 ignores whatever stream comes after a GOAWAY of its own, one that promises to take every stream
   * too (its shutdown notice, which would be the exception, is not in Node's API), and without open streams it reads no more: the pings
   * have no answer. So clients hear what was ignored as soon as the promise is out; earlier, a stream that is still taken would be above
   * the last one, and most clients send such a call again.
   */
  #sayLast(): void {
    if (this.closing) return;
    if ((this.#session.state.outboundQueueSize ?? 0) > 0) setTimeout(() => this.#sayLast(), UNSENT_LOOK_MS).unref();
    else this.#session.goaway(ErrorCode.NO_ERROR, LAST_TAKEN);
  }

  close(): void {
    if (!this.#session.destroyed) this.#session.close();
  }

  /** The socket too: a session that was closed before would wait for its client to hang up, and with some that is for ever. */
  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }
}

function serve(stream: ServerHttp2Stream, headers: RequestHeaders, events: SessionEvents): void {
  // A stream that the client resets emits 'error'; without a listener that would end the process.
  stream.on('error', () => {});
  const own = new NodeStream(stream, headers);
  const reader = events.stream(own);
  if (reader !== undefined) own.readBy(reader);
}

class NodeStream implements ServerStream {
  readonly headers: RequestHeaders;
  readonly #stream: ServerHttp2Stream;
  #answered = false;

  constructor(stream: ServerHttp2Stream, headers: RequestHeaders) {
    this.#stream = stream;
    this.headers = headers;
  }

  readBy(reader: StreamReader): void {
    const stream = this.#stream;
    stream.on('data', (data: Buffer) => {
      if (!this.#answered) reader.data(data);
    });
    stream.on('end', () => {
      // node:http2 ends the body also when the connection breaks: that is nobody's END_STREAM, and 'close' follows.
      if (!this.#answered && !stream.aborted && !this.closed) reader.end();
    });
    stream.on('close', () => reader.closed());
  }

  get closed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  respond(headers: ResponseHeaders, body?: Uint8Array, trailers?: ResponseHeaders): void {
    if (this.closed) return;
    this.#answered = true;
    const stream = this.#stream;
    const endsHere = body === undefined && trailers === undefined;
    stream.respond(headers as OutgoingHttpHeaders, endsHere ? { endStream: true } : { waitForTrailers: trailers !== undefined });
    if (!endsHere) {
      if (trailers !== undefined) stream.once('wantTrailers', () => sendTrailers(stream, trailers));
      stream.end(body);
    }
    stopReading(stream);
  }

  begin(headers: ResponseHeaders): void {
    if (!this.closed) this.#stream.respond(headers as OutgoingHttpHeaders, { waitForTrailers: true });
  }

  write(bytes: Uint8Array): void {
    if (!this.closed) this.#stream.write(bytes);
  }

  finish(trailers: ResponseHeaders): void {
    if (this.closed) return;
    const stream = this.#stream;
    this.#answered = true;
    stream.once('wantTrailers', () => sendTrailers(stream, trailers));
    stream.end();
    stopReading(stream);
  }

  reset(code: number): void {
    if (!this.closed) this.#stream.close(code);
  }
}

function sendTrailers(stream: ServerHttp2Stream, trailers: ResponseHeaders): void {
  if (!stream.destroyed) stream.sendTrailers(trailers as OutgoingHttpHeaders);
}

/**
 * The answer is complete and the request is not: what the client still sends is read and thrown away, as it stops by itself on the
 * trailers. Resetting the stream at once (RFC 9113, 8.1 allows it) would be wrong twice on node:http2: it drops response headers that wait
 * behind the reset, and DATA that arrives for a stream it has destroyed is never given back to the connection's window, so that after
 * some refusals the whole connection stands still. Who sends on and on is reset, and its connection replaced by GOAWAY for that reason.
 */
export function stopReading(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return;
  let thrownAway = 0;
  stream.on('data', (data: Buffer) => {
    thrownAway += data.length;
    if (thrownAway > MAX_THROWN_AWAY_BYTES) resetStream(stream);
  });
  const timer = setTimeout(resetStream, MAX_LINGER_MS, stream).unref();
  stream.once('close', () => clearTimeout(timer));
}

function resetStream(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed) return;
  const { session } = stream;
  stream.close(ErrorCode.NO_ERROR);
  session?.close();
}
