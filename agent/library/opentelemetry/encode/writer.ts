/** Room that every field of variable size leaves behind itself, so that fields of fixed size need not look. */
const SLACK_BYTES = 256;
/**
 * Up to here a loop over the characters is quicker than the call into Node (1.5 ns a character against 25 ns), from 16 on it is not
 * (bench: test/bench/library-encode.mjs).
 */
const LOOP_UP_TO_CHARS = 12;
/** Keys of attributes that are known as bytes: instrumentations use few; whoever makes keys of data must not fill the heap. */
const MAX_KEYS = 1024;
const MAX_KEY_CHARS = 64;
/** Bytes of one UTF-16 unit at most. */
const MAX_UTF8_BYTES = 3;
/** Longer text is measured before it is written: room for the worst would be three times what a stack trace or a body takes. */
const MEASURE_ABOVE_CHARS = 4096;
/** Tag and a length of 32 bits. */
const MAX_HEAD_BYTES = 6;

/** Values of hex digits, and what the official serializer makes of other characters: garbage in, the same garbage out. */
const HEX = Int8Array.from({ length: 128 }, (_, char) => {
  if (char >= 48 && char <= 57) return char - 48;
  return char >= 97 && char <= 102 ? char - 87 : char - 55;
});

/**
 * By key: what stands before the value of an attribute, with places for the tag and for the length of the whole.
 *
 *   tag, length | 0x0a, length, key | 0x12, and the length of the value follows
 */
const keyHeads = new Map<string, Uint8Array>();

/**
 * Protobuf, written in one pass into a buffer that grows: where a message begins, bytes are left for its length, and its content moves by
 * a byte or two in the rare case that they were not enough. Tags are the numbers on the wire (field * 8 + wire type), below 128.
 */
export class ProtoWriter {
  /** Where the next byte goes. */
  pos = 0;
  #buf: Buffer;
  #view: DataView;
  /** Behind it somebody has to look before writing. */
  #limit: number;
  /** The last second that was written, and its nanoseconds since 1970 as two halves: spans of a batch share few. */
  #second = 0;
  #secondLow = 0;
  #secondHigh = 0;

  constructor(bytes: number) {
    this.#buf = Buffer.allocUnsafeSlow(bytes + SLACK_BYTES);
    this.#view = viewOf(this.#buf);
    this.#limit = bytes;
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#buf.length;
  }

