import { describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import type { Agent } from '../../../agent/index.ts';
import { finish, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { httpExporter, QUEUE } from '../kit/settings.ts';
import { httpSink } from '../kit/sink.ts';

const MIB = 1024 * 1024;
/** One resource with one scope with one empty span: the smallest request that holds an item. */
const SMALLEST = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]);

/** An agent whose next hop never answers. */
async function stalled(memoryLimitBytes: number, includeMetadata = false) {
  const sink = await httpSink(() => true);
  const exporter = httpExporter(sink.port, { queue: { ...QUEUE, consumers: 1, sizer: 'items', capacity: 10_000_000 } });
  const pipeline = { id: 'traces', signal: 'traces' as const, receivers: ['otlp', 'library'], processors: [], exporters: [exporter.id] };
  const running = await startAgent({ exporters: [exporter], pipelines: [pipeline], memoryLimitBytes, grpc: { includeMetadata } });
  const end = async (): Promise<void> => {
    await finish(running, 1);
    await sink.close();
  };
  return { running, end };
}

const offer = (agent: Agent): string | undefined => agent.offer('traces', Buffer.from(SMALLEST), () => {})?.kind.code;

describe('many small requests', () => {
  it('are charged what they cost, and not the bytes that they have alone: the limit is met', async () => {
    const { running, end } = await stalled(8 * MIB);
    let taken = 0;
    let said: string | undefined;
    for (; taken < 100_000 && said === undefined; taken += 1) said = offer(running.agent);
    expect(said).toBe('OTLP_MEMORY_LIMIT');
    expect(taken).toBeLessThanOrEqual((8 * MIB) / REQUEST_BYTES);
    expect(running.agent.heldBytes).toBeLessThanOrEqual(8 * MIB);
    await end();
  });

  it('are charged as soon as their headers have come, and no more when they have gone', async () => {
    const { running, end } = await stalled(8 * MIB);
    const raw = new RawGrpc(running.grpcPort);
    const calls = Array.from({ length: 50 }, () => raw.open());
    await until(() => running.agent.heldBytes === 50 * REQUEST_BYTES);
    for (const { stream } of calls) stream.close();
    await until(() => running.agent.heldBytes === 0);
    raw.session.destroy();
    await end();
  });
});

describe('headers that travel with a request', () => {
  it('are charged until it is delivered, and refused where the limit is in the way', async () => {
    const { running, end } = await stalled(256 * 1024, true);
    const raw = new RawGrpc(running.grpcPort);
    const send = async (running: Running): Promise<string | undefined> => {
      const before = running.agent.heldBytes;
      const { stream, answer } = raw.open({ 'x-long': 'v'.repeat(8000) });
      stream.end(frame(request('traces', 1)));
      const { grpcStatus } = await answer;
      if (grpcStatus === '0') expect(running.agent.heldBytes - before).toBeGreaterThan(8000);
      return grpcStatus;
    };
    const said: (string | undefined)[] = [];
    while (said.length < 100 && said.at(-1) !== '14') said.push(await send(running));
    expect(said.at(-1)).toBe('14');
    expect(said.length).toBeLessThan((256 * 1024) / 8000);
    raw.session.destroy();
    await end();
  });
});
