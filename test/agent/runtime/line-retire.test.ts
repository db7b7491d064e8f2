import { expect, it } from 'vitest';
import { assertBooksBalance, post, startAgent } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter, PATHS, RETRY } from '../kit/settings.ts';
import { grpcUpstream } from '../statements/support/grpc-upstream.ts';

it('what an exporter still has that a reload has replaced is counted as evicted when the drain is at its deadline', async () => {
  await using silent = await grpcUpstream(() => {});
  const shape = { exporters: [grpcExporter(silent.port, { timeoutMs: 60_000, retry: RETRY })] };
  const running = await startAgent(shape);
  expect((await post(running.httpPort, PATHS.traces, request('traces', 3))).status).toBe(200);
  await silent.journal.until(() => silent.journal.received.length === 1);
  const others = agentSettings({ ...shape, exporters: [grpcExporter(silent.port, { timeoutMs: 60_001, retry: RETRY })] });
  await running.agent.reload({ ...others, agent: { ...others.agent, drainDeadlineMs: 3_600_000 } });
  const { total } = await running.agent.drain(50);
  expect([total, running.agent.heldBytes]).toMatchObject([{ accepted: 3, evicted: 3, queued: 0 }, 0]);
  expect(running.lines.find(({ event }) => event === 'drain deadline reached')?.fields).toMatchObject({
    exporter: 'otlp_grpc',
    evicted: 3,
  });
  assertBooksBalance(running.agent);
  await running.agent.close();
});
