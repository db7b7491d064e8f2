/**
 * The head of a request, where it is plain:
 *
 *   POST /v1/traces HTTP/1.1 CRLF        a target that is served, byte for byte
 *   *( token ":" OWS value OWS CRLF )    RFC 9112, 5: no folding, no bare CR or LF, no control characters
 *   CRLF
 *
 * with one Host, one Content-Length of digits, and nothing that changes how the body or the connection is to be read. Whatever is not
 * plain is not judged here: node's parser reads it from its first byte. So there are never two readings of one request, and what is
 * lenient or refused stays node's decision.
 */
export const INCOMPLETE = 0;
export const NOT_PLAIN = -1;

/** Of the whole head. Longer ones are node's, which has its own limit. */
export const MAX_PLAIN_HEAD_BYTES = 16 * 1024;
const MAX_PLAIN_LINES = 64;
/** Ten digits: below 2^53 by far, above every limit of a body. */
const MAX_LENGTH_DIGITS = 10;

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const ZERO = 48;

const METHOD = Buffer.from('POST ');
const VERSION = Buffer.from(' HTTP/1.1\r\n');

const PROTOBUF = Buffer.from('application/x-protobuf');

/** Lower case of a token's characters (RFC 9110, 5.6.2); 0 for every other byte. */
export const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") TOKEN[char.charCodeAt(0)] = char.charCodeAt(0);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') TOKEN[char.charCodeAt(0)] = char.toLowerCase().charCodeAt(0);

/** 1 for what a value may hold (RFC 9110, 5.5): visible, space, tab, and the bytes above ASCII. */
export const VALUE = new Uint8Array(256).map((_, byte) => (byte === TAB || (byte >= SPACE && byte !== 127) ? 1 : 0));

type Known = 'host' | 'length' | 'type' | 'encoding' | 'accept' | 'connection' | 'never';

/**
 * Headers that mean something here. `never`: with one of them a request is not plain. Expect and Upgrade want an answer before the body or
 * another protocol, Transfer-Encoding and Trailer another body, Origin is CORS', and Proxy-Connection is read as Connection by llhttp.
 */
const KNOWN: readonly (readonly [string, Known])[] = [
  ['host', 'host'],
  ['content-length', 'length'],
  ['content-type', 'type'],
  ['content-encoding', 'encoding'],
  ['accept-encoding', 'accept'],
  ['connection', 'connection'],
  ['transfer-encoding', 'never'],
  ['trailer', 'never'],
  ['expect', 'never'],
  ['upgrade', 'never'],
  ['http2-settings', 'never'],
  ['origin', 'never'],
  ['proxy-connection', 'never'],
];

/** The names of KNOWN by their length: most headers are told apart from all of them by it, or by their first byte. */
const BY_LENGTH: readonly (readonly { readonly name: Uint8Array; readonly known: Known }[])[] = Array.from({ length: 32 }, (_, length) =>
  KNOWN.filter(([name]) => name.length === length).map(([name, known]) => ({ name: Buffer.from(name), known })),
);

/** What a plain head says. One object for all: it is read before the next head is. */
export class Head {
  /** Which of the targets. */
  target = -1;
  length = -1;
  /** Media type in lower case, without parameters; `''` where there is none. */
  type = '';
  encoding: string | undefined;
  acceptEncoding: string | undefined;
  close = false;
  /** All headers, only where they were asked for. */
  metadata: Map<string, string[]> | undefined;
  #hosts = 0;
  #typed = false;
  #connections = 0;

  /**
   * Reads a head from `from`. Returns where it ends, INCOMPLETE where what is there may be the beginning of a plain one, or NOT_PLAIN.
   * What the fields hold then counts only in the first case.
   */
  read(bytes: Buffer, from: number, targets: readonly Uint8Array[], collect: boolean): number {
    const method = matches(bytes, from, METHOD);
    if (method <= INCOMPLETE) return method;
    const line = this.#readTarget(bytes, method, targets);
    if (line <= INCOMPLETE) return line;
    this.#reset(collect);
    let at = line;
    for (let lines = 0; lines < MAX_PLAIN_LINES; lines += 1) {
      if (at + 1 >= bytes.length) return at < bytes.length && bytes[at] !== CR && TOKEN[bytes[at] as number] === 0 ? NOT_PLAIN : INCOMPLETE;
      if (bytes[at] === CR) return bytes[at + 1] === LF ? this.#end(at + 2, from) : NOT_PLAIN;
      at = this.#readLine(bytes, at);
      if (at <= INCOMPLETE) return at;
    }
    return NOT_PLAIN;
  }

