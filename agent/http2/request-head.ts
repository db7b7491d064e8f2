import type { Field } from './field.ts';
import { FieldKind } from './field.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import type { RequestHeaders } from './server.ts';

/** Above this a block is rarely sent twice, and comparing costs as much as decoding. */
const MAX_REMEMBERED_BYTES = 512;

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
const Headers = function Headers() {} as unknown as new () => Record<string, string | undefined>;
Headers.prototype = Object.create(null);

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
  readonly #last = new Uint8Array(MAX_REMEMBERED_BYTES);
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
    for (let i = from; i < to; i += 1) this.#last[i - from] = bytes[i] as number;
    this.#lastBytes = to - from;
    this.#lastGeneration = this.#hpack.generation;
    this.#lastHead = head;
  }
}

/** RFC 9113, 8.3.1: pseudo-headers first, each once, and all that a request needs. */
function headOf(fields: readonly Field[], count: number): RequestHead {
  const headers = new Headers();
  let contentLength = -1;
  let regular = false;
  for (let i = 0; i < count; i += 1) {
    const { name, value, kind } = fields[i] as Field;
    if (kind === FieldKind.BAD) return MALFORMED;
    const known = headers[name];
    if (kind >= FieldKind.METHOD && kind <= FieldKind.AUTHORITY) {
      if (regular || known !== undefined) return MALFORMED;
      headers[name] = value;
      continue;
    }
    regular = true;
    if (kind === FieldKind.CONTENT_LENGTH) {
      if (known !== undefined && contentLength !== Number(value)) return MALFORMED;
      contentLength = Number(value);
      headers[name] = value;
    } else if (known === undefined) headers[name] = value;
    else headers[name] = `${known}${kind === FieldKind.COOKIE ? '; ' : ', '}${value}`;
  }
  return complete(headers) ? { headers, contentLength, malformed: false, tooLarge: false } : MALFORMED;
}

function complete(headers: RequestHeaders): boolean {
  const { ':method': method, ':scheme': scheme, ':path': path, ':authority': authority } = headers;
  if (method === undefined || method === '') return false;
  // CONNECT names a host and nothing else (RFC 9113, 8.5).
  if (method === 'CONNECT') return authority !== undefined && scheme === undefined && path === undefined;
  if (scheme === undefined || path === undefined) return false;
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS') || (path !== '' && scheme !== 'http' && scheme !== 'https');
}
