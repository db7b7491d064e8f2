import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { create } from '../../../../agent/index.ts';
import { AgentSpanExporter } from '../../../../agent/library/opentelemetry/index.ts';
import { type OtlpSink, startOtlpSink } from '../../../support/otlp-sink.ts';
import { spanOf } from './encode/span.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

let sink: OtlpSink | undefined;
afterEach(() => sink?.close());

/** An export whose callback holds the batch, as that of BatchSpanProcessor does. */
function exported(exporter: AgentSpanExporter): Promise<WeakRef<object>> {
  const batch = [spanOf({ name: 'held' })];
  return new Promise((resolve) => {
    exporter.export(batch, () => resolve(new WeakRef(batch)));
  });
}

describe('an export that was answered before its delivery', () => {
  it('holds its bytes, and nothing of what the SDK handed over', async () => {
    sink = await startOtlpSink();
    sink.respond(() => ({ status: 503 }));
    const agent = await create({
      exporter: { endpoint: `http://${sink.grpcAddress}` },
      retry: { initial_interval: '20ms', max_interval: '100ms' },
    });
    const exporter = new AgentSpanExporter(agent, { patienceMs: 0 });
    const held = await exported(exporter);
    for (let i = 0; i < 100 && held.deref() !== undefined; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      gc();
    }
    expect([held.deref(), agent.stats().books.total.queued]).toEqual([undefined, 1]);
    sink.respond(undefined);
    await exporter.forceFlush();
    expect(sink.spans().map(({ name }) => name)).toEqual(['held']);
    await agent.close();
  });
});
