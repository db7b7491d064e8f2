/**
 * As much of HTTP/2 (RFC 9113) as the driver and the sink of the benches need: frames are cut out of a byte stream, written by hand, and
 * header blocks are constants. node:http2 costs some 30 microseconds a request on each side, more than the program under test, and would
 * be what is measured.
 */
export const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9 };
export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8 };
export const SETTING = { HEADER_TABLE_SIZE: 1, MAX_CONCURRENT_STREAMS: 3, INITIAL_WINDOW_SIZE: 4, MAX_FRAME_SIZE: 5 };
export const HEADER_BYTES = 9;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** gRPC's Length-Prefixed-Message begins with a flag and four bytes of length. */
export const PREFIX_BYTES = 5;

/** Writes a frame header at `at`. */
export function writeHeader(out, at, length, type, flags, stream) {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
}

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const out = Buffer.alloc(HEADER_BYTES + payload.length);
  writeHeader(out, 0, payload.length, type, flags, stream);
  payload.copy(out, HEADER_BYTES);
  return out;
}

export function settings(pairs) {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FRAME.SETTINGS, 0, 0, payload);
}

export function windowUpdate(stream, increment) {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(FRAME.WINDOW_UPDATE, 0, stream, payload);
}

/** `[id, value]` of each setting in a payload. */
export function readSettings(payload) {
  return Array.from({ length: payload.length / 6 }, (_, index) => [payload.readUInt16BE(index * 6), payload.readUInt32BE(index * 6 + 2)]);
}

/**
 * Cuts frames out of reads that end anywhere. The handler has
 *   onData(stream, bytes, from, to)       a part of a DATA frame's payload, a view that is valid during the call only
 *   onFrame(type, flags, stream, payload) every frame when it is complete; the payload of DATA is undefined, it was handed out before.
 *                                         A frame that fits into one read is a view too.
 * Padding is not known: the programs under test send none, and a frame that has it is an error.
 */
export class FrameReader {
  constructor(handler, skip = 0) {
    this.handler = handler;
    this.header = Buffer.alloc(HEADER_BYTES);
    this.gotHeader = 0;
    this.left = 0;
    this.type = 0;
    this.flags = 0;
    this.stream = 0;
    this.length = 0;
    this.payload = undefined;
    /** Bytes before the first frame: the client's preface. */
    this.skip = skip;
  }

  read(bytes, length) {
    let at = Math.min(this.skip, length);
    this.skip -= at;
    while (at < length) {
      if (this.gotHeader < HEADER_BYTES) {
        at = this.#readHeader(bytes, at, length);
        if (this.gotHeader < HEADER_BYTES) return;
        if (this.left > 0) continue;
      } else {
        at = this.#readPayload(bytes, at, length);
        if (this.left > 0) return;
      }
      const payload = this.payload;
      this.gotHeader = 0;
      this.payload = undefined;
      this.handler.onFrame(this.type, this.flags, this.stream, this.type === FRAME.DATA ? undefined : (payload ?? NOTHING));
    }
  }

  #readHeader(bytes, at, length) {
    let from = bytes;
    let start = at;
    if (this.gotHeader === 0 && length - at >= HEADER_BYTES) {
      at += HEADER_BYTES;
    } else {
      const take = Math.min(HEADER_BYTES - this.gotHeader, length - at);
      bytes.copy(this.header, this.gotHeader, at, at + take);
      this.gotHeader += take;
      if (this.gotHeader < HEADER_BYTES) return at + take;
      at += take;
      from = this.header;
      start = 0;
    }
    this.gotHeader = HEADER_BYTES;
    this.length = this.left = (from[start] << 16) | (from[start + 1] << 8) | from[start + 2];
    this.type = from[start + 3];
    this.flags = from[start + 4];
    this.stream = from.readUInt32BE(start + 5) & 0x7fffffff;
    if ((this.type === FRAME.DATA || this.type === FRAME.HEADERS) && (this.flags & FLAG.PADDED) !== 0) throw new Error('a padded frame');
    return at;
  }

  #readPayload(bytes, at, length) {
    const take = Math.min(this.left, length - at);
    this.left -= take;
    if (this.type === FRAME.DATA) {
      this.handler.onData(this.stream, bytes, at, at + take);
    } else if (take === this.length) {
      this.payload = bytes.subarray(at, at + take);
    } else {
      this.payload ??= Buffer.alloc(this.length);
      bytes.copy(this.payload, this.length - this.left - take, at, at + take);
    }
    return at + take;
  }
}

const NOTHING = Buffer.alloc(0);

/** HPACK, RFC 7541: a string without Huffman coding. */
function hpackString(text) {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}

/** :method POST and :scheme http are in the static table. */
const POST_HTTP = [0x83, 0x86];
/** Names in the static table: :authority 1, :path 4, content-type 31. */
const literal = (nameIndex, value) => Buffer.concat([Buffer.from([0x40 | nameIndex]), hpackString(value)]);
const literalNew = (name, value) => Buffer.concat([Buffer.from([0x40]), hpackString(name), hpackString(value)]);

/**
 * The header blocks of a client that sends the same request again and again: the first one enters its headers into the dynamic table, as
 * every real client's does, the others only point there.
 */
export function requestBlocks({ path, authority, encoding }) {
  const entered = [
    literal(4, path),
    literal(1, authority),
    literal(31, 'application/grpc'),
    literalNew('te', 'trailers'),
    ...(encoding === 'identity' ? [] : [literalNew('grpc-encoding', encoding)]),
  ];
  const first = Buffer.concat([Buffer.from(POST_HTTP), ...entered]);
  // The newest entry is 62, the oldest comes first here.
  const pointers = entered.map((_, index) => 0x80 | (62 + entered.length - 1 - index));
  return { first, others: Buffer.from([...POST_HTTP, ...pointers]) };
}

/** Header blocks of an answer, without the dynamic table: :status 200 is in the static one, as is the name content-type. */
export const ANSWER = {
  headers: Buffer.concat([Buffer.from([0x88, 0x0f, 0x10]), hpackString('application/grpc')]),
  trailers: Buffer.concat([Buffer.from([0x00]), hpackString('grpc-status'), hpackString('0')]),
};
