import { rmSync, statSync } from 'node:fs';
import type { Server } from 'node:net';
import type { SocketAddress } from '../config/settings.ts';

/** Connections that the kernel holds for us while the loop is busy. */
const BACKLOG = 1024;

/** Start-up failure: an address that cannot be bound. `key` is the configuration path that names it. */
export class BindError extends Error {
  readonly code = 'OTLP_BIND';
  readonly key: string;

  constructor(key: string, address: SocketAddress, cause: NodeJS.ErrnoException) {
    super(`${key}: cannot listen on ${formatAddress(address)}: ${reason(cause)}`, { cause });
    this.key = key;
  }
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the address is in use by another program; stop it or choose another port (EADDRINUSE)';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)';
    case 'EACCES':
      return 'not permitted; ports below 1024 need a capability (EACCES)';
    default:
      return error.message;
  }
}

/** `127.0.0.1:4317`, `[::1]:4317`, `unix:/run/otlp.sock`. */
export function formatAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Binds a server; resolves with the address it got. */
export function listen(server: Server, address: SocketAddress, key: string): Promise<SocketAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<SocketAddress>();
  const onError = (error: NodeJS.ErrnoException): void => reject(new BindError(key, address, error));
  server.once('error', onError);
  const done = (): void => {
    server.off('error', onError);
    const bound = server.address();
    resolve(
      address.kind === 'tcp' && bound !== null && typeof bound === 'object'
        ? { kind: 'tcp', host: address.host, port: bound.port }
        : address,
    );
  };
  if (address.kind === 'unix') {
    removeStaleSocket(address.path);
    server.listen({ path: address.path, backlog: BACKLOG }, done);
  } else {
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG, reusePort: address.reusePort === true }, done);
  }
  return promise;
}

/** A socket file outlives the process that made it, and bind() fails on it. Anything but a socket is left alone. */
function removeStaleSocket(path: string): void {
  try {
    if (statSync(path).isSocket()) rmSync(path);
  } catch {
    // not there: nothing to remove
  }
}
