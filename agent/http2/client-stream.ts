import type { CallEvents } from './client.ts';
import type { Burst } from './client-burst.ts';
import { DEFAULT_WINDOW_BYTES } from './frames.ts';
import type { ResponseHeaders } from './server.ts';

const SENT: readonly Uint8Array[] = [];

/** One call on our connection: what of its body is still to be sent, and what of its answer has come. */
export class ClientStream {
  readonly headers: ResponseHeaders;
  readonly events: CallEvents;
  /** 0 until HEADERS are sent. */
  id = 0;
  /** Bytes of the body that are not on the wire. */
  left: number;
  sendWindow = 0;
  receiveWindow = DEFAULT_WINDOW_BYTES;
  /** Bytes that the wire had been given with its last frame. */
  sentUpTo = 0;
  /** HEADERS of the answer have come. */
  answered = false;
  closed = false;
  #slices: readonly Uint8Array[];
  #slice = 0;
  #offset = 0;

  constructor(headers: ResponseHeaders, slices: readonly Uint8Array[], bytes: number, events: CallEvents) {
    this.headers = headers;
    this.events = events;
    this.left = bytes;
    this.#slices = slices;
  }

  /** The next so many bytes of the body. */
  take(bytes: number, into: Burst): void {
    this.left -= bytes;
    let wanted = bytes;
    while (wanted > 0) {
      const slice = this.#slices[this.#slice] as Uint8Array;
      const end = Math.min(slice.length, this.#offset + wanted);
      if (end > this.#offset) into.add(slice, this.#offset, end);
      wanted -= end - this.#offset;
      this.#offset = end;
      if (end < slice.length) continue;
      this.#slice += 1;
      this.#offset = 0;
    }
    if (this.left === 0) this.drop();
  }

  /** What is not sent will not be. */
  drop(): void {
    this.#slices = SENT;
    this.left = 0;
  }
}
