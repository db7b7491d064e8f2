import type { HttpBody, HttpTarget } from './client.ts';

/** Up to so many bytes head and body are copied into one buffer that is used again: with 9.4 kB no dearer than a writev of the two. */
const ONE_PIECE_BYTES = 32 * 1024;
/** Beside the head that is made once. */
const LENGTH_BYTES = 32;

/** What stands before and behind the only thing that differs between two requests to one URL: how long they are. */
const AFTER_LENGTH = '\r\n\r\n';

/** Requests as bytes: `POST ... content-length: ` is made once for each content encoding. */
export class RequestHeads {
  readonly #target: HttpTarget;
  readonly #keepAlives: boolean;
  readonly #byEncoding = new Map<string, Buffer>();
  /** One piece after the other: with a buffer for each garbage collection took 10 us a request of 9.4 kB, with one for all 5. */
  #scratch: Buffer | undefined;

  constructor(target: HttpTarget, keepAlives: boolean) {
    this.#target = target;
    this.#keepAlives = keepAlives;
  }

  /**
   * What is to be written, in order. Where it is one piece, the next call writes over it, unless `keepLast` says that it may not: a socket
   * takes nearly all of them at once. Slices are in it as they are where the body is not small.
   */
  pieces({ encoding, slices, bytes }: HttpBody): readonly Uint8Array[] {
    const head = this.#byEncoding.get(encoding) ?? this.#make(encoding);
    const tail = `${bytes}${AFTER_LENGTH}`;
    let at = head.length + tail.length;
    if (bytes > ONE_PIECE_BYTES) {
      const first = Buffer.allocUnsafe(at);
      first.set(head, 0);
      first.write(tail, head.length, 'latin1');
      return [first, ...slices];
    }
    this.#scratch ??= Buffer.allocUnsafeSlow(head.length + LENGTH_BYTES + ONE_PIECE_BYTES);
    if (this.#scratch.length < at + bytes) this.#scratch = Buffer.allocUnsafeSlow(at + ONE_PIECE_BYTES);
    const scratch = this.#scratch;
    scratch.set(head, 0);
    scratch.write(tail, head.length, 'latin1');
    for (const slice of slices) {
      scratch.set(slice, at);
      at += slice.length;
    }
    return [scratch.subarray(0, at)];
  }

  /** What `pieces` has given last is not written yet. */
  keepLast(): void {
    this.#scratch = undefined;
  }

  #make(encoding: string): Buffer {
    const { path, headers } = this.#target;
    // Said to servers of HTTP/1.0, too, which close otherwise.
    const all: Record<string, string> = { host: '', connection: this.#keepAlives ? 'keep-alive' : 'close' };
    if (encoding !== 'identity') all['content-encoding'] = encoding;
    Object.assign(all, headers);
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}content-length: `, 'latin1');
    this.#byEncoding.set(encoding, head);
    return head;
  }
}

/** Joins what is small, so that no piece of a write is: `joinBelowBytes` of one slice, about `joinedBytes` of what they become. */
export function inPieces(slices: readonly Uint8Array[], joinBelowBytes: number, joinedBytes: number): readonly Uint8Array[] {
  if (slices.every((slice) => slice.length >= joinBelowBytes)) return slices;
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  const join = (): void => {
    if (small.length > 0) pieces.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const slice of slices) {
    if (slice.length >= joinBelowBytes) {
      join();
      pieces.push(slice);
      continue;
    }
    small.push(slice);
    smallBytes += slice.length;
    if (smallBytes >= joinedBytes) join();
  }
  join();
  return pieces;
}
