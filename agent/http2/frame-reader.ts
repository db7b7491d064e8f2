import { DEFAULT_FRAME_BYTES, Flag, FrameType, HEAD_BYTES, PREFACE } from './frames.ts';
import { ErrorCode } from './server.ts';

/** Who takes frames. */
export interface FrameSink {
  /** True where no frame is taken any more: the connection has failed or gone. */
  readonly over: boolean;
  /** A frame that is not DATA, whole: its payload is `from..to`, during the call only. */
  frame(type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void;
  /** DATA begins; `length` counts its padding. */
  dataBegin(flags: number, stream: number, length: number): void;
  /** Some of it, padding left out; never empty. */
  data(bytes: Uint8Array, from: number, to: number): void;
  dataEnd(): void;
  fail(code: number, fault: string): void;
}

const Phase = { PREFACE: 0, HEAD: 1, PAYLOAD: 2, PAD_LENGTH: 3, DATA: 4, PADDING: 5 } as const;

/**
 * Bytes, cut anywhere -> frames. What lies whole in a read is taken from where it lies; DATA is handed on as it comes, and only a head or
 * another frame that is cut waits here, in a buffer of its own length, 16 KiB at most.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  #phase: number = Phase.PREFACE;
  /** A head that is cut. */
  readonly #head = new Uint8Array(HEAD_BYTES);
  /** Bytes read of the preface, of `#head` or of `#payload`. */
  #read = 0;
  /** When what waits in `#head` or `#payload` began, `performance.now()` in whole milliseconds. */
  #cutAt = 0;
  #payload: Uint8Array | undefined;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Of DATA, still to come. */
  #dataLeft = 0;
  #paddingLeft = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /**
   * Since when a frame waits here for its rest, `performance.now()`; 0 where none does. DATA never does. Noted where a frame is cut, which
   * is once in a read at most.
   */
  get cutSince(): number {
    return this.#phase === Phase.PAYLOAD || (this.#phase === Phase.HEAD && this.#read > 0) ? this.#cutAt : 0;
  }

  read(bytes: Uint8Array): void {
    const end = bytes.length;
    const sink = this.#sink;
    let at = 0;
    while (at < end && !sink.over) {
      switch (this.#phase) {
        case Phase.HEAD:
          if (this.#read === 0 && end - at >= HEAD_BYTES) {
            at = this.#begin(bytes, at, bytes, at + HEAD_BYTES);
          } else {
            if (this.#read === 0) this.#cutAt = Math.floor(performance.now());
            this.#head[this.#read] = bytes[at] as number;
            this.#read += 1;
            at += 1;
            if (this.#read === HEAD_BYTES) {
              this.#read = 0;
              at = this.#begin(this.#head, 0, bytes, at);
            }
          }
          break;
        case Phase.DATA:
          at = this.#data(bytes, at);
          break;
        case Phase.PADDING: {
          const skipped = Math.min(this.#paddingLeft, end - at);
          at += skipped;
          this.#paddingLeft -= skipped;
          if (this.#paddingLeft === 0) this.#dataEnd();
          break;
        }
        case Phase.PAD_LENGTH:
          this.#pad(bytes[at] as number);
          at += 1;
          break;
        case Phase.PAYLOAD:
          at = this.#collect(bytes, at);
          break;
        default:
          if (bytes[at] !== PREFACE[this.#read]) {
            sink.fail(ErrorCode.PROTOCOL_ERROR, 'preface');
            return;
          }
          at += 1;
          this.#read += 1;
          if (this.#read === PREFACE.length) {
            this.#read = 0;
            this.#phase = Phase.HEAD;
          }
      }
    }
  }

  /** A head is complete, at `head[from]`; its payload begins at `bytes[at]`. Where reading goes on. */
  #begin(head: Uint8Array, from: number, bytes: Uint8Array, at: number): number {
    const length = ((head[from] as number) << 16) | ((head[from + 1] as number) << 8) | (head[from + 2] as number);
    const type = head[from + 3] as number;
    const flags = head[from + 4] as number;
    const stream =
      (((head[from + 5] as number) & 0x7f) << 24) |
      ((head[from + 6] as number) << 16) |
      ((head[from + 7] as number) << 8) |
      (head[from + 8] as number);
    if (length > DEFAULT_FRAME_BYTES) {
      this.#sink.fail(ErrorCode.FRAME_SIZE_ERROR, 'frame_size');
      return at;
    }
    if (type === FrameType.DATA) {
      this.#sink.dataBegin(flags, stream, length);
      this.#dataLeft = length;
      this.#paddingLeft = 0;
      if ((flags & Flag.PADDED) !== 0) {
        if (length === 0) this.#sink.fail(ErrorCode.FRAME_SIZE_ERROR, 'frame_size');
        this.#phase = Phase.PAD_LENGTH;
        return at;
      }
      if (length === 0) this.#dataEnd();
      else if (at < bytes.length && !this.#sink.over) {
        this.#phase = Phase.DATA;
        return this.#data(bytes, at);
      } else this.#phase = Phase.DATA;
      return at;
    }
    if (bytes.length - at >= length) {
      this.#phase = Phase.HEAD;
      this.#sink.frame(type, flags, stream, bytes, at, at + length);
      return at + length;
    }
    this.#type = type;
    this.#flags = flags;
    this.#stream = stream;
    this.#payload = new Uint8Array(length);
    this.#phase = Phase.PAYLOAD;
    if (head === bytes) this.#cutAt = Math.floor(performance.now()); // a head that was cut, too, began before
    return at;
  }

  #data(bytes: Uint8Array, at: number): number {
    const left = bytes.length - at;
    const end = at + (left < this.#dataLeft ? left : this.#dataLeft);
    this.#dataLeft -= end - at;
    this.#sink.data(bytes, at, end);
    if (this.#dataLeft === 0) {
      if (this.#paddingLeft > 0) this.#phase = Phase.PADDING;
      else this.#dataEnd();
    }
    return end;
  }

  #dataEnd(): void {
    this.#phase = Phase.HEAD;
    if (!this.#sink.over) this.#sink.dataEnd();
  }

  /** The first byte of padded DATA: padding as long as what is left, or longer, is an error (RFC 9113, 6.1). */
  #pad(padding: number): void {
    const left = this.#dataLeft - 1;
    if (padding > left) {
      this.#sink.fail(ErrorCode.PROTOCOL_ERROR, 'protocol');
      return;
    }
    this.#paddingLeft = padding;
    this.#dataLeft = left - padding;
    if (this.#dataLeft > 0) this.#phase = Phase.DATA;
    else if (padding > 0) this.#phase = Phase.PADDING;
    else this.#dataEnd();
  }

  #collect(bytes: Uint8Array, at: number): number {
    const payload = this.#payload as Uint8Array;
    const end = Math.min(bytes.length, at + payload.length - this.#read);
    payload.set(bytes.subarray(at, end), this.#read);
    this.#read += end - at;
    if (this.#read === payload.length) {
      this.#read = 0;
      this.#payload = undefined;
      this.#phase = Phase.HEAD;
      this.#sink.frame(this.#type, this.#flags, this.#stream, payload, 0, payload.length);
    }
    return end;
  }
}
