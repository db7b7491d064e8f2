import { TOKEN, VALUE } from './head.ts';

/** What `AnswerReader.read` says beside a place: the answer goes on behind these bytes, or is none. */
export const MORE = -1;
export const BROKEN = -2;

/** Of everything that is no body: heads (those of 1xx included), what is said beside the sizes of chunks, trailers. */
export const MAX_OVERHEAD_BYTES = 16 * 1024;
/** More digits are no length of anything. */
const MAX_LENGTH_DIGITS = 15;
const MAX_CHUNK_DIGITS = 8;
const FIRST_BODY_BYTES = 1024;

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const SEMICOLON = 59;
const ZERO = 48;

const NO_BYTES = Buffer.alloc(0);
const VERSION = Buffer.from('HTTP/1.');
const PROTOBUF = Buffer.from('application/x-protobuf');
const CHUNKED = 'chunked';
const KEEP_ALIVE_SECONDS = /(?:^|[\s,;])timeout=(\d{1,9})(?!\d)/i;

const NAMES = ['content-type', 'content-length', 'connection', 'keep-alive', 'retry-after', 'transfer-encoding'] as const;
type Name = (typeof NAMES)[number];
const BY_LENGTH: readonly (readonly { readonly name: Name; readonly bytes: Uint8Array }[])[] = Array.from({ length: 18 }, (_, length) =>
  NAMES.filter((name) => name.length === length).map((name) => ({ name, bytes: Buffer.from(name) })),
);

type State = 'status' | 'header' | 'length' | 'close' | 'size' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

/**
 * Reads the answers of one connection, one after the other, from bytes in whatever pieces they come:
 *
 *   HTTP/1.1 200 OK CRLF  *( name: value CRLF )  CRLF  body        1xx: another head follows; 204, 304: no body
 *
 *   body =  so many bytes | *( size [; extension] CRLF bytes CRLF )  0 CRLF  *( trailer CRLF )  CRLF | all until the connection ends
 *
 * Strict, as two readings of one answer are how one server's words become another's (RFC 9112, 11.1): lines end with CR LF, nothing is
 * folded, a length is said once and in one way. What is not so is BROKEN, and the request may be sent again.
 */
export class AnswerReader {
  status = 0;
  /** Content-Type as it came. */
  type = '';
  retryAfter: string | undefined;
  /** Undefined above the limit: then the answer counts as read, and its connection can carry no other. */
  body: Buffer | undefined = NO_BYTES;
  /** The connection may carry another request: it says so, and where this answer ends does not depend on its end. */
  reusable = false;
  /** Time for which the server keeps the connection without requests, as it says; undefined where it does not. */
  keepAliveMs: number | undefined;
  /** Why it is BROKEN. */
  problem = '';
  readonly #maxBodyBytes: number;
  #state: State = 'status';
  /** The beginning of a line that is not whole. */
  #held: Buffer | undefined;
  #overhead = 0;
  #minor = 1;
  #length = -1;
  #chunked = false;
  #codings = 0;
  #retryAfters = 0;
  #close = false;
  #keepAlive = false;
  /** Of the body, or of a chunk, still to come. */
  #left = 0;
  #bodyBytes = 0;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Before the next answer. */
  reset(): void {
    this.#state = 'status';
    this.#held = undefined;
    this.#overhead = 0;
    this.#resetHead();
  }

  /** Something of the answer has come. */
  get begun(): boolean {
    return this.#state !== 'status' || this.#overhead > 0 || this.#held !== undefined;
  }

