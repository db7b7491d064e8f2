import { createServer } from 'node:net';
import type { AgentSettings, SocketAddress } from '../config/settings.ts';
import { listen } from '../receive/listen.ts';

/**
 * Binds each address alone for a moment. Workers share theirs, and the kernel lets any program of this user join them: without this look
 * a second agent on the same port would get half of the connections, and nobody an error.
 *
 * @throws BindError
 */
export async function probe(settings: AgentSettings, without: AgentSettings | undefined): Promise<void> {
  const held = new Set(without === undefined ? [] : listeners(without).map(({ address }) => printed(address)));
  for (const { key, address } of listeners(settings)) {
    if (address.kind === 'unix' || address.port === 0 || held.has(printed(address))) continue;
    const server = createServer((socket) => socket.destroy());
    await listen(server, { kind: 'tcp', host: address.host, port: address.port }, key);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function listeners({ receivers }: AgentSettings): { readonly key: string; readonly address: SocketAddress }[] {
  return Object.entries(receivers).flatMap(([id, receiver]) =>
    (['grpc', 'http'] as const).flatMap((protocol) => {
      const address = receiver[protocol]?.address;
      return address === undefined ? [] : [{ key: `receivers.${id}.protocols.${protocol}.endpoint`, address }];
    }),
  );
}

function printed(address: SocketAddress): string {
  return address.kind === 'unix' ? address.path : `${address.host} ${address.port}`;
}
