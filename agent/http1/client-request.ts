import type { HttpBody, HttpTarget } from './client.ts';

/** Up to so many bytes head and body are copied into one buffer: one write of one piece costs less than a writev and saves nothing above. */
const ONE_PIECE_BYTES = 32 * 1024;

/** What stands before and behind the only thing that differs between two requests to one URL: how long they are. */
const AFTER_LENGTH = '\r\n\r\n';

/** Requests as bytes: `POST ... content-length: ` is made once for each content encoding. */
export class RequestHeads {
  readonly #target: HttpTarget;
  readonly #keepAlives: boolean;
  readonly #byEncoding = new Map<string, Buffer>();

  constructor(target: HttpTarget, keepAlives: boolean) {
    this.#target = target;
    this.#keepAlives = keepAlives;
  }

  /** What is to be written, in order. Slices are in it as they are where the body is not small. */
  pieces({ encoding, slices, bytes }: HttpBody): readonly Uint8Array[] {
    const head = this.#byEncoding.get(encoding) ?? this.#make(encoding);
    const tail = `${bytes}${AFTER_LENGTH}`;
    const headBytes = head.length + tail.length;
    const whole = bytes <= ONE_PIECE_BYTES;
    const first = Buffer.allocUnsafe(whole ? headBytes + bytes : headBytes);
    first.set(head, 0);
    first.write(tail, head.length, 'latin1');
    if (!whole) return [first, ...slices];
    let at = headBytes;
    for (const slice of slices) {
      first.set(slice, at);
      at += slice.length;
    }
    return [first];
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
