/**
 * A tier of agents that register themselves in a real etcd, and an agent in front of them that finds them there: who comes gets traffic,
 * who drains gets none any more, an outage of etcd changes nothing, and nothing is lost on the way.
 */
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { type Agent, createAgent } from '../../../agent/index.ts';
import { assertBooksBalance, GrpcClient, until } from '../../agent/kit/agent.ts';
import { request } from '../../agent/kit/otlp.ts';
import { keptLog } from '../../agent/resolve/kit.ts';
import { describeReal, freePort, type RunningProcess, shortestMs, startProcess, waitFor } from '../support/index.ts';
import { EtcdCluster } from './etcd-cluster.ts';

function memberConfig(etcd: EtcdCluster, port: number, more: string): string {
  return `
extensions:
  registration: {endpoint: "127.0.0.1:${port}", ${more}, etcd: {endpoints: ["${etcd.endpoints.join('", "')}"], prefix: /tier/}}
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { nop: {} }
service:
  telemetry: { metrics: { level: none } }
  extensions: [registration]
  pipelines: { traces: { receivers: [otlp], exporters: [nop] } }
`;
}

describeReal(['etcd'], 'a tier of agents that find each other in a real etcd', () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const run = async (text: string): Promise<Agent> => {
    const agent = await createAgent(load({ configs: [`yaml:${text}`], environment: {} }).settings, { log: keptLog() });
    closing.push(() => agent.close());
    await agent.start();
    return agent;
  };

  const member = async (etcd: EtcdCluster): Promise<Agent> => {
    const port = await freePort();
    return await run(memberConfig(etcd, port, 'ttl: 5s'));
  };

  const front = async (etcd: EtcdCluster): Promise<Agent> =>
    await run(`
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
exporters:
  loadbalancing:
    balancer: round_robin
    protocol:
      otlp:
        tls: { insecure: true }
        retry_on_failure: { initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0 }
    resolver:
      etcd: { endpoints: ["${etcd.endpoints.join('", "')}"], prefix: /tier/ }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [loadbalancing] } }
`);

  const accepted = (agent: Agent): number => agent.books().total.accepted;

  it('traffic follows who registers and who drains, and an outage of etcd changes nothing', { timeout: 180_000 }, async () => {
    const etcd = await EtcdCluster.start();
    closing.push(() => etcd.stop());
    const first = await member(etcd);
    const second = await member(etcd);
    await waitFor(async () => Object.keys(await etcd.read('/tier/')).length === 2, { what: 'two registrations' });
    const agent = await front(etcd);
    const address = agent.addresses['otlp/grpc'];
    const client = new GrpcClient(address?.kind === 'tcp' ? address.port : 0);
    closing.push(() => Promise.resolve(client.close()));
    let sent = 0;
    const send = async (): Promise<void> => {
      await client.export('traces', request('traces', 1));
      sent += 1;
    };
    const sendUntil = async (done: () => boolean): Promise<void> => {
      while (!done()) {
        await send();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };

    await sendUntil(() => accepted(first) > 5 && accepted(second) > 5);

    const third: Agent[] = [];
    const newcomer = async (): Promise<void> => {
      const one = await member(etcd);
      third.push(one);
      await sendUntil(() => accepted(one) > 5);
    };
    // What the issue asks for: a new upstream gets traffic within five seconds.
    expect(await shortestMs(5_000, newcomer)).toBeLessThan(5_000);

    await second.drain(60_000);
    const atTheEnd = accepted(second);
    const others = (): number => [first, ...third].reduce((sum, one) => sum + accepted(one), 0);
    const before = others();
    await sendUntil(() => others() > before + 50);
    expect(accepted(second)).toBe(atTheEnd);
    assertBooksBalance(second);

    await etcd.killMember(0);
    const atOutage = [first, ...third].map((one) => ({ one, accepted: accepted(one) }));
    await sendUntil(() => atOutage.every((was) => accepted(was.one) > was.accepted + 50));
    await until(() => agent.books().total.queued === 0);
    await etcd.startMember(0);

    const fourth = await member(etcd);
    await sendUntil(() => accepted(fourth) > 5);
    const backends = new RegExp(`^otelcol_loadbalancer_num_backends\\{.*\\} ${2 + third.length}$`, 'mu');
    await waitFor(async () => backends.test(await agent.metrics()), { what: String(backends) });

    const books = await agent.drain(60_000);
    assertBooksBalance(agent);
    expect(books.total.evicted).toBe(0);
    expect([first, second, ...third, fourth].reduce((sum, one) => sum + accepted(one), 0)).toBe(sent);
  });

  it('the program leaves etcd at SIGTERM at once, and after a SIGKILL with its TTL', { timeout: 180_000 }, async () => {
    const etcd = await EtcdCluster.start();
    closing.push(() => etcd.stop());
    const start = async (): Promise<RunningProcess> => {
      const port = await freePort();
      const config = memberConfig(etcd, port, 'ttl: 8s, name: program');
      const started = await startProcess({
        bin: process.execPath,
        args: [fileURLToPath(new URL('../../../agent/main.ts', import.meta.url)), `--config=yaml:${config}`],
        ready: { port },
      });
      closing.push(async () => void (await started.stop()));
      await waitFor(async () => Object.keys(await etcd.read('/tier/')).join() === '/tier/program', { what: 'the registration' });
      return started;
    };
    const gone = async (): Promise<boolean> => Object.keys(await etcd.read('/tier/')).length === 0;

    const first = await start();
    first.signal('SIGTERM');
    expect(await first.exited).toMatchObject({ code: 0, signal: null });
    expect(await gone()).toBe(true);

    const second = await start();
    second.signal('SIGKILL');
    await second.exited;
    expect(await gone()).toBe(false);
    await waitFor(gone, { what: 'the lease to end', timeoutMs: 60_000 });
  });
});
