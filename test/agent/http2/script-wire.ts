import type { Duplex } from 'node:stream';
import { Flag, FrameType, HEAD_BYTES, PREFACE, putHead, putUint32, uint31, uint32 } from '../../../agent/http2/frames.ts';
import type { ServerSession, ServerStream, SessionEvents, SessionOptions, StreamReader } from '../../../agent/http2/server.ts';
import { createServerSession } from '../../../agent/http2/server-session.ts';
import type { Wire, WireEvents } from '../../../agent/runtime/wire.ts';

/** A connection by hand: a test says what is received and when, and reads what was sent as frames. */
export class ScriptWire implements Wire {
  destroyed = false;
  ended = false;
  paused = false;
  /** What the other end has not taken, as the test has it. */
  pending = 0;
  written = 0;
  writes = 0;
  readonly #sent: Buffer[] = [];
  #events: WireEvents | undefined;

  start(events: WireEvents): void {
    this.#events = events;
  }

  /** In a buffer that is overwritten afterwards, as the real one is. */
  receive(...bytes: readonly Uint8Array[]): void {
    const read = Buffer.concat(bytes);
    this.#events?.received(read);
    read.fill(0xee);
  }

  handOn(): Duplex {
    throw new Error('nobody hands an HTTP/2 connection on');
  }

  end(): void {
    this.ended = true;
  }

  /** The other end closes its side. */
  peerEnds(): void {
    this.#events?.ended();
  }

  drained(): void {
    this.pending = 0;
    this.#events?.drained?.();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#events?.ended();
    this.#events?.closed();
  }

  /** As a socket: a copy, where nothing waits. */
  write(bytes: Uint8Array): boolean {
    this.writes += 1;
    this.written += bytes.length;
    this.#sent.push(Buffer.from(bytes));
    return this.pending === 0;
  }

  writeAll(list: readonly Uint8Array[]): boolean {
    return this.write(Buffer.concat(list));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** All that was sent, as frames. */
  frames(): SentFrame[] {
    const bytes = this.sent;
    const frames: SentFrame[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUIntBE(at, 3);
      const payload = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
      frames.push({ type: bytes[at + 3] as number, flags: bytes[at + 4] as number, stream: uint31(bytes, at + 5), payload });
      at += HEAD_BYTES + length;
    }
    return frames;
  }

  /** [stream, code] of each RST_STREAM that was sent. */
  resets(): [number, number][] {
    return this.frames()
      .filter(({ type }) => type === FrameType.RST_STREAM)
      .map(({ stream, payload }) => [stream, uint32(payload, 0)]);
  }

  /** Codes of the GOAWAYs that were sent. */
  goaways(): number[] {
    return this.frames()
      .filter(({ type }) => type === FrameType.GOAWAY)
      .map(({ payload }) => uint32(payload, 4));
  }
}

export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const OPTIONS: SessionOptions = {
  maxConcurrentStreams: 100,
  streamWindowBytes: 256 * 1024,
  sessionWindowBytes: 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
};

/** A session over a ScriptWire, and everything it has reported, as lines. */
export interface Scripted {
  readonly wire: ScriptWire;
  readonly session: ServerSession;
  readonly log: string[];
  readonly streams: ServerStream[];
}

/** `serve` is the application: it may answer at once, and gives the reader; without it, requests are noted and never answered. */
export function scripted(
  options: Partial<SessionOptions> = {},
  serve: (stream: ServerStream, note: (line: string) => void) => StreamReader | undefined = noting,
): Scripted {
  const wire = new ScriptWire();
  const log: string[] = [];
  const streams: ServerStream[] = [];
  const events: SessionEvents = {
    stream: (stream) => {
      streams.push(stream);
      log.push(`stream ${JSON.stringify(Object.entries(stream.headers))}`);
      return serve(stream, (line) => log.push(line));
    },
    ready: () => log.push('ready'),
    ping: () => log.push('ping'),
    fault: (name) => log.push(`fault ${name}`),
    closed: () => log.push('closed'),
  };
  const session = createServerSession(wire, { ...OPTIONS, ...options }, events);
  return { wire, session, log, streams };
}

/** Bytes of a body that come one after the other are one line, however they were cut. */
export function noting(_stream: ServerStream, note: (line: string) => void): StreamReader {
  const parts: Buffer[] = [];
  return {
    data: (bytes) => void parts.push(Buffer.from(bytes)),
    end: () => note(`body ${Buffer.concat(parts).toString('hex')}`),
    closed: () => note('stream closed'),
  };
}

export const OK_HEADERS = { ':status': '200', 'content-type': 'application/grpc' };
export const OK_TRAILERS = { 'grpc-status': '0' };

/** Answers each request when it has ended: what came, sent back. */
export function echoing(stream: ServerStream): StreamReader {
  const parts: Buffer[] = [];
  return {
    data: (bytes) => void parts.push(Buffer.from(bytes)),
    end: () => stream.respond(OK_HEADERS, Buffer.concat(parts), OK_TRAILERS),
    closed: () => {},
  };
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const out = Buffer.alloc(HEAD_BYTES + payload.length);
  putHead(out, 0, payload.length, type, flags, stream);
  out.set(payload, HEAD_BYTES);
  return out;
}

/** How a client begins: preface and SETTINGS. */
export function hello(settings: readonly (readonly [name: number, value: number])[] = []): Buffer {
  return Buffer.concat([PREFACE, settingsFrame(settings)]);
}

export function settingsFrame(settings: readonly (readonly [name: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [i, [name, value]] of settings.entries()) {
    payload.writeUInt16BE(name, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

export function word(value: number): Uint8Array {
  const out = new Uint8Array(4);
  putUint32(out, 0, value);
  return out;
}

/** Literals without indexing, names and values shorter than 127 bytes or not: nothing that a table has to remember. */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length: number[] = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left >>>= 7) length.push((left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.of(...length, left), bytes]);
}

export const POST: readonly (readonly [string, string])[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/service/Call'],
  [':authority', 'here'],
];

/** Flags of a HEADERS frame that is a whole block, and of one that ends its request, too. */
export const HEADERS = Flag.END_HEADERS;
export const LAST = Flag.END_HEADERS | Flag.END_STREAM;

/** A whole request. */
export function request(id: number, body: Uint8Array): Buffer {
  return Buffer.concat([frame(FrameType.HEADERS, HEADERS, id, block(POST)), frame(FrameType.DATA, Flag.END_STREAM, id, body)]);
}

/** When what is written at the end of this turn has been written. */
export function flushed(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(resolve));
}
