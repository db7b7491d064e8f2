import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { CallEvents, ClientCall, ClientEvents, ClientOptions, ClientSession, Fields } from './client.ts';
import { ErrorCode, type ResponseHeaders } from './server.ts';

/**
 * node:http2 refuses a *response* (RST_STREAM ENHANCE_YOUR_CALM) while a session holds more than this, request bodies that are being
 * written included; its default of 10 MB makes duplicates of requests that the next hop has taken. Our memory is counted by admit. In MB.
 */
const MAX_SESSION_MEMORY_MB = 4096;
/** Below it, slices are joined before they are written: a write costs about as much as copying so many bytes. */
const JOIN_BELOW_BYTES = 4 * 1024;
const JOINED_BYTES = 64 * 1024;

/** The client of node:http2. */
export function createNodeClient(stream: Duplex, options: ClientOptions, events: ClientEvents): ClientSession {
  return new NodeClient(stream, options, events);
}

class NodeClient implements ClientSession {
  readonly #session: ClientHttp2Session;

  constructor(stream: Duplex, { sessionWindowBytes }: ClientOptions, events: ClientEvents) {
    // The calls say :authority themselves: what is configured or resolved need not be part of a URL, and a URL that is none throws.
    const session = connect('http://upstream', {
      createConnection: () => stream,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false },
    });
    this.#session = session;
    session.on('connect', () => {
      // Destroyed while the socket was connecting: the event comes all the same, and the call would throw out of it.
      if (!session.destroyed) session.setLocalWindowSize(sessionWindowBytes);
    });
    session.on('remoteSettings', (settings) => events.settings(settings.maxConcurrentStreams));
    session.on('goaway', () => events.goaway());
    session.on('error', (error) => events.failed(error.message));
    session.on('close', () => events.closed());
  }

  get closing(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  get destroyed(): boolean {
    return this.#session.destroyed;
  }

  request(headers: ResponseHeaders, body: readonly Uint8Array[], _bytes: number, events: CallEvents): ClientCall {
    const stream = this.#session.request(headers);
    let failure = '';
    stream.on('response', (got) => events.response(fieldsOf(got)));
    stream.on('trailers', (got) => events.trailers(fieldsOf(got)));
    stream.on('data', (data: Buffer) => events.data(data));
    stream.on('error', (error) => {
      failure = error.message;
    });
    stream.on('close', () => {
      const { rstCode, id } = stream;
      const refused = rstCode === constants.NGHTTP2_REFUSED_STREAM;
      events.closed({ code: rstCode ?? 0, sent: id !== undefined, refused, message: failure });
    });
    writeBody(stream, body);
    return { cancel: () => stream.close(ErrorCode.CANCEL) };
  }

  ping(answered: (alive: boolean) => void): void {
    try {
      this.#session.ping((error) => answered(error === null));
    } catch {
      answered(false);
    }
  }

  close(): void {
    this.#session.close();
  }

  destroy(why?: string): void {
    if (why === undefined) this.#session.destroy();
    else this.#session.destroy(new Error(why));
  }

  keepProcess(alive: boolean): void {
    if (alive) this.#session.ref();
    else this.#session.unref();
  }
}

function fieldsOf(headers: IncomingHttpHeaders): Fields {
  return {
    get: (name) => {
      const value: unknown = headers[name];
      return value === undefined ? undefined : String(value);
    },
  };
}

/** All of it in one corked burst: node:http2 hands it to nghttp2 with a single writev and copies nothing on our side. */
function writeBody(stream: ClientHttp2Stream, body: readonly Uint8Array[]): void {
  stream.cork();
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  const writeSmall = (): void => {
    if (smallBytes > 0) stream.write(small.length === 1 ? small[0] : Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const slice of body) {
    if (slice.length < JOIN_BELOW_BYTES) {
      small.push(slice);
      smallBytes += slice.length;
      if (smallBytes >= JOINED_BYTES) writeSmall();
      continue;
    }
    writeSmall();
    stream.write(slice);
  }
  writeSmall();
  stream.end();
}
