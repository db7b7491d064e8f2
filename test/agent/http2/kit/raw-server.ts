import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { CallEnd, ClientSession, CreateClient, Fields } from '../../../../agent/http2/client.ts';
import { Flag, FrameType, PREFACE, putHead } from '../../../../agent/http2/frames.ts';
import { responseBlock } from '../../../../agent/http2/response-block.ts';

/** A frame that a client has sent. */
export interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  putHead(bytes, 0, payload.length, type, flags, stream);
  bytes.set(payload, 9);
  return bytes;
}

export function settings(...values: readonly (readonly [name: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(values.length * 6);
  values.forEach(([name, value], i) => {
    payload.writeUInt16BE(name, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const windowUpdate = (stream: number, bytes: number): Buffer => frame(FrameType.WINDOW_UPDATE, 0, stream, word(bytes));
export const reset = (stream: number, code: number): Buffer => frame(FrameType.RST_STREAM, 0, stream, word(code));
export const goaway = (last: number, code = 0): Buffer => frame(FrameType.GOAWAY, 0, 0, Buffer.concat([word(last), word(code)]));

export function headers(stream: number, list: Readonly<Record<string, string>>, end = false): Buffer {
  return frame(FrameType.HEADERS, Flag.END_HEADERS | (end ? Flag.END_STREAM : 0), stream, responseBlock(list));
}

/** HEADERS, a message of no bytes, trailers. */
export function answer(stream: number): Buffer {
  return Buffer.concat([
    headers(stream, { ':status': '200', 'content-type': 'application/grpc' }),
    frame(FrameType.DATA, 0, stream, Buffer.alloc(5)),
    headers(stream, { 'grpc-status': '0' }, true),
  ]);
}

/** One connection of a server that is spelled out frame by frame. */
export class RawServer {
  readonly frames: Seen[] = [];
  readonly socket: Socket;
  ended = false;
  #bytes: Buffer = Buffer.alloc(0);
  #preface = PREFACE.length;
  #woken: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('close', () => {
      this.ended = true;
      this.#wake();
    });
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** All frames of a type, and of a stream where it is named. */
  of(type: number, stream?: number): Seen[] {
    return this.frames.filter((one) => one.type === type && (stream === undefined || one.stream === stream));
  }

  /** Bytes of DATA that a stream has had. */
  bytesOf(stream: number): number {
    return this.of(FrameType.DATA, stream).reduce((sum, { payload }) => sum + payload.length, 0);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#woken.push(resolve));
  }

  #wake(): void {
    for (const one of this.#woken.splice(0)) one();
  }

  #read(bytes: Buffer): void {
    let all = Buffer.concat([this.#bytes, bytes]);
    if (this.#preface > 0) {
      const skipped = Math.min(this.#preface, all.length);
      this.#preface -= skipped;
      all = all.subarray(skipped);
    }
    while (all.length >= 9 && all.length >= 9 + all.readUIntBE(0, 3)) {
      const length = all.readUIntBE(0, 3);
      const payload = Buffer.from(all.subarray(9, 9 + length));
      this.frames.push({ type: all[3] as number, flags: all[4] as number, stream: all.readUInt32BE(5), payload });
      all = all.subarray(9 + length);
    }
    this.#bytes = all;
    this.#wake();
  }
}

/** What one call has heard. */
export interface Heard {
  response: Fields | undefined;
  trailers: Fields | undefined;
  data: Buffer;
  end: CallEnd | undefined;
  readonly over: Promise<CallEnd>;
  cancel(): void;
}

/** A client's session with a raw server, and what happened to it. */
export interface Pair {
  readonly server: RawServer;
  readonly session: ClientSession;
  readonly said: string[];
  readonly closed: Promise<void>;
  call(body: readonly Uint8Array[], headers?: Readonly<Record<string, string>>): Heard;
  close(): void;
}

export const CALL = { ':method': 'POST', ':scheme': 'http', ':path': '/x', ':authority': 'x' } as const;

export async function pair(create: CreateClient, begin: readonly Buffer[] = [settings()]): Promise<Pair> {
  const listener: Server = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const said: string[] = [];
  let over: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    over = resolve;
  });
  const session = create(
    connect((listener.address() as AddressInfo).port, '127.0.0.1'),
    { sessionWindowBytes: 1024 * 1024 },
    {
      settings: (most) => said.push(`settings ${most}`),
      goaway: () => said.push('goaway'),
      failed: (message) => said.push(`failed ${message}`),
      closed: over,
    },
  );
  const server = new RawServer((await accepted)[0]);
  if (begin.length > 0) server.send(...begin);
  const call = (body: readonly Uint8Array[], list: Readonly<Record<string, string>> = CALL): Heard => {
    let end: (told: CallEnd) => void = () => {};
    let cancel = (): void => {};
    const heard: Heard = {
      response: undefined,
      trailers: undefined,
      data: Buffer.alloc(0),
      end: undefined,
      over: new Promise((resolve) => {
        end = resolve;
      }),
      cancel: () => cancel(),
    };
    const bytes = body.reduce((sum, slice) => sum + slice.length, 0);
    cancel = session.request(list, body, bytes, {
      response: (fields) => {
        heard.response = fields;
      },
      trailers: (fields) => {
        heard.trailers = fields;
      },
      data: (data) => {
        heard.data = Buffer.concat([heard.data, data]);
      },
      closed: (told) => {
        heard.end = told;
        end(told);
      },
    }).cancel;
    return heard;
  };
  return {
    server,
    session,
    said,
    closed,
    call,
    close: () => {
      session.destroy();
      server.socket.destroy();
      listener.close();
    },
  };
}
