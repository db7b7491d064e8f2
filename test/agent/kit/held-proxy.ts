import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that lets only the first bytes of each connection through until it is released: a client that stops in the middle. */
export interface HeldProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that were opened. */
  readonly taken: number;
  /** Resolves when so many connections have gone through to the other side and brought what is let through. */
  held(connections: number): Promise<void>;
  /** Everything gets through from now on, also of connections to come; what was held comes at once. */
  release(): void;
}

/** `up`: bytes from the client that are let through; `down`: to it. */
export async function heldProxy(target: number, { up, down }: { readonly up: number; readonly down: number }): Promise<HeldProxy> {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  let released = false;
  let ready = 0;
  let changed = (): void => undefined;

  /** Forwards `limit` bytes, the others when released. Calls `reached` when there is something to hold, or nothing to let through. */
  const forward = (from: Socket, to: Socket, limit: number, reached: () => void): void => {
    let left = limit;
    const kept: Buffer[] = [];
    let ended = false;
    from.on('data', (data: Buffer) => {
      const now = released ? data.length : Math.min(left, data.length);
      left -= now;
      if (now > 0) to.write(data.subarray(0, now));
      if (now === data.length) return;
      kept.push(data.subarray(now));
      reached();
    });
    from.on('end', () => {
      ended = true;
      if (released) to.end();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      if (released) to.destroy();
    });
    if (!released)
      waiting.push(() => {
        for (const data of kept.splice(0)) to.write(data);
        if (ended) to.end();
      });
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    taken += 1;
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    sockets.add(client).add(upstream);
    let reached = (): void => {
      reached = () => undefined;
      ready += 1;
      changed();
    };
    const limited = up < Number.POSITIVE_INFINITY;
    forward(client, upstream, up, () => limited && reached());
    forward(upstream, client, down, () => !limited && reached());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get taken() {
      return taken;
    },
    held: async (connections) => {
      while (ready < connections)
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
    },
    release: () => {
      released = true;
      for (const one of waiting.splice(0)) one();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