  /** Where the answer ends in these bytes, MORE or BROKEN. Bytes are copied where they are kept. */
  read(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const state = this.#state;
      if (state === 'done') return at;
      if (at >= bytes.length) return MORE;
      if (state === 'length' || state === 'chunk' || state === 'close') at = this.#takeBody(bytes, at);
      else {
        at = this.#readLine(bytes, at);
        if (at < 0) return at;
      }
    }
  }

  /** The connection has ended. True where that is how the answer ends. */
  end(): boolean {
    if (this.#state !== 'close') return false;
    this.#done();
    return true;
  }

  #resetHead(): void {
    this.status = 0;
    this.type = '';
    this.retryAfter = undefined;
    this.body = NO_BYTES;
    this.reusable = false;
    this.keepAliveMs = undefined;
    this.#length = -1;
    this.#chunked = false;
    this.#codings = 0;
    this.#retryAfters = 0;
    this.#close = false;
    this.#keepAlive = false;
    this.#left = 0;
    this.#bodyBytes = 0;
  }

  #broken(problem: string): number {
    this.problem = problem;
    return BROKEN;
  }

  #readLine(bytes: Buffer, from: number): number {
    const lf = bytes.indexOf(LF, from);
    if (lf < 0) return this.#hold(bytes, from);
    const held = this.#held;
    if (held === undefined) return this.#takeLine(bytes, from, lf) ? lf + 1 : BROKEN;
    this.#held = undefined;
    const line = Buffer.concat([held, bytes.subarray(from, lf + 1)]);
    return this.#takeLine(line, 0, line.length - 1) ? lf + 1 : BROKEN;
  }

  #hold(bytes: Buffer, from: number): number {
    const rest = bytes.subarray(from);
    if (this.#overhead + (this.#held?.length ?? 0) + rest.length > MAX_OVERHEAD_BYTES) return this.#tooLong();
    const held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest]);
    this.#held = held;
    // What speaks another protocol may never send a line: it is known by its first bytes, and not by the timeout.
    if (this.#state === 'status' && !beginsWith(held, 0, Math.min(held.length, VERSION.length), VERSION)) return this.#noHttp();
    return MORE;
  }

  /** [from, lf) is a line with its CR. */
  #takeLine(bytes: Buffer, from: number, lf: number): boolean {
    const end = lf - 1;
    if (this.#state === 'status' && !beginsWith(bytes, from, Math.min(lf, from + VERSION.length), VERSION))
      return this.#noHttp() !== BROKEN;
    if (end < from || bytes[end] !== CR) return this.#broken('a line ends without CR LF') !== BROKEN;
    if (this.#state !== 'size') this.#overhead += lf + 1 - from;
    if (this.#overhead > MAX_OVERHEAD_BYTES) return this.#tooLong() !== BROKEN;
    switch (this.#state) {
      case 'status':
        return this.#takeStatus(bytes, from, end);
      case 'header':
        return from === end ? this.#endHead() : this.#takeHeader(bytes, from, end, true);
      case 'size':
        return this.#takeSize(bytes, from, end);
      case 'chunk-end':
        this.#overhead -= 2;
        this.#state = 'size';
        return from === end || this.#broken('a chunk is longer than its size') !== BROKEN;
      default: // trailers are read for where they end
        if (from !== end) return this.#takeHeader(bytes, from, end, false);
        this.#done();
        return true;
    }
  }

  #takeStatus(bytes: Buffer, from: number, end: number): boolean {
    const minor = (bytes[from + 7] as number) - ZERO;
    const status = end - from < 12 ? -1 : digits(bytes, from + 9, from + 12);
    const space = end === from + 12 || bytes[from + 12] === SPACE;
    if ((minor !== 0 && minor !== 1) || bytes[from + 8] !== SPACE || status < 100 || !space || !isText(bytes, from + 12, end))
      return this.#noHttp() !== BROKEN;
    this.#minor = minor;
    this.status = status;
    this.#state = 'header';
    return true;
  }

  #takeHeader(bytes: Buffer, from: number, end: number, counts: boolean): boolean {
    let colon = from;
    while (colon < end && TOKEN[bytes[colon] as number] !== 0) colon += 1;
    if (colon === from || bytes[colon] !== COLON || colon >= end) return this.#broken('a line of its head is no "name: value"') !== BROKEN;
    let at = colon + 1;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
    let to = end;
    while (to > at && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to -= 1;
    if (!isText(bytes, at, to)) return this.#broken('a header has a control character') !== BROKEN;
    const name = counts ? known(bytes, from, colon) : undefined;
    return name === undefined || this.#takeKnown(name, bytes, at, to);
  }

  #takeKnown(name: Name, bytes: Buffer, from: number, end: number): boolean {
    if (name === 'content-type') {
      // What nearly every server says needs no text made.
      const plain = end - from === PROTOBUF.length && beginsWith(bytes, from, end, PROTOBUF);
      if (this.type === '') this.type = plain ? 'application/x-protobuf' : bytes.toString('latin1', from, end);
      return true;
    }
    if (name === 'content-length') {
      const length = end - from > MAX_LENGTH_DIGITS ? -1 : digits(bytes, from, end);
      if (length < 0 || this.#length >= 0) return this.#broken('its Content-Length is no number, or comes twice') !== BROKEN;
      this.#length = length;
      return true;
    }
    const text = bytes.toString('latin1', from, end);
    switch (name) {
      case 'retry-after':
        this.#retryAfters += 1;
        this.retryAfter = this.#retryAfters === 1 ? text : undefined;
        return true;
      case 'keep-alive': {
        const seconds = KEEP_ALIVE_SECONDS.exec(text)?.[1];
        if (seconds !== undefined) this.keepAliveMs = Number(seconds) * 1000;
        return true;
      }
      case 'transfer-encoding':
        this.#codings += 1;
        this.#chunked = text.toLowerCase() === CHUNKED;
        return true;
      default:
        for (const token of text.toLowerCase().split(',')) {
          if (token.trim() === 'close') this.#close = true;
          else if (token.trim() === 'keep-alive') this.#keepAlive = true;
        }
        return true;
    }
  }

  /** RFC 9112, 6.3: how long the body is. */
  #endHead(): boolean {
    const { status } = this;
    if (status === 101) return this.#broken('it switches to a protocol that nobody has asked for') !== BROKEN;
    if (status < 200) {
      this.#resetHead();
      this.#state = 'status';
      return true;
    }
    const persists = !this.#close && (this.#minor === 1 || this.#keepAlive);
    if (status === 204 || status === 304) {
      // Where it names a body all the same, one may follow that would be read as the next answer.
      this.reusable = persists && this.#codings === 0 && this.#length <= 0;
      this.#done();
      return true;
    }
    if (this.#codings > 0) {
      if (this.#length >= 0 || this.#minor === 0) return this.#broken('it says in two ways how long it is') !== BROKEN;
      if (this.#codings > 1 || !this.#chunked) return this.#broken('its Transfer-Encoding is not chunked') !== BROKEN;
      this.reusable = persists;
      this.#state = 'size';
    } else if (this.#length >= 0) {
      this.reusable = persists;
      this.#left = this.#length;
      this.#state = 'length';
      if (this.#length === 0) this.#done();
      else if (this.#length > this.#maxBodyBytes) this.#tooLarge();
    } else this.#state = 'close';
    return true;
  }

  #takeSize(bytes: Buffer, from: number, end: number): boolean {
    let size = 0;
    let at = from;
    for (let digit = hex(bytes, at, end); digit >= 0; digit = hex(bytes, at, end)) {
      size = size * 16 + digit;
      at += 1;
    }
    const count = at - from;
    if (count === 0 || count > MAX_CHUNK_DIGITS || (at < end && bytes[at] !== SEMICOLON) || !isText(bytes, at, end))
      return this.#broken('the size of a chunk is no number') !== BROKEN;
    this.#overhead += end - at;
    if (this.#overhead > MAX_OVERHEAD_BYTES) return this.#tooLong() !== BROKEN;
    this.#left = size;
    this.#state = size === 0 ? 'trailer' : 'chunk';
    if (this.#bodyBytes + size > this.#maxBodyBytes) this.#tooLarge();
    return true;
  }

  /** Bytes of the body from `from`; where they end. */
  #takeBody(bytes: Buffer, from: number): number {
    const state = this.#state;
    const to = state === 'close' ? bytes.length : Math.min(bytes.length, from + this.#left);
    const sum = this.#bodyBytes + to - from;
    if (sum > this.#maxBodyBytes) {
      this.#tooLarge();
      return to;
    }
    this.#room(sum, state === 'length' ? this.#length : 0);
    bytes.copy(this.body as Buffer, this.#bodyBytes, from, to);
    this.#bodyBytes = sum;
    if (state === 'close') return to;
    this.#left -= to - from;
    if (this.#left > 0) return to;
    if (state === 'chunk') this.#state = 'chunk-end';
    else this.#done();
    return to;
  }

  /** Twice as much each time, up to what is known to come: a length that is only said takes no memory. */
  #room(bytes: number, whole: number): void {
    const body = this.body as Buffer;
    if (bytes <= body.length) return;
    const grown = Math.max(bytes, 2 * body.length, FIRST_BODY_BYTES);
    const next = Buffer.allocUnsafe(whole > 0 ? Math.min(grown, whole) : grown);
    body.copy(next, 0, 0, this.#bodyBytes);
    this.body = next;
  }

  #done(): void {
    if (this.body !== undefined && this.body.length > this.#bodyBytes) this.body = this.body.subarray(0, this.#bodyBytes);
    this.#state = 'done';
  }

  #tooLarge(): void {
    this.body = undefined;
    this.reusable = false;
    this.#state = 'done';
  }

  #tooLong(): number {
    return this.#broken(`what it says beside its body is longer than ${MAX_OVERHEAD_BYTES} bytes`);
  }

  #noHttp(): number {
    return this.#broken('it does not begin as HTTP/1.1');
  }
}

function beginsWith(bytes: Buffer, from: number, end: number, expected: Uint8Array): boolean {
  for (let at = from; at < end; at += 1) if (bytes[at] !== expected[at - from]) return false;
  return true;
}

function isText(bytes: Buffer, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (VALUE[bytes[at] as number] !== 1) return false;
  return true;
}

/** -1 where it is none. */
function digits(bytes: Buffer, from: number, end: number): number {
  if (from >= end) return -1;
  let value = 0;
  for (let at = from; at < end; at += 1) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function hex(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return -1;
  const byte = bytes[at] as number;
  if (byte >= ZERO && byte <= 57) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function known(bytes: Buffer, from: number, end: number): Name | undefined {
  const candidates = BY_LENGTH[end - from];
  if (candidates === undefined) return undefined;
  for (const { name, bytes: expected } of candidates) {
    let i = 0;
    while (i < expected.length && TOKEN[bytes[from + i] as number] === expected[i]) i += 1;
    if (i === expected.length) return name;
  }
  return undefined;
}