  #reset(collect: boolean): void {
    this.length = -1;
    this.type = '';
    this.encoding = undefined;
    this.acceptEncoding = undefined;
    this.close = false;
    this.metadata = collect ? new Map() : undefined;
    this.#hosts = 0;
    this.#typed = false;
    this.#connections = 0;
  }

  #end(end: number, from: number): number {
    return this.#hosts === 1 && this.length >= 0 && end - from <= MAX_PLAIN_HEAD_BYTES ? end : NOT_PLAIN;
  }

  #readTarget(bytes: Buffer, from: number, targets: readonly Uint8Array[]): number {
    let incomplete = false;
    for (let i = 0; i < targets.length; i += 1) {
      const target = targets[i] as Uint8Array;
      const matched = matches(bytes, from, target);
      if (matched === NOT_PLAIN) continue;
      const end = from + target.length;
      const rest = matched === INCOMPLETE ? INCOMPLETE : matches(bytes, end, VERSION);
      if (rest === INCOMPLETE) incomplete = true;
      else if (rest !== NOT_PLAIN) {
        this.target = i;
        return end + VERSION.length;
      }
    }
    return incomplete ? INCOMPLETE : NOT_PLAIN;
  }

  /** `name: value CRLF`, from `from`; where the next line begins. */
  #readLine(bytes: Buffer, from: number): number {
    const { length } = bytes;
    let at = from;
    while (at < length && TOKEN[bytes[at] as number] !== 0) at += 1;
    if (at === length) return INCOMPLETE;
    if (bytes[at] !== COLON || at === from) return NOT_PLAIN;
    const nameEnd = at;
    at += 1;
    while (at < length && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
    const valueFrom = at;
    while (at < length && VALUE[bytes[at] as number] === 1) at += 1;
    if (at === length) return INCOMPLETE;
    if (bytes[at] !== CR) return NOT_PLAIN;
    if (at + 1 === length) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return NOT_PLAIN;
    let valueEnd = at;
    while (valueEnd > valueFrom && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd -= 1;
    if (!this.#take(bytes, from, nameEnd, valueFrom, valueEnd)) return NOT_PLAIN;
    return at + 2;
  }

  /** False where this header, or its value, is not for us. */
  #take(bytes: Buffer, from: number, nameEnd: number, valueFrom: number, valueEnd: number): boolean {
    if (this.metadata !== undefined) this.#collect(bytes, from, nameEnd, valueFrom, valueEnd);
    const known = knownName(bytes, from, nameEnd);
    switch (known) {
      case undefined:
        return true;
      case 'host':
        this.#hosts += 1;
        return this.#hosts === 1;
      case 'length':
        if (this.length >= 0) return false;
        this.length = digits(bytes, valueFrom, valueEnd);
        return this.length >= 0;
      case 'type':
        if (this.#typed) return false;
        this.#typed = true;
        // What nearly every sender writes needs no text made.
        if (equals(bytes, valueFrom, valueEnd, PROTOBUF)) this.type = 'application/x-protobuf';
        else this.type = bytes.toString('latin1', valueFrom, valueEnd).split(';', 1)[0]?.trim().toLowerCase() ?? '';
        return true;
      case 'encoding':
        if (this.encoding !== undefined) return false;
        this.encoding = bytes.toString('latin1', valueFrom, valueEnd);
        return true;
      case 'accept':
        if (this.acceptEncoding !== undefined) return false;
        this.acceptEncoding = bytes.toString('latin1', valueFrom, valueEnd);
        return true;
      case 'connection':
        return this.#takeConnection(bytes.toString('latin1', valueFrom, valueEnd).toLowerCase());
      default:
        return false;
    }
  }

  #takeConnection(value: string): boolean {
    this.#connections += 1;
    this.close = value === 'close';
    return this.#connections === 1 && (this.close || value === 'keep-alive');
  }

  #collect(bytes: Buffer, from: number, nameEnd: number, valueFrom: number, valueEnd: number): void {
    const metadata = this.metadata as Map<string, string[]>;
    const name = bytes.toString('latin1', from, nameEnd).toLowerCase();
    const value = bytes.toString('latin1', valueFrom, valueEnd);
    const values = metadata.get(name);
    if (values === undefined) metadata.set(name, [value]);
    else values.push(value);
  }
}

/** Where the expected bytes end, INCOMPLETE where they may still come, NOT_PLAIN where others are there. */
function matches(bytes: Buffer, from: number, expected: Uint8Array): number {
  const count = Math.min(expected.length, bytes.length - from);
  for (let i = 0; i < count; i += 1) if (bytes[from + i] !== expected[i]) return NOT_PLAIN;
  return count === expected.length ? from + count : INCOMPLETE;
}

function equals(bytes: Buffer, from: number, end: number, expected: Uint8Array): boolean {
  if (end - from !== expected.length) return false;
  for (let i = 0; i < expected.length; i += 1) if (bytes[from + i] !== expected[i]) return false;
  return true;
}

function knownName(bytes: Buffer, from: number, end: number): Known | undefined {
  const candidates = BY_LENGTH[end - from];
  if (candidates === undefined) return undefined;
  for (const { name, known } of candidates) {
    let i = 0;
    while (i < name.length && TOKEN[bytes[from + i] as number] === name[i]) i += 1;
    if (i === name.length) return known;
  }
  return undefined;
}

/** -1 where it is no number that everybody reads alike: no digits, too many, or a leading zero. */
function digits(bytes: Buffer, from: number, end: number): number {
  const count = end - from;
  if (count === 0 || count > MAX_LENGTH_DIGITS || (count > 1 && bytes[from] === ZERO)) return -1;
  let value = 0;
  for (let at = from; at < end; at += 1) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
