import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of one port that can stop forwarding, as a network that drops packets: nobody is told. */
export interface TcpProxy {
  readonly port: number;
  /** Connections taken so far. */
  readonly taken: number;
  /** Connections that are open. */
  readonly open: number;
  /** From now on nothing of the connections that are open gets through, in either direction; with `andNew`, nor of new ones. */
  freeze(andNew?: boolean): void;
  /** New connections work again; frozen ones stay so. */
  thaw(): void;
  close(): Promise<void>;
}

export async function tcpProxy(target: () => number): Promise<TcpProxy> {
  const frozen = new Set<Socket>();
  const sockets = new Set<Socket>();
  const pairs = new Map<Socket, Socket>();
  let freezeNew = false;
  let taken = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    taken += 1;
    const upstream = connect({ port: target(), host: '127.0.0.1', allowHalfOpen: true });
    pairs.set(client, upstream);
    if (freezeNew) frozen.add(client);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => {
        if (!frozen.has(client)) to.write(data);
      });
      from.on('end', () => {
        if (!frozen.has(client)) to.end();
      });
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        if (from === client) pairs.delete(client);
        if (!frozen.has(client)) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get taken() {
      return taken;
    },
    get open() {
      return pairs.size;
    },
    freeze: (andNew = false) => {
      for (const client of pairs.keys()) frozen.add(client);
      freezeNew = andNew;
    },
    thaw: () => {
      freezeNew = false;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
