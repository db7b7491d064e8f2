import { connect, createServer, type Server, type Socket } from 'node:net';

/** A wire to a server that can be cut: connections end, new ones are refused until it is mended. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: string | undefined;
  #last: string;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    this.#last = target;
  }

  static async start(target: string): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    server.on('connection', (socket) => wire.#carry(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    const address = this.#server.address();
    return `${new URL(this.#last).protocol}//127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  cut(): void {
    this.#target = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(target = this.#last): void {
    this.#target = target;
    this.#last = target;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(socket: Socket): void {
    this.#keep(socket);
    if (this.#target === undefined) {
      socket.destroy();
      return;
    }
    const { hostname, port } = new URL(this.#target);
    const out = connect(Number(port), hostname);
    this.#keep(out);
    socket.pipe(out).pipe(socket);
    socket.on('close', () => out.destroy());
    out.on('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
  }
}
