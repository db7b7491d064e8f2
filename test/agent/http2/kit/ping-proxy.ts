import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { frameReader, PREFACE, TYPE } from '../../../faults/http2-frames.mjs';

const REFUSED_STREAM = 7;
const EVERY_STREAM = 2 ** 31 - 1;
/** Pings that a goodbye waits for (agent/receive/grpc-session.ts). */
const GOODBYE_PINGS = 2;

/** The end of one connection, as the server told it. */
export interface Goodbye {
  /** Streams above the last GOAWAY, and those that were reset with REFUSED_STREAM: the client has been told that they were not begun. */
  readonly refused: number;
  /** The client had not answered the pings that follow the first GOAWAY when the last one came: nobody can know what it still sent. */
  readonly unheard: boolean;
}

/** A TCP proxy between an HTTP/2 client and a server which sees the pings of the client and their answers, and what GOAWAY refuses. */
export interface PingProxy {
  readonly port: number;
  /** Connections that came. */
  readonly taken: number;
  /** Of each connection that was told to go. */
  goodbyes(): Goodbye[];
  /** When a ping that the client has sent so long or longer after it connected has its answer. */
  answeredPing(afterMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What was said on one connection. */
class Way {
  readonly #begun: number[] = [];
  #resets = 0;
  #last: number | undefined;
  #answers = 0;
  /** When the last GOAWAY came. */
  #answersBefore = 0;

  get goodbye(): Goodbye | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const above = this.#begun.filter((stream) => stream > last).length;
    return { refused: above + this.#resets, unheard: this.#answersBefore < GOODBYE_PINGS };
  }

  fromClient(type: number, flags: number, stream: number): void {
    if (type === TYPE.HEADERS) this.#begun.push(stream);
    if (type === TYPE.PING && flags === 1 && this.#last !== undefined) this.#answers += 1;
  }

  fromServer(type: number, payload: Buffer): void {
    if (type === TYPE.RST_STREAM && payload.readUInt32BE(0) === REFUSED_STREAM) this.#resets += 1;
    if (type !== TYPE.GOAWAY) return;
    const last = payload.readUInt32BE(0) & EVERY_STREAM;
    // Whoever says the same twice means the first.
    if (last !== this.#last) this.#answersBefore = this.#answers;
    this.#last = last;
  }
}

export async function pingProxy(target: number): Promise<PingProxy> {
  const sockets = new Set<Socket>();
  const answered: number[] = [];
  let waiting: (() => void)[] = [];
  const ways: Way[] = [];
  // Either side may end its half first: what the other still says arrives.
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const way = new Way();
    ways.push(way);
    const since = performance.now();
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const asked = new Map<string, number>();
    const fromClient = frameReader((type: number, flags: number, stream: number, payload: Buffer) => {
      way.fromClient(type, flags, stream);
      if (type === TYPE.PING && flags === 0) asked.set(payload.toString('hex'), performance.now() - since);
    });
    const fromServer = frameReader((type: number, flags: number, _stream: number, payload: Buffer) => {
      way.fromServer(type, payload);
      const at = type === TYPE.PING && flags === 1 ? asked.get(payload.toString('hex')) : undefined;
      if (at === undefined) return;
      answered.push(at);
      for (const look of waiting.splice(0)) look();
    });
    let toSkip = PREFACE.length;
    client.on('data', (bytes: Buffer) => {
      const skipped = Math.min(toSkip, bytes.length);
      toSkip -= skipped;
      fromClient(bytes.subarray(skipped));
    });
    upstream.on('data', (bytes: Buffer) => fromServer(bytes));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        // With an end pipe() has ended the other side, too, after all that was to go there.
        if (!from.readableEnded) to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get taken() {
      return ways.length;
    },
    goodbyes: () => ways.flatMap((way) => way.goodbye ?? []),
    async answeredPing(afterMs) {
      while (!answered.some((at) => at >= afterMs)) await new Promise<void>((resolve) => waiting.push(resolve));
      waiting = [];
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
