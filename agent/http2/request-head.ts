import type { Field } from './field.ts';
import { FieldKind } from './field.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import type { RequestHeaders } from './server.ts';

/** Above this a block is rarely sent twice, and comparing costs as much as decoding. */
const MAX_REMEMBERED_BYTES = 512;
/** Indexes of the table are a byte each; up to here V8 keeps the bytes in the object itself, which is a fraction of a buffer of their own. */
const SHORT_BLOCK_BYTES = 64;
const NO_BLOCK = new Uint8Array(0);

/** What the first block of a request says. Shared by requests that said the same. */
export interface RequestHead {
  readonly headers: RequestHeaders;
  /** Of content-length, or -1. */
  readonly contentLength: number;
  /** Not what RFC 9113, 8.2 and 8.3 ask for. */
  readonly malformed: boolean;
  readonly tooLarge: boolean;
}

/** Without Object.prototype, so that no name of a client finds something there; a class, as objects without a prototype are slow maps. */
class Headers {
  [name: string]: string | undefined;

  constructor(method?: string, scheme?: string, path?: string, authority?: string) {
    // Names that are written here cost a store each, those of the loop below a look-up.
    this[':method'] = method;
    this[':scheme'] = scheme;
    this[':path'] = path;
    this[':authority'] = authority;
  }
}
Object.setPrototypeOf(Headers.prototype, null);
Reflect.deleteProperty(Headers.prototype, 'constructor');

const NONE: RequestHeaders = new Headers();
const MALFORMED: RequestHead = { headers: NONE, contentLength: -1, malformed: true, tooLarge: false };
const TOO_LARGE: RequestHead = { headers: NONE, contentLength: -1, malformed: false, tooLarge: true };

/**
 * Header blocks of one connection -> requests. A client that calls the same thing again and again sends the same few indexes each time:
 * a block that is byte for byte the last one, with the table as it was, says the same, and nothing is decoded.
 */
export class RequestHeads {
  readonly #maxBytes: number;
  readonly #hpack: HpackDecoder;
  #last = NO_BLOCK;
  #lastBytes = -1;
  #lastGeneration = -1;
  #lastHead: RequestHead = MALFORMED;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#hpack = new HpackDecoder(maxBytes);
  }

  /** Undefined where the block is broken, which ends the connection. */
  read(bytes: Uint8Array, from: number, to: number): RequestHead | undefined {
    const hpack = this.#hpack;
    if (to - from === this.#lastBytes && hpack.generation === this.#lastGeneration && this.#isLast(bytes, from)) return this.#lastHead;
    const { generation } = hpack;
    if (!hpack.decode(bytes, from, to)) return undefined;
    const head = hpack.listBytes > this.#maxBytes ? TOO_LARGE : headOf(hpack.fields, hpack.count);
    // A block that changes the table means something else the next time.
    if (hpack.generation === generation && to - from <= MAX_REMEMBERED_BYTES) this.#remember(bytes, from, to, head);
    return head;
  }

  /** The trailers of a request, which are checked and not kept. Undefined where the block is broken, false where it is malformed. */
  readTrailers(bytes: Uint8Array, from: number, to: number): boolean | undefined {
    const hpack = this.#hpack;
    if (!hpack.decode(bytes, from, to)) return undefined;
    for (let i = 0; i < hpack.count; i += 1) {
      const { kind } = hpack.fields[i] as Field;
      if (kind === FieldKind.BAD || (kind >= FieldKind.METHOD && kind <= FieldKind.AUTHORITY)) return false;
    }
    return hpack.listBytes <= this.#maxBytes;
  }

  #isLast(bytes: Uint8Array, from: number): boolean {
    const last = this.#last;
    for (let i = 0; i < this.#lastBytes; i += 1) if (bytes[from + i] !== last[i]) return false;
    return true;
  }

  #remember(bytes: Uint8Array, from: number, to: number, head: RequestHead): void {
    if (to - from > this.#last.length)
      this.#last = new Uint8Array(to - from > SHORT_BLOCK_BYTES ? MAX_REMEMBERED_BYTES : SHORT_BLOCK_BYTES);
    for (let i = from; i < to; i += 1) this.#last[i - from] = bytes[i] as number;
    this.#lastBytes = to - from;
    this.#lastGeneration = this.#hpack.generation;
    this.#lastHead = head;
  }
}

/** RFC 9113, 8.3.1: pseudo-headers first, each once, and all that a request needs. */
function headOf(fields: readonly Field[], count: number): RequestHead {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let at = 0;
  for (; at < count; at += 1) {
    const { value, kind } = fields[at] as Field;
    if (kind === FieldKind.METHOD && method === undefined) method = value;
    else if (kind === FieldKind.SCHEME && scheme === undefined) scheme = value;
    else if (kind === FieldKind.PATH && path === undefined) path = value;
    else if (kind === FieldKind.AUTHORITY && authority === undefined) authority = value;
    else break;
  }
  if (!complete(method, scheme, path, authority)) return MALFORMED;
  const headers = new Headers(method, scheme, path, authority);
  let contentLength = -1;
  for (; at < count; at += 1) {
    const { name, value, kind } = fields[at] as Field;
    // A pseudo-header here comes too late, or for the second time.
    if (kind === FieldKind.BAD || (kind >= FieldKind.METHOD && kind <= FieldKind.AUTHORITY)) return MALFORMED;
    const known = headers[name];
    if (kind === FieldKind.CONTENT_LENGTH) {
      if (known !== undefined && contentLength !== Number(value)) return MALFORMED;
      contentLength = Number(value);
      headers[name] = value;
    } else if (known === undefined) headers[name] = value;
    else headers[name] = `${known}${kind === FieldKind.COOKIE ? '; ' : ', '}${value}`;
  }
  return { headers, contentLength, malformed: false, tooLarge: false };
}

function complete(method?: string, scheme?: string, path?: string, authority?: string): boolean {
  if (method === undefined || method === '') return false;
  // CONNECT names a host and nothing else (RFC 9113, 8.5).
  if (method === 'CONNECT') return authority !== undefined && scheme === undefined && path === undefined;
  if (scheme === undefined || path === undefined) return false;
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS') || (path !== '' && scheme !== 'http' && scheme !== 'https');
}
