import { afterAll, beforeAll, expect, it } from 'vitest';
import { HashRing } from '../../agent/balance/hash-ring.ts';
import { load } from '../../agent/config/load.ts';
import { type Agent, createAgent } from '../../agent/index.ts';
import { assertBooksBalance, GrpcClient, type LogLine, recordingLog, until } from '../agent/kit/agent.ts';
import { attribute, encode } from '../agent/kit/otlp.ts';
import { type OtlpSink, startOtlpSink } from '../support/otlp-sink.ts';
import { describeReal, freePort, type RunningProcess, startOtelcol } from './support/index.ts';

const REQUESTS = 400;
const SPANS = 5;

/** A real Collector that passes on at once: what it has acknowledged is in its sink, so that SIGKILL can lose nothing but what it did not. */
interface Hop {
  readonly port: number;
  readonly sink: OtlpSink;
  start(): Promise<void>;
  kill(): Promise<void>;
}

async function hop(): Promise<Hop> {
  const sink = await startOtlpSink();
  const port = await freePort();
  let running: RunningProcess | undefined;
  const config = {
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: {
      otlp_grpc: {
        endpoint: sink.grpcAddress,
        tls: { insecure: true },
        compression: 'none',
        sending_queue: { enabled: false },
        retry_on_failure: { enabled: false },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } },
    },
  };
  return {
    port,
    sink,
    start: async () => {
      running = await startOtelcol({ config, name: `upstream-${port}` });
    },
    kill: async () => {
      running?.signal('SIGKILL');
      await running?.exited;
    },
  };
}

interface Started {
  readonly agent: Agent;
  readonly client: GrpcClient;
  readonly lines: LogLine[];
}

/** An agent in this process over these Collectors; waits are short, as a restart takes a second. */
async function balancing(hops: readonly Hop[], more: string): Promise<Started> {
  const text = `
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
exporters:
  loadbalancing:
    ${more}
    health: { interval: 300ms, timeout: 2s, slow_start: 1s }
    protocol:
      otlp:
        tls: { insecure: true }
        timeout: 2s
        retry_on_failure: { initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0 }
    resolver:
      static:
        hostnames: [${hops.map(({ port }) => `"127.0.0.1:${port}"`).join(', ')}]
        weights: { "127.0.0.1:${hops[0]?.port}": 3 }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [loadbalancing] } }
`;
  const lines: LogLine[] = [];
  const { settings } = load({ configs: [`yaml:${text}`], environment: {} });
  const agent = await createAgent(settings, { log: recordingLog(lines) });
  await agent.start();
  const address = agent.addresses['otlp/grpc'];
  return { agent, client: new GrpcClient(address?.kind === 'tcp' ? address.port : 0), lines };
}

const traceId = (n: number): Buffer => Buffer.from(`${n}`.padStart(16, '0'));

function body(run: string, n: number): Buffer {
  const spans = Array.from({ length: SPANS }, (_, i) => ({
    traceId: traceId(n),
    spanId: Buffer.alloc(8, 1 + i),
    name: `${run}/${n}/${i}`,
  }));
  return encode('traces', {
    resourceSpans: [{ resource: { attributes: [attribute('service.name', run)] }, scopeSpans: [{ scope: { name: 'test' }, spans }] }],
  });
}

const namesOf = (sink: OtlpSink, run: string): string[] => sink.spans().flatMap(({ name }) => (name.startsWith(`${run}/`) ? [name] : []));

describeReal(['otelcol'], 'two real Collectors behind a balancer', () => {
  let hops: Hop[] = [];

  beforeAll(async () => {
    hops = await Promise.all([hop(), hop()]);
    await Promise.all(hops.map((one) => one.start()));
  });
  afterAll(async () => {
    await Promise.all(hops.map(({ sink }) => sink.close()));
  });

  it.each([
    ['round_robin', [0.5, 0.5]],
    ['weighted_round_robin', [0.75, 0.25]],
    ['least_connections', [0.75, 0.25]],
  ] as const)('%s: by share, everything once', async (balancer, shares) => {
    const { agent, client } = await balancing(hops, `balancer: ${balancer}`);
    for (let n = 0; n < REQUESTS; n += 1) await client.export('traces', body(balancer, n));
    client.close();
    await agent.drain(60_000);
    await agent.close();
    expect(assertBooksBalance(agent).total).toMatchObject({ accepted: REQUESTS * SPANS, sent: REQUESTS * SPANS, sendFailed: 0 });
    const got = hops.map(({ sink }) => namesOf(sink, balancer));
    expect(new Set(got.flat()).size).toBe(REQUESTS * SPANS);
    expect(got.flat()).toHaveLength(REQUESTS * SPANS);
    got.forEach((names, i) => {
      expect(Math.abs(names.length / (REQUESTS * SPANS) - (shares[i] as number))).toBeLessThan(
        balancer === 'least_connections' ? 0.2 : 0.02,
      );
    });
  });

  it.each(['round_robin', 'weighted_round_robin', 'consistent_hash'])(
    '%s: one is killed and started again under load: nothing is lost, and it gets traffic again',
    async (balancer) => {
      const [victim, other] = hops as [Hop, Hop];
      const run = `killed-${balancer}`;
      const { agent, client, lines } = await balancing(hops, `balancer: ${balancer}`);
      let stop = false;
      let sent = 0;
      const load = (async () => {
        while (!stop) {
          await Promise.all([0, 1, 2, 3].map((i) => client.export('traces', body(run, sent + i))));
          sent += 4;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      await until(() => sent >= 200);
      await victim.kill();
      const atKill = sent;
      await until(() => lines.some(({ event }) => event === 'upstream left out'));
      await until(() => sent >= atKill + 400);
      await victim.start();
      await until(() => lines.some(({ event }) => event === 'upstream is back'));
      const before = namesOf(victim.sink, run).length;
      await until(() => namesOf(victim.sink, run).length > before + 20 * SPANS);
      stop = true;
      await load;
      client.close();
      await agent.drain(60_000);
      await agent.close();
      expect(assertBooksBalance(agent).total).toMatchObject({
        accepted: sent * SPANS,
        sent: sent * SPANS,
        sendFailed: 0,
        evicted: 0,
        queued: 0,
      });
      const all = [victim, other].flatMap(({ sink }) => namesOf(sink, run));
      process.stdout.write(
        `${balancer}: ${sent * SPANS} spans, ${all.length - new Set(all).size} twice: on the wire when the Collector was killed\n`,
      );
      expect(new Set(all).size).toBe(sent * SPANS);
      // Twice at most what was on the wire to the one that was killed: the requests of its ten consumers.
      expect(all.length - new Set(all).size).toBeLessThanOrEqual(10 * SPANS);
    },
  );

  it('consistent_hash: each trace where the ring of the Collector has it', async () => {
    const { agent, client } = await balancing(hops, 'routing_key: traceID');
    for (let n = 0; n < REQUESTS; n += 1) await client.export('traces', body('hash', n));
    client.close();
    await agent.drain(60_000);
    await agent.close();
    const ring = new HashRing(hops.map(({ port }) => `127.0.0.1:${port}`));
    for (const { port, sink } of hops) {
      const expected = Array.from({ length: REQUESTS }, (_, n) => n).filter(
        (n) => ring.names[ring.ownerOf(ring.placeOf(traceId(n)))] === `127.0.0.1:${port}`,
      );
      const got = new Set(namesOf(sink, 'hash').map((name) => Number(name.split('/')[1])));
      expect([...got].sort((a, b) => a - b)).toEqual(expected);
    }
  });
});
