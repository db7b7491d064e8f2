import { createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../config/settings.ts';
import { listen } from './listen.ts';

/**
 * A bound address whose connections can be handed to another server at any moment: on a reload the new receiver takes over between two
 * connections, so that no client is ever refused, while the old one finishes what it has.
 */
export class Listener {
  readonly #server: Server;
  readonly #wanted: SocketAddress;
  readonly #key: string;
  #address: SocketAddress;
  /** Connections that came before somebody takes them: between the binding of a new address and the commit of its reload. */
  readonly #waiting: Socket[] = [];
  #take: (socket: Socket) => void = (socket) => void this.#waiting.push(socket);

  /** `allowHalfOpen`: HTTP/1.1 answers clients that have closed their writing side. `onError`: accept() failed, for want of descriptors. */
  constructor(address: SocketAddress, key: string, options: { readonly allowHalfOpen: boolean; readonly onError: () => void }) {
    this.#wanted = address;
    this.#address = address;
    this.#key = key;
    // Paused: nothing is read before somebody takes the connection, as socketWire() needs it.
    this.#server = createServer({ allowHalfOpen: options.allowHalfOpen, pauseOnConnect: true, noDelay: true });
    this.#server.on('connection', (socket) => this.#take(socket));
    this.#server.on('error', options.onError);
  }

  /** Where it listens, with the real port where 0 was asked for. */
  get address(): SocketAddress {
    return this.#address;
  }

  /** How many are open, whoever has them. */
  connections(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#server.getConnections((_error, count) => resolve(count));
    return promise;
  }

  /** Who gets the connections from now on. */
  handTo(take: (socket: Socket) => void): void {
    this.#take = take;
    for (const socket of this.#waiting.splice(0)) take(socket);
  }

  /** Binds; rejects with a BindError that names the key. */
  async open(): Promise<void> {
    this.#address = await listen(this.#server, this.#wanted, this.#key);
  }

  /** Accepts no more; connections go on where they were handed to. */
  close(): void {
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }
}
