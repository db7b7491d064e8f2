import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { CLOSED, describe } from '../ask-loop.ts';

/**
 * gRPC towards one etcd member, over node:http2 as the exporters do it: unary calls and one long stream are all that is needed, and
 * grpc-js would make the bundle a third larger.
 */
export interface CallOptions {
  readonly path: string;
  readonly message: Uint8Array;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface StreamOptions extends CallOptions {
  /** The first message has to come within this time; later ones may take for ever. */
  readonly firstMs: number;
  readonly onMessage: (message: Uint8Array) => void;
}

/** An answer of 1000 keys, or a watch event of as many, is about 200 KiB; one value may have 1.5 MiB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** etcd refuses pings more often than every 5 s (`--grpc-keepalive-min-time`), and those without a stream. */
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;

const FRAME_HEADER_BYTES = 5;
const GRPC_OK = 0;

/** A call that ended with a gRPC status other than OK. */
export class GrpcCallError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(`gRPC status ${code}${message === '' ? '' : `: ${message}`}`);
    this.code = code;
  }
}

export class GrpcChannel {
  readonly #origin: string;
  #session: ClientHttp2Session | undefined;
  /** Calls under way. */
  #calls = 0;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** One message there and one back. Also for LeaseKeepAlive, whose stream may be as short as that. */
  async unary(options: CallOptions & { readonly timeoutMs: number }): Promise<Uint8Array> {
    let answer: Uint8Array | undefined;
    await this.#call(
      options,
      (message) => {
        answer = message;
      },
      { firstMs: options.timeoutMs, isUnary: true },
    );
    if (answer === undefined) throw new Error(`${this.#origin} answered without a message`);
    return answer;
  }

  /** Resolves when the server ends the stream well; rejects otherwise. */
  async stream(options: StreamOptions): Promise<void> {
    await this.#call(options, options.onMessage, { firstMs: options.firstMs, isUnary: false });
  }

  /** Ends what is under way. */
  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #call(
    { path, message, metadata, signal }: CallOptions,
    onMessage: (message: Uint8Array) => void,
    { firstMs, isUnary }: { readonly firstMs: number; readonly isUnary: boolean },
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal.aborted) return Promise.reject(new Error(CLOSED));
    let stream: ClientHttp2Stream;
    try {
      stream = this.#open().request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...metadata,
      });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    this.#calls += 1;
    let isDone = false;
    const end = (error?: Error): void => {
      if (isDone) return;
      isDone = true;
      this.#calls -= 1;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (error !== undefined || !isUnary) stream.close(constants.NGHTTP2_CANCEL);
      if (error === undefined) resolve();
      else reject(error);
    };
    const abort = (): void => end(new Error(CLOSED));
    const timer = setTimeout(() => end(new Error(`${this.#origin} gave no answer within ${firstMs} ms`)), firstMs);
    timer.unref();
    signal.addEventListener('abort', abort, { once: true });

    const read = frameReader((body) => {
      // A unary call ends with its status, and has until then.
      if (!isUnary) clearTimeout(timer);
      onMessage(body);
    });
    const status = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] === undefined) return;
      const code = Number(headers['grpc-status']);
      end(code === GRPC_OK ? undefined : new GrpcCallError(code, decodeMessage(headers['grpc-message'])));
    };
    stream.on('response', (headers) => {
      if (headers[':status'] !== 200)
        end(new Error(`${this.#origin} answered with HTTP status ${headers[':status'] ?? 'none'}, which is no gRPC`));
      else status(headers);
    });
    stream.on('trailers', status);
    stream.on('data', (chunk: Buffer) => {
      if (isDone) return;
      try {
        read(chunk);
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.on('error', (error) => end(new Error(`the connection to ${this.#origin} failed: ${describe(error)}`)));
    stream.on('close', () => end(new Error(`${this.#origin} closed the connection`)));
    stream.write(frame(message));
    if (isUnary) stream.end();
    return promise;
  }

  #open(): ClientHttp2Session {
    const open = this.#session;
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connect(this.#origin, { settings: { enablePush: false, initialWindowSize: 1024 * 1024 } });
    // A peer that is gone without a word is found by a ping; without a call nobody asks.
    const timer = setInterval(() => {
      if (this.#calls === 0 || session.connecting || session.destroyed) return;
      const late = setTimeout(() => session.destroy(new Error(`no answer to a ping within ${PING_TIMEOUT_MS} ms`)), PING_TIMEOUT_MS);
      late.unref();
      if (!session.ping(() => clearTimeout(late))) clearTimeout(late);
    }, PING_INTERVAL_MS);
    timer.unref();
    session.on('error', () => {}); // each stream says it
    session.on('goaway', () => this.#forget(session));
    session.on('close', () => {
      clearInterval(timer);
      this.#forget(session);
    });
    this.#session = session;
    return session;
  }

  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }
}

/** Flag, length, message. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function frame(message: Uint8Array): Buffer {
  const whole = Buffer.alloc(FRAME_HEADER_BYTES + message.length);
  whole.writeUInt32BE(message.length, 1);
  whole.set(message, FRAME_HEADER_BYTES);
  return whole;
}

/** Gives each whole message on; holds one at the most, of limited size. */
function frameReader(onMessage: (message: Uint8Array) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let bytes = 0;
  let need = FRAME_HEADER_BYTES;
  return (chunk) => {
    parts.push(chunk);
    bytes += chunk.length;
    // Joined only when something can be read of it: a long message in many chunks is copied once.
    while (bytes >= need) {
      const whole = Buffer.concat(parts, bytes);
      if (whole[0] !== 0) throw new Error('a message of etcd is compressed, which was not asked for');
      const length = whole.readUInt32BE(1);
      if (length > MAX_MESSAGE_BYTES) throw new Error(`a message of etcd has ${length} bytes, more than ${MAX_MESSAGE_BYTES}`);
      parts = [whole];
      need = FRAME_HEADER_BYTES + length;
      if (bytes < need) return;
      parts = [whole.subarray(need)];
      bytes -= need;
      need = FRAME_HEADER_BYTES;
      onMessage(whole.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length));
    }
  };
}

/** grpc-message is percent-encoded UTF-8; what is not is taken as it is. */
function decodeMessage(text: unknown): string {
  if (typeof text !== 'string') return '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
