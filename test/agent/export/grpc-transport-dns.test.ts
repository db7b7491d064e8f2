import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import { finish, GrpcClient, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { DnsServer } from '../resolve/dns-server.ts';
import { closeAll, keep } from './loadbalancing-support.ts';

afterEach(closeAll);

/** The same port at another loopback address leads to this sink. */
async function alsoAt(host: string, port: number, sink: Sink): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const to = connect({ host: '127.0.0.1', port: sink.port });
    for (const [one, other] of [
      [client, to],
      [to, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => other.destroy());
    }
    client.pipe(to).pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  keep({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}

it('dns:/// under load: an address that comes gets traffic, one that goes gets none any more, an outage of DNS changes nothing', async () => {
  const [first, second] = [keep(await grpcSink()), keep(await grpcSink())];
  await alsoAt('127.0.0.2', first.port, second);
  const dns = await DnsServer.start();
  keep({ close: () => dns.stop() });
  const name = 'gateway.test';
  dns.zones.set(name, { a: ['127.0.0.1'] });
  const resolver = {
    kind: 'dns',
    hostname: name,
    port: first.port,
    intervalMs: 50,
    timeoutMs: 500,
    type: 'a',
    servers: [dns.address],
  } as const;
  const balance = { balancer: 'round_robin', health: { ...DEFAULT_HEALTH, type: 'none' }, resolver } as const;
  const pipelines = [{ id: 'traces', signal: 'traces' as const, receivers: ['otlp'], processors: [], exporters: ['otlp_grpc'] }];
  const running = await startAgent({ exporters: [{ ...grpcExporter(first.port), balance }], pipelines });
  const client = keep(new GrpcClient(running.grpcPort));
  let sent = 0;
  let stop = false;
  const load = (async () => {
    while (!stop) {
      await client.export('traces', request('traces', 1, `r${sent}`));
      sent += 1;
    }
  })();
  await until(() => first.delivered() > 20);
  expect(second.delivered()).toBe(0);

  dns.zones.set(name, { a: ['127.0.0.1', '127.0.0.2'] });
  await until(() => second.delivered() > 20);
  const half = [first.delivered(), second.delivered()];
  await until(() => second.delivered() > (half[1] as number) + 50);
  expect(first.delivered() - (half[0] as number)).toBeGreaterThan(30);

  dns.silent = true;
  const outage = [first.delivered(), second.delivered()];
  await until(() => first.delivered() > (outage[0] as number) + 50 && second.delivered() > (outage[1] as number) + 50);
  dns.silent = false;

  dns.zones.set(name, { a: ['127.0.0.2'] });
  await until(() => running.lines.filter(({ event }) => event === 'upstreams changed').length === 3);
  const last = first.delivered();
  const before = second.delivered();
  await until(() => second.delivered() > before + 100);
  expect(first.delivered()).toBeLessThanOrEqual(last + 10); // what was on the wire when it left
  stop = true;
  await load;
  expect((await finish(running)).total).toMatchObject({ accepted: sent, sent, sendFailed: 0 });
  expect(first.delivered() + second.delivered()).toBe(sent);
});
