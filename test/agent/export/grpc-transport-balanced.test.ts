import { afterEach, describe, expect, it } from 'vitest';
import { type BalancerName, type BalanceSettings, DEFAULT_HEALTH } from '../../../agent/balance/settings.ts';
import type { OtlpGrpcExporterSettings } from '../../../agent/config/settings.ts';
import { encodeStatus } from '../../../agent/otlp/status.ts';
import { finish, GrpcClient, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { ownPort } from '../kit/ports.ts';
import { grpcExporter, QUEUE, RETRY } from '../kit/settings.ts';
import { type GrpcAnswer, grpcSink, type Received, type Sink } from '../kit/sink.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

const sinks = async (count: number, answer?: (one: Received) => GrpcAnswer | undefined): Promise<Sink[]> =>
  await Promise.all(Array.from({ length: count }, async () => keep(await grpcSink(answer))));

function balanced(
  ports: readonly number[],
  balancer: BalancerName,
  more: Partial<OtlpGrpcExporterSettings> = {},
): OtlpGrpcExporterSettings {
  const upstreams = ports.map((port, i) => ({ host: '127.0.0.1', port, weight: i + 1 }));
  const balance: BalanceSettings = { balancer, health: { ...DEFAULT_HEALTH, type: 'none' }, resolver: { kind: 'static', upstreams } };
  return { ...grpcExporter(ports[0] as number), balance, ...more };
}

async function send(running: Running, requests: number, name = 'r'): Promise<void> {
  const client = keep(new GrpcClient(running.grpcPort));
  for (let i = 0; i < requests; i += 1) await client.export('traces', request('traces', 1, `${name}-${i}`));
}

const shares = (all: readonly Sink[]): number[] => all.map((one) => one.delivered());

describe('otlp_grpc with several addresses', () => {
  it('round_robin: each gets the same', async () => {
    const all = await sinks(3);
    const running = await startAgent({
      exporters: [
        balanced(
          all.map((one) => one.port),
          'round_robin',
        ),
      ],
    });
    await send(running, 60);
    expect((await finish(running)).total).toMatchObject({ sent: 60, sendFailed: 0 });
    expect(shares(all)).toEqual([20, 20, 20]);
  });

  it('weighted_round_robin: by weight', async () => {
    const all = await sinks(3);
    const running = await startAgent({
      exporters: [
        balanced(
          all.map((one) => one.port),
          'weighted_round_robin',
        ),
      ],
    });
    await send(running, 60);
    await finish(running);
    expect(shares(all)).toEqual([10, 20, 30]);
  });

  it.each(['round_robin', 'weighted_round_robin', 'least_connections'] as const)(
    '%s: one that does not answer holds its share of the attempts, the others go on',
    async (balancer) => {
      let release = (): void => {};
      const silence = new Promise<undefined>((resolve) => {
        release = () => resolve(undefined);
      });
      const stuck = keep(await grpcSink(() => silence));
      const quick = keep(await grpcSink());
      const queue = { ...QUEUE, consumers: 4, overflow: 'block' as const };
      const running = await startAgent({ exporters: [balanced([quick.port, stuck.port], balancer, { queue, timeoutMs: 60_000 })] });
      await send(running, 100);
      await until(() => quick.delivered() >= 97);
      release();
      await finish(running);
      expect(quick.delivered() + stuck.delivered()).toBe(100);
    },
  );

  it('least_connections: a slow one gets less', async () => {
    let enough = (): void => {};
    const gate = new Promise<undefined>((resolve) => {
      enough = () => resolve(undefined);
    });
    const slow = keep(await grpcSink(() => gate));
    const quick: Sink = keep(
      await grpcSink(() => {
        if (quick.received.length > 40) enough();
        return undefined;
      }),
    );
    const exporter = balanced([slow.port, quick.port], 'least_connections');
    const running = await startAgent({ exporters: [exporter] });
    await send(running, 60);
    expect((await finish(running)).total).toMatchObject({ sent: 60 });
    expect(quick.delivered()).toBeGreaterThan(40);
  });

  it('pick_first: all to one, and to the next when that one is away, with nothing lost', async () => {
    const all = await sinks(2);
    const running = await startAgent({
      exporters: [
        balanced(
          all.map((one) => one.port),
          'pick_first',
        ),
      ],
    });
    await send(running, 20);
    await until(() => all.some((one) => one.delivered() === 20));
    const first = all.find((one) => one.delivered() === 20) as Sink;
    await first.close();
    await send(running, 20);
    expect((await finish(running)).total).toMatchObject({ sent: 40, sendFailed: 0 });
    expect(all.find((one) => one !== first)?.delivered()).toBe(20);
  });

  it('one that is not there: the same attempt goes to the next, no retry is counted and nobody waits', async () => {
    const rest = await sinks(2);
    const ports = [await ownPort(), ...rest.map((one) => one.port)];
    const running = await startAgent({ exporters: [balanced(ports, 'round_robin', { retry: { ...RETRY, enabled: false } })] });
    await send(running, 30);
    expect((await finish(running)).total).toMatchObject({ sent: 30, sendFailed: 0 });
    expect(rest.reduce((sum, one) => sum + one.delivered(), 0)).toBe(30);
  });

  it('a retryable answer of one goes to another one at the retry, and never again to those that answered', async () => {
    const bad = keep(await grpcSink(() => ({ code: 14, message: 'not me' })));
    const good = keep(await grpcSink());
    const running = await startAgent({ exporters: [balanced([bad.port, good.port], 'round_robin')] });
    await send(running, 20);
    expect((await finish(running)).total).toMatchObject({ sent: 20, sendFailed: 0 });
    expect(good.delivered()).toBe(20);
    const seen = good.received.map((one) => one.body.toString('latin1'));
    expect(new Set(seen).size).toBe(20);
    // Left out after three failures; the ten requests in flight may have met it before.
    expect(bad.received.length).toBeLessThanOrEqual(13);
  });

  it('RetryInfo of one silences that one, not the line', async () => {
    const busy = keep(await grpcSink(() => ({ code: 14, details: encodeStatus(14, 'later', 60_000) })));
    const free = keep(await grpcSink());
    const running = await startAgent({ exporters: [balanced([busy.port, free.port], 'round_robin')] });
    await send(running, 20);
    expect((await finish(running)).total).toMatchObject({ sent: 20, sendFailed: 0 });
    expect(busy.received.length).toBeLessThanOrEqual(10);
    expect(free.delivered()).toBe(20);
  });

  it('all away, then back: nothing lost, everything once', async () => {
    const ports = [await ownPort(), await ownPort()];
    const running = await startAgent({ exporters: [balanced(ports, 'round_robin')] });
    await send(running, 20);
    const again = await Promise.all(ports.map(async (port) => keep(await grpcSink(undefined, port))));
    expect((await finish(running)).total).toMatchObject({ sent: 20, sendFailed: 0 });
    expect(shares(again).reduce((a, b) => a + b)).toBe(20);
  });

  it('fails what is refused for good at once: another upstream would say the same', async () => {
    const all = await sinks(2, () => ({ code: 3 }));
    const running = await startAgent({
      exporters: [
        balanced(
          all.map((one) => one.port),
          'round_robin',
        ),
      ],
    });
    await send(running, 4);
    expect((await finish(running)).total).toMatchObject({ sent: 0, sendFailed: 4 });
    expect(all.map((one) => one.received.length)).toEqual([2, 2]);
  });

  it('a name that nobody knows: retried, and counted when its time is over', async () => {
    const exporter = balanced([1], 'round_robin', { retry: { ...RETRY, maxElapsedMs: 100 } });
    const balance = {
      ...(exporter.balance as BalanceSettings),
      resolver: { kind: 'dns', hostname: 'nobody.invalid', port: 4317, intervalMs: 20, timeoutMs: 500, type: 'a', servers: [] } as const,
    };
    const running = await startAgent({ exporters: [{ ...exporter, balance, queue: { ...QUEUE, consumers: 2 } }] });
    await send(running, 3);
    await until(() => running.agent.books().total.sendFailed === 3);
    await finish(running);
  });
});
