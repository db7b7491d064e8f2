import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { SocketAddress } from '../../../agent/config/settings.ts';
import { BindError, listen } from '../../../agent/receive/listen.ts';
import { run } from '../../support/run.ts';

const KEY = 'receivers.otlp.protocols.grpc.endpoint';
const CLUSTER = fileURLToPath(new URL('./listen-cluster.ts', import.meta.url));

let servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
});

function bound(host: string, port = 0): Promise<SocketAddress> {
  const server = createServer();
  servers.push(server);
  return listen(server, { kind: 'tcp', host, port }, KEY);
}

describe('listen', () => {
  it.each(['127.0.0.1', '0.0.0.0', '127.0.0.2'])('binds %s and says which port it got', async (host) => {
    const address = await bound(host);
    expect(address).toMatchObject({ kind: 'tcp', host, port: expect.any(Number) });
    expect(servers[0]?.address()).toEqual({ address: host, family: 'IPv4', port: (address as { port: number }).port });
  });

  it.each(['localhost', '127.1'])('binds what the resolver makes of %s', async (host) => {
    expect(await bound(host)).toMatchObject({ kind: 'tcp', host, port: expect.any(Number) });
    expect(servers[0]?.address()).toMatchObject({ address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) });
  });

  it.skipIf(networkInterfaces().lo?.some(({ address }) => address === '::1') !== true)('binds ::1', async () => {
    await bound('::1');
    expect(servers[0]?.address()).toMatchObject({ address: '::1', family: 'IPv6' });
  });

  it.each(['127.0.0.1', 'localhost'])('fails on %s when another program has the port', async (host) => {
    const { port } = (await bound(host)) as { port: number };
    await expect(bound(host, port)).rejects.toThrow(
      `${KEY}: cannot listen on ${host}:${port}: the address is in use by another program; stop it or choose another port (EADDRINUSE)`,
    );
  });

  it('fails with an address that this machine does not have', async () => {
    const failed = bound('192.0.2.1');
    await expect(failed).rejects.toBeInstanceOf(BindError);
    await expect(failed).rejects.toThrow('this machine has no such address (EADDRNOTAVAIL)');
  });

  it('lets workers of node:cluster share a port, in a program that embeds the agent', async () => {
    expect(await run(process.execPath, [CLUSTER])).toEqual({ code: 0, output: 'shared\n' });
  });
});
