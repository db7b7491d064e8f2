import { connect, type Socket } from 'node:net';
import { ErrorCode } from '../../../../agent/http2/server.ts';
import {
  END_HEADERS,
  END_STREAM,
  frame as frameOf,
  frameReader,
  PREFACE,
  settingsAck,
  settings as settingsOf,
  TYPE,
} from '../../../faults/http2-frames.mjs';
import { call } from './hpack.ts';

export { ACK, END_HEADERS, END_STREAM, PADDED, PREFACE, TYPE } from '../../../faults/http2-frames.mjs';

/** The flag of HEADERS whose payload begins with a dependency and a weight. */
export const PRIORITY_FLAG = 0x20;
export const SETTING = { HEADER_TABLE_SIZE: 1, ENABLE_PUSH: 2, MAX_STREAMS: 3, INITIAL_WINDOW: 4, MAX_FRAME: 5, MAX_HEADERS: 6 } as const;

export const frame = frameOf as (type: number, flags: number, stream: number, payload?: Uint8Array) => Buffer;
export const settings: (...pairs: readonly (readonly [number, number])[]) => Buffer = settingsOf;

export function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
}

export const headers = (stream: number, block: Uint8Array = call(), flags = END_HEADERS): Buffer =>
  frame(TYPE.HEADERS, flags, stream, block);
export const data = (stream: number, payload: Uint8Array, flags = END_STREAM): Buffer => frame(TYPE.DATA, flags, stream, payload);
export const continuation = (stream: number, payload: Uint8Array, flags = END_HEADERS): Buffer =>
  frame(TYPE.CONTINUATION, flags, stream, payload);
export const windowUpdate = (stream: number, increment: number): Buffer => frame(TYPE.WINDOW_UPDATE, 0, stream, uint32(increment));
export const reset = (stream: number, code = 8): Buffer => frame(TYPE.RST_STREAM, 0, stream, uint32(code));
export const ping = (mark = 0): Buffer => frame(TYPE.PING, 0, 0, Buffer.concat([uint32(mark), uint32(mark)]));
export const priority = (stream: number, on: number): Buffer =>
  frame(TYPE.PRIORITY, 0, stream, Buffer.concat([uint32(on), Buffer.from([15])]));

/** A gRPC message without a byte: the smallest valid call. */
export const EMPTY_MESSAGE = Buffer.alloc(5);
export const wholeCall = (stream: number, block = call(), message: Uint8Array = EMPTY_MESSAGE): Buffer =>
  Buffer.concat([headers(stream, block), data(stream, message)]);

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const nameOf = (code: number): string => Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? `code ${code}`;

/** One socket on which frames are written as they are given, with all that comes back. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  isClosed = false;
  /** It ended with an error: what the other side said last may not have been read. */
  isBroken = false;
  /** SETTINGS are acknowledged as they come, which is wrong in the middle of a frame. */
  acknowledges = true;
  #changed: (() => void)[] = [];
  /** What is asked after every frame, of tens of thousands of them: counted as they come. */
  readonly #answered = new Set<number>();
  readonly #pongs = new Set<number>();
  readonly #dataBytes = new Map<number, number>();
  #allDataBytes = 0;
  #pings = 0x7000_0000;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => {
      this.isBroken = true;
    });
    const read = frameReader((type: number, flags: number, stream: number, payload: Buffer) => {
      const one = { type, flags, stream, payload: Buffer.from(payload) };
      this.frames.push(one);
      this.#count(one);
      if (type === TYPE.SETTINGS && flags === 0 && this.acknowledges) this.send(settingsAck());
    });
    this.socket.on('data', (bytes: Buffer) => {
      read(bytes);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        resolve();
        this.#wake();
      });
    });
  }

  /** With the preface and SETTINGS sent. */
  static speaking(port: number, ...pairs: readonly (readonly [number, number])[]): RawClient {
    const client = new RawClient(port);
    client.send(PREFACE, settings(...pairs));
    return client;
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts));
  }

  /** Writes what `make` gives until it has been called so often or the other side has closed. True where all was taken. */
  async flood(times: number, make: (i: number) => Uint8Array, perWrite = 100): Promise<boolean> {
    for (let i = 0; i < times; i += perWrite) {
      if (!this.socket.writable) return false;
      const burst = Array.from({ length: Math.min(perWrite, times - i) }, (_, k) => make(i + k));
      if (!this.socket.write(Buffer.concat(burst)))
        await Promise.race([this.closed, new Promise((resolve) => this.socket.once('drain', resolve))]);
    }
    return !this.isClosed;
  }

  /** When the frames that came, or the end of the connection, satisfy; false where the connection ended without. */
  async until(done: () => boolean): Promise<boolean> {
    while (!done()) {
      if (this.isClosed) return false;
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
    return true;
  }

  /** The first frame of that type (and stream), once it comes. */
  async frame(type: number, stream?: number): Promise<Frame | undefined> {
    const find = (): Frame | undefined => this.frames.find((one) => one.type === type && (stream === undefined || one.stream === stream));
    await this.until(() => find() !== undefined);
    return find();
  }

  /** When the other side has taken all that was sent and written what it had to say to it: two pings, as nghttp2 answers them first. */
  async settled(): Promise<void> {
    for (let i = 0; i < 2; i += 1) {
      this.#pings += 1;
      const mark = this.#pings;
      this.send(ping(mark));
      await this.until(() => this.#pongs.has(mark));
    }
  }

  /** Whether the stream has its whole answer. */
  answered(stream: number): boolean {
    return this.#answered.has(stream);
  }

  /** Bytes of DATA that came on the stream, or on all. */
  received(stream?: number): number {
    return stream === undefined ? this.#allDataBytes : (this.#dataBytes.get(stream) ?? 0);
  }

  /**
   * What the other side makes of it all: `connection CODE` for a GOAWAY with an error, after which it has to close; `closed` where it closes
   * without one; `stream CODE` for a reset of this stream; `answered`; and `taken` where nothing of that happens.
   */
  async verdict(stream = 1): Promise<string> {
    await this.settled();
    const goaway = this.frames.find((one) => one.type === TYPE.GOAWAY && one.payload.readUInt32BE(4) !== 0);
    if (goaway !== undefined) {
      await this.closed;
      return `connection ${nameOf(goaway.payload.readUInt32BE(4))}`;
    }
    if (this.isClosed) return 'closed';
    const rst = this.frames.find((one) => one.type === TYPE.RST_STREAM && one.stream === stream);
    const code = rst?.payload.readUInt32BE(0) ?? 0;
    if (code !== 0) return `stream ${nameOf(code)}`;
    return this.answered(stream) ? 'answered' : 'taken';
  }

  /** A call in order, on a new stream: whether it is answered. */
  async serves(stream = 9_999): Promise<boolean> {
    this.send(wholeCall(stream));
    return this.until(() => this.answered(stream));
  }

  close(): void {
    this.socket.destroy();
  }

  #count({ type, flags, stream, payload }: Frame): void {
    if (type === TYPE.PING && flags === 1) this.#pongs.add(payload.readUInt32BE(0));
    if ((type === TYPE.HEADERS || type === TYPE.DATA) && (flags & END_STREAM) !== 0) this.#answered.add(stream);
    if (type !== TYPE.DATA) return;
    this.#dataBytes.set(stream, this.received(stream) + payload.length);
    this.#allDataBytes += payload.length;
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
