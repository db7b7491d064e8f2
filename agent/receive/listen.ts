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

/** What `listen()` ends in since Node 0.x, without a declaration. */
interface Bindable {
  _listen2?(host: string, port: number, family: 4, backlog: number): void;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** An address of numbers; node:net's own test is a pattern that also takes IPv6, which V8 needs 6 ms for. */
function isPlainIpv4(host: string): boolean {
  const octets = host.split('.');
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) < 256);
}

/**
 * Binds without what `listen()` does before: a lookup of the host and a look at node:cluster, which load both modules and compile the
 * pattern of IPv6 addresses, 12 of 100 ms until the agent is ready. False where that may be needed: a name, IPv6, a port shared by
 * SO_REUSEPORT, or a worker of node:cluster, which is always a process with a channel to its parent.
 */
function bindAtOnce(server: Server & Bindable, { host, port, reusePort }: SocketAddress & { kind: 'tcp' }, done: () => void): boolean {
  if (typeof server._listen2 !== 'function' || reusePort === true || process.send !== undefined || !isPlainIpv4(host)) return false;
  server.once('listening', done);
  server._listen2(host, port, 4, BACKLOG);
  return true;
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
    if (bindAtOnce(server, address, done)) return promise;
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
