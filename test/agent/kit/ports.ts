import { createServer, type Server } from 'node:net';

/**
 * Below the range from which the kernel takes the ports of outgoing connections and of `listen(0)` (32768 and up on Linux): a port of that
 * range, once it is closed, may be taken by any connection of any program before a test listens on it again, even by the connection
 * attempt to it (a socket that is connected to itself). And below those that the tests of real programs take.
 */
const FIRST_PORT = 10_000;
const LAST_PORT = 12_999;
/** Whoever listens here holds the port of the same number for itself; nobody else uses the address. */
const LOCK_HOST = '127.255.0.1';

const locks: Server[] = [];

/**
 * A TCP port of 127.0.0.1 where nobody listens, and that is this process' own until it ends, among all processes that ask here: for a
 * server that comes late, goes away, or comes back.
 */
export async function ownPort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    const lock = await listen(port, LOCK_HOST);
    if (lock === undefined) continue;
    const trial = await listen(port, '127.0.0.1');
    if (trial === undefined) {
      lock.close();
      continue;
    }
    await new Promise((resolve) => trial.close(resolve));
    locks.push(lock.unref());
    return port;
  }
}

function listen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}