  /** A copy of what was written, in a buffer of just its size; and the writer begins anew. */
  take(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.pos);
    this.#buf.copy(bytes, 0, 0, this.pos);
    this.pos = 0;
    return bytes;
  }

  /** Makes sure that so many bytes fit, and SLACK_BYTES behind them. */
  room(bytes: number): void {
    if (this.pos + bytes > this.#limit) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#buf.length, this.pos + bytes + SLACK_BYTES));
    this.#buf.copy(grown, 0, 0, this.pos);
    this.#buf = grown;
    this.#view = viewOf(grown);
    this.#limit = grown.length - SLACK_BYTES;
  }

  /** Begins a message, with `reserved` bytes for its length: what is returned goes to close(). */
  open(tag: number, reserved: number): number {
    this.room(0);
    this.#buf[this.pos] = tag;
    const at = this.pos + 1;
    this.pos = at + reserved;
    return at;
  }

  close(at: number, reserved: number): void {
    const from = at + reserved;
    const length = this.pos - from;
    const size = sizeOf(length);
    if (size !== reserved) {
      this.room(size);
      this.#buf.copyWithin(at + size, from, this.pos);
      this.pos = at + size + length;
    }
    this.#put(at, length);
  }

  /** A whole number of 64 bits: negative ones take ten bytes, and what is no number is 0. */
  varint(tag: number, value: number): void {
    this.#buf[this.pos] = tag;
    this.pos += 1;
    this.packed(value);
  }

  /** The same without a tag, as it stands in packed lists. */
  packed(value: number): void {
    if (value >= 0 && value <= 0xffffffff) {
      this.pos = this.#put(this.pos, value >>> 0);
      return;
    }
    const size = Math.abs(value);
    let low = size >>> 0;
    let high = (size / 0x100000000) >>> 0;
    if (value < 0) {
      low = -low >>> 0;
      high = (low === 0 ? -high : ~high) >>> 0;
    }
    const buf = this.#buf;
    let pos = this.pos;
    while (high > 0 || low > 127) {
      buf[pos] = (low & 127) | 128;
      pos += 1;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    buf[pos] = low;
    this.pos = pos + 1;
  }

  fixed32(value: number): void {
    this.#view.setUint32(this.pos, value >>> 0, true);
    this.pos += 4;
  }

  /** Of two halves. */
  fixed64(low: number, high: number): void {
    this.#view.setUint32(this.pos, low, true);
    this.#view.setUint32(this.pos + 4, high, true);
    this.pos += 8;
  }

  /** A fixed64 of a whole number. */
  unsigned64(value: number): void {
    this.fixed64(value >>> 0, (value / 0x100000000) >>> 0);
  }

  /** An sfixed64 of a whole number. */
  signed64(value: number): void {
    const size = Math.abs(value);
    const low = size >>> 0;
    const high = (size / 0x100000000) >>> 0;
    if (value < 0) this.fixed64(-low >>> 0, (low === 0 ? -high : ~high) >>> 0);
    else this.fixed64(low, high);
  }

  double(value: number): void {
    this.#view.setFloat64(this.pos, value, true);
    this.pos += 8;
  }

  byte(value: number): void {
    this.#buf[this.pos] = value;
    this.pos += 1;
  }

  /** fixed64: nanoseconds since 1970 of `[seconds, nanoseconds]`, without a BigInt. */
  time(tag: number, time: readonly [number, number]): void {
    const second = time[0];
    if (second !== this.#second) this.#setSecond(second);
    const sum = this.#secondLow + time[1];
    this.byte(tag);
    this.fixed64(sum >>> 0, (this.#secondHigh + Math.floor(sum / 0x100000000)) >>> 0);
  }

  /** 10^9 times the upper and the lower 16 bits of it are below 2^53, the product is not. */
  #setSecond(second: number): void {
    const lower = (second & 0xffff) * 1e9;
    const upper = ((second / 0x10000) >>> 0) * 1e9;
    this.#second = second;
    this.#secondLow = (lower >>> 0) + (((upper & 0xffff) * 0x10000) >>> 0);
    this.#secondHigh = Math.floor(lower / 0x100000000) + ((upper / 0x10000) >>> 0);
  }

  /** A bytes field of what the text says in hex. */
  hex(tag: number, text: string): void {
    const bytes = text.length >>> 1;
    this.room(bytes);
    const buf = this.#buf;
    buf[this.pos] = tag;
    let pos = this.#put(this.pos + 1, bytes);
    for (let i = 0; i < 2 * bytes; i += 2) {
      buf[pos] = (nibble(text.charCodeAt(i)) << 4) | nibble(text.charCodeAt(i + 1));
      pos += 1;
    }
    this.pos = pos;
  }

  bytes(tag: number, value: Uint8Array): void {
    this.room(value.length);
    this.#buf[this.pos] = tag;
    const pos = this.#put(this.pos + 1, value.length);
    this.#buf.set(value, pos);
    this.pos = pos + value.length;
  }

  /** UTF-8; halves of surrogate pairs become U+FFFD. What is no string is an empty one: it must not take a whole batch with it. */
  string(tag: number, text: string): void {
    const chars = typeof text === 'string' ? text.length : 0;
    this.room(chars > MEASURE_ABOVE_CHARS ? Buffer.byteLength(text) : MAX_UTF8_BYTES * chars);
    const buf = this.#buf;
    const at = this.pos;
    buf[at] = tag;
    if (chars > LOOP_UP_TO_CHARS) {
      this.#longString(at + 1, text);
      return;
    }
    let bits = 0;
    for (let i = 0; i < chars; i += 1) {
      const char = text.charCodeAt(i);
      bits |= char;
      buf[at + 2 + i] = char;
    }
    if (bits > 127) {
      this.#longString(at + 1, text);
      return;
    }
    buf[at + 1] = chars;
    this.pos = at + 2 + chars;
  }

  /** Its length is that of ASCII, until it turns out to be another. */
  #longString(at: number, text: string): void {
    const buf = this.#buf;
    const reserved = sizeOf(text.length);
    const bytes = buf.write(text, at + reserved, 'utf8');
    const size = sizeOf(bytes);
    if (size !== reserved) buf.copyWithin(at + size, at + reserved, at + reserved + bytes);
    this.pos = this.#put(at, bytes) + bytes;
  }

  /** KeyValue up to its value, which is written next; what is returned goes to endAttribute(). */
  beginAttribute(tag: number, key: string): number {
    const head = keyHeads.get(key) ?? keyHead(key);
    this.room(head.length);
    const start = this.pos;
    this.#buf.set(head, start);
    this.#buf[start] = tag;
    this.pos = start + head.length + 1;
    return start;
  }

  endAttribute(start: number, value: number): void {
    this.close(value, 1);
    this.close(start + 1, 1);
  }

  #put(at: number, value: number): number {
    const buf = this.#buf;
    let pos = at;
    let rest = value;
    while (rest > 127) {
      buf[pos] = (rest & 127) | 128;
      pos += 1;
      rest >>>= 7;
    }
    buf[pos] = rest;
    return pos + 1;
  }
}

function keyHead(key: string): Uint8Array {
  const writer = new ProtoWriter(MAX_UTF8_BYTES * key.length + MAX_HEAD_BYTES);
  writer.byte(0);
  writer.byte(0);
  writer.string(0x0a, key);
  writer.byte(0x12);
  const head = writer.take();
  if (key.length > MAX_KEY_CHARS) return head;
  if (keyHeads.size >= MAX_KEYS) keyHeads.clear();
  keyHeads.set(key, head);
  return head;
}

function nibble(char: number): number {
  return char < 128 ? (HEX[char] as number) : char - 55;
}

/** Bytes of a length as a varint. */
function sizeOf(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x200000) return 3;
  return length < 0x10000000 ? 4 : 5;
}

function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
}
