import { afterEach, expect } from 'vitest';
import { type CreateOptions, create, type EmbeddedAgent, imbalances, type ShortConfig } from '../../../../agent/index.ts';
import { type GrpcAnswer, grpcSink, type Received, type Sink } from '../../kit/sink.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
/** Closed after the test. */
export function keep<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one);
  return one;
}

type Answer = (received: Received) => GrpcAnswer | undefined | Promise<GrpcAnswer | undefined>;
export const sinkOf = async (answer?: Answer): Promise<Sink> => keep(await grpcSink(answer));

const QUICK = { initial_interval: '20ms', max_interval: '100ms', max_elapsed_time: '0s' } as const;

export async function agentTo(sink: Sink, more: Partial<ShortConfig> = {}, options: CreateOptions = {}): Promise<EmbeddedAgent> {
  return keep(
    await create({ exporter: { endpoint: `http://127.0.0.1:${sink.port}`, compression: 'none' }, retry: QUICK, ...more }, options),
  );
}

/** After the end: every item in one place, nothing held. */
export async function end(agent: EmbeddedAgent, deadlineMs = 5000): Promise<ReturnType<EmbeddedAgent['stats']>> {
  await agent.drain(deadlineMs);
  await agent.close();
  const stats = agent.stats();
  expect(imbalances(stats.books)).toEqual([]);
  expect(stats.heldBytes).toBe(0);
  return stats;
}
