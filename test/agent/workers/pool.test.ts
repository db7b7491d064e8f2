import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentSettings } from '../../../agent/config/settings.ts';
import { type Agent, createAgent } from '../../../agent/runtime/agent.ts';
import { type LogLine, recordingLog, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { clients } from './support.ts';

const ENTRY = new URL('./failing-worker.ts', import.meta.url);
const failing = join(mkdtempSync(join(tmpdir(), 'otlp-workers-')), 'fails');
process.env.FAIL_PREPARE = failing;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  rmSync(failing, { force: true });
  for (const one of open.splice(0).reverse()) await one.close();
});

function settingsOf(sink: Sink, environment: string): AgentSettings {
  const settings = agentSettings({
    exporters: [grpcExporter(sink.port)],
    processors: [
      { kind: 'resource', id: 'resource', actions: [{ action: 'upsert', key: 'deployment.environment', value: environment }] },
    ] as never,
  });
  return { ...settings, agent: { ...settings.agent, workers: 2 } };
}

/** Sixteen connections, so that both workers have some; what the next hop got then. */
async function sendSome(agent: Agent, sink: Sink): Promise<readonly Buffer[]> {
  const address = agent.addresses['otlp/grpc'];
  if (address?.kind !== 'tcp') throw new Error('no port');
  const before = sink.received.length;
  const all = clients(address.port, 16);
  open.push(...all);
  await Promise.all(all.map((client) => client.export('traces', request('traces', 1))));
  await until(() => sink.received.slice(before).reduce((sum, { items }) => sum + items, 0) >= 16);
  return sink.received.slice(before).map(({ body }) => body);
}

describe('a reload of several workers', () => {
  it('is taken by none where one of them cannot have it, and by all when it can', async () => {
    const sink = await grpcSink();
    open.push(sink);
    const lines: LogLine[] = [];
    const agent = await createAgent(settingsOf(sink, 'first'), { log: recordingLog(lines), workerEntry: ENTRY });
    open.push(agent);
    await agent.start();
    const port = agent.addresses['otlp/grpc'];
    expect((await sendSome(agent, sink)).every((body) => body.includes('first'))).toBe(true);

    writeFileSync(failing, '');
    await expect(agent.reload(settingsOf(sink, 'second'))).rejects.toMatchObject({ message: 'no more descriptors', code: 'OTLP_BIND' });
    expect(lines.at(-1)).toMatchObject({ level: 'error', fields: { reason: 'no more descriptors' } });
    expect((await sendSome(agent, sink)).every((body) => body.includes('first'))).toBe(true);

    rmSync(failing);
    await agent.reload(settingsOf(sink, 'third'));
    expect(agent.addresses['otlp/grpc']).toEqual(port);
    expect((await sendSome(agent, sink)).every((body) => body.includes('third'))).toBe(true);

    const books = await agent.drain(5000);
    expect(books.total).toMatchObject({ received: 48, accepted: 48, sent: 48, evicted: 0, queued: 0 });
    expect(agent.queues.every(({ size }) => size === 0)).toBe(true);
    expect(agent.heldBytes).toBe(0);
  });
});
