import type { Socket } from 'node:net';

/**
 * Connections whose other end does not read: bytes wait to be written, and none has left for too long. A call is not enough to see it:
 * answers that were given before a call came to be (404, 405) wait in the same socket, and a client that pipelines and never reads
 * makes as many as it likes.
 */
export class UnreadSockets {
  readonly #limitMs: number;
  readonly #waiting = new WeakMap<Socket, { left: number; since: number }>();

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  *stuck(sockets: Iterable<Socket>, now: number): Generator<Socket> {
    for (const socket of sockets) {
      const pending = socket.writableLength;
      if (pending === 0) {
        this.#waiting.delete(socket);
        continue;
      }
      const left = socket.bytesWritten - pending;
      const known = this.#waiting.get(socket);
      if (known === undefined || known.left !== left) this.#waiting.set(socket, { left, since: now });
      else if (now - known.since > this.#limitMs) yield socket;
    }
  }
}
