/** A program whose backend is away: what each of its requests holds. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { create } from '../../../agent/index.ts';
import { AgentSpanExporter } from '../../../agent/library/opentelemetry/index.ts';
import { make } from './span.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
/** Attempts that fail leave something behind until their waits begin. */
const SETTLE_MS = 1500;
/** Requests before the first look, as a part of all. */
const WARM_UP = 0.1;

const memory = new InMemorySpanExporter();
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'bench' }),
  spanProcessors: [new SimpleSpanProcessor({ exporter: memory })],
});
const tracer = provider.getTracer('bench');
const agent = await create({ exporter: { endpoint: 'http://127.0.0.1:1' } });
const exporter = new AgentSpanExporter(agent, { patienceMs: 0 });

process.on('message', async ({ spans, requests }) => {
  await fill(spans, Math.ceil(requests * WARM_UP));
  const before = await look();
  await fill(spans, requests);
  const after = await look();
  const each = (name) => Math.round((after[name] - before[name]) / requests);
  process.send({ spans, requests, accounted: each('accounted'), buffers: each('buffers'), heap: each('heap') });
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });

async function fill(spans, requests) {
  for (let i = 0; i < requests; i += 1) {
    for (let k = 0; k < spans; k += 1) make(tracer, i * spans + k);
    const batch = [...memory.getFinishedSpans()];
    memory.reset();
    await new Promise((resolve, reject) => {
      exporter.export(batch, ({ code, error }) => (code === 0 && batch.length > 0 ? resolve() : reject(error)));
    });
  }
}

async function look() {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { accounted: agent.stats().heldBytes, buffers: arrayBuffers, heap: heapUsed };
}
