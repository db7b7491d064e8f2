import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { frameReader, PREFACE, TYPE } from '../../../faults/http2-frames.mjs';

/** A TCP proxy between an HTTP/2 client and a server which sees the pings of the client and their answers. */
export interface PingProxy {
  readonly port: number;
  /** Connections that came. */
  readonly taken: number;
  /** When a ping that the client has sent so long or longer after it connected has its answer. */
  answeredPing(afterMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function pingProxy(target: number): Promise<PingProxy> {
  const sockets = new Set<Socket>();
  const answered: number[] = [];
  let waiting: (() => void)[] = [];
  let taken = 0;
  const server = createServer({ noDelay: true }, (client) => {
    taken += 1;
    const since = performance.now();
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    const asked = new Map<string, number>();
    const fromClient = frameReader((type: number, flags: number, _stream: number, payload: Buffer) => {
      if (type === TYPE.PING && flags === 0) asked.set(payload.toString('hex'), performance.now() - since);
    });
    const fromServer = frameReader((type: number, flags: number, _stream: number, payload: Buffer) => {
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
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get taken() {
      return taken;
    },
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
