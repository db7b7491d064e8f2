import {
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  gzipSync,
  constants as zlib,
  zstdCompressSync,
} from 'node:zlib';

/** What is used of the native half of a node:zlib stream, the same from Node 12 to 26. */
interface Handle {
  writeSync(flush: number, input: Uint8Array, inputAt: number, inputBytes: number, out: Uint8Array, outAt: number, outBytes: number): void;
  reset(): void;
  onerror: (message: string, errno: number, code: string) => void;
}

interface Opened {
  readonly _handle: Handle;
  /** [0] bytes of `out` that are left, [1] bytes of the input that are left. */
  readonly _writeState: Uint32Array;
}

/** The output was full before the input had ended. */
export const FULL = -1;
/** The input is broken; `error` says how. */
export const BROKEN = -2;

/**
 * One (de)compressor that is used again and again, synchronously, into memory of the caller. node:zlib has no such thing: each gunzipSync()
 * makes a Transform, a native context and output buffers, which for 25 spans costs as much as the inflating (16.6 against 8.8 microseconds
 * of CPU with an output that is used again, 15 with a new one; the way to the pool and back 95; bench: test/bench/agent-compression.mjs). So
 * the handle below the public stream is called, as minizlib, on which npm stands, does. Where Node has changed it, create() says so by
 * undefined and callers take the public functions.
 */
export class ZlibContext {
  /** zlib's or zstd's name of what was wrong with the last input. */
  error = '';
  /** Bytes behind the last input's end that were not looked at. */
  left = 0;
  /** Kept, as the handle ends with it. */
  readonly #stream: Opened;
  readonly #flush: number;
  readonly #resets: boolean;

  private constructor(stream: Opened, flush: number, resets: boolean) {
    this.#stream = stream;
    this.#flush = flush;
    this.#resets = resets;
    stream._handle.onerror = (message, _errno, code) => {
      this.error = code || message;
    };
  }

  /** Inflates gzip, several members as one body. Keeps 42 kB. */
  static gunzip(): ZlibContext | undefined {
    return make(
      () => new ZlibContext(opened(createGunzip()), zlib.Z_FINISH, true),
      (plain) => gzipSync(plain),
      (plain) => plain,
    );
  }

  /** Inflates one zstd frame. Where its size is not in its header it keeps a window of that frame's size: the caller looks before. */
  static unzstd(): ZlibContext | undefined {
    return make(
      // After a whole frame the decoder is as new; reset() would make another one.
      () => new ZlibContext(opened(createZstdDecompress()), zlib.ZSTD_e_end, false),
      (plain) => zstdCompressSync(plain),
      (plain) => plain,
    );
  }

  /** Makes gzip of one member. Keeps 268 kB. */
  static gzip(level: number): ZlibContext | undefined {
    return make(
      () => new ZlibContext(opened(createGzip({ level })), zlib.Z_FINISH, true),
      (plain) => plain,
      (plain) => gzipSync(plain, { level }),
    );
  }

  /** Makes one zstd frame that says how large it becomes. Keeps what the largest input took. */
  static zstd(level: number): ZlibContext | undefined {
    const params = { [zlib.ZSTD_c_compressionLevel]: level };
    return make(
      // After a whole frame it is as new; reset() would forget the level.
      () => new ZlibContext(opened(createZstdCompress({ params })), zlib.ZSTD_e_end, false),
      (plain) => plain,
      (plain) => zstdCompressSync(plain, { params }),
    );
  }

  /** All of `input` into the first `room` bytes of `out`. Returns the bytes written, FULL or BROKEN; one byte has to stay free. */
  run(input: Uint8Array, out: Uint8Array, room = out.length): number {
    const { _handle: handle, _writeState: state } = this.#stream;
    this.error = '';
    handle.writeSync(this.#flush, input, 0, input.length, out, 0, room);
    const free = state[0] as number;
    this.left = state[1] as number;
    const broken = this.error !== '';
    if (this.#resets || broken || free === 0) handle.reset();
    if (broken) return BROKEN;
    return free === 0 ? FULL : room - free;
  }
}

/** A context, if one like it does what it should with a body that is sound, with too little room, and with the sound one again. */
function make(
  create: () => ZlibContext,
  inputOf: (plain: Buffer) => Uint8Array,
  outputOf: (plain: Buffer) => Uint8Array,
): ZlibContext | undefined {
  try {
    const context = create();
    const plain = Buffer.from('a body, a body, a body of some bytes');
    const input = inputOf(plain);
    const wanted = outputOf(plain);
    const out = Buffer.alloc(256);
    const works = (): boolean => Buffer.compare(out.subarray(0, Math.max(0, context.run(input, out))), wanted) === 0;
    return works() && context.run(input, out.subarray(0, 4)) === FULL && works() ? create() : undefined;
  } catch {
    return undefined;
  }
}

function opened(stream: unknown): Opened {
  const { _handle: handle, _writeState: state } = stream as Partial<Opened>;
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function' || !(state instanceof Uint32Array))
    throw new Error('node:zlib has changed');
  return stream as Opened;
}
