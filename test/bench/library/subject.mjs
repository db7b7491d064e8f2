/**
 * A program that makes spans with the OpenTelemetry SDK and exports them by one exporter, in a process of its own, told what to do by IPC.
 * BatchSpanProcessor with its defaults, as most programs have it.
 */
import { OTLPTraceExporter as OfficialGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as OfficialHttp } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { AgentSpanExporter } from 'otlp-stack-agent/opentelemetry';
import { make } from './span.mjs';

/** As both official exporters have it, so that the same patience is compared. */
const TIMEOUT_MS = 10_000;
const BATCH = 512;

const job = JSON.parse(process.argv[2]);
let answered = 0;
let failed = 0;
/** Who waits for a result; turning in the loop instead would be counted as CPU. */
let onAnswer = () => {};
const exporter = counted(exporterOf(job));
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'bench', 'service.version': '1.2.3', 'host.name': 'bench-1' }),
  spanProcessors: [new BatchSpanProcessor({ exporter })],
});
const tracer = provider.getTracer('bench');

process.on('message', async (message) => {
  process.send(await (message.paced === undefined ? burst(message.spans) : paced(message.spans, message.paced)));
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });

function exporterOf({ kind, endpoint, compression }) {
  const url = kind.endsWith('grpc') ? endpoint : `${endpoint}/v1/traces`;
  // The Collector's schedule begins at 5 s; the official one from 1 s to 5 s.
  const retry = { initial_interval: '1s', max_interval: '5s' };
  const common = { endpoint, compression, timeout: `${TIMEOUT_MS}ms` };
  switch (kind) {
    case 'sdk alone':
      return { export: (_spans, done) => setImmediate(done, { code: 0 }), shutdown: async () => {}, forceFlush: async () => {} };
    case 'official grpc':
      return new OfficialGrpc({ url, compression, timeoutMillis: TIMEOUT_MS });
    case 'official http':
      return new OfficialHttp({ url, compression, timeoutMillis: TIMEOUT_MS });
    case 'agent grpc':
      return new AgentSpanExporter({ exporter: common, retry });
    case 'agent http':
      return new AgentSpanExporter({ exporter: { ...common, protocol: 'http/protobuf' }, retry });
    default:
      throw new Error(`no exporter is called ${kind}`);
  }
}

/** The same exporter, with the spans counted whose result has come: what the processor has room for again. */
function counted(exporter) {
  const inner = exporter.export.bind(exporter);
  exporter.export = (spans, done) =>
    inner(spans, (result) => {
      answered += spans.length;
      if (result.code !== 0) failed += spans.length;
      done(result);
      onAnswer();
    });
  return exporter;
}

/** As fast as the processor takes them without dropping any; CPU until the last one is delivered. */
async function burst(spans) {
  const before = process.cpuUsage();
  const begun = performance.now();
  const from = answered;
  for (let made = 0; made < spans; ) {
    for (let i = 0; i < BATCH && made < spans; i += 1, made += 1) make(tracer, made);
    while (made - (answered - from) > 2 * BATCH) await nextAnswer();
  }
  await provider.forceFlush();
  // BatchSpanProcessor waits for results only, and on a busy machine one may be given before its delivery.
  await exporter.forceFlush();
  const { user, system } = process.cpuUsage(before);
  return { spans, failed, cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - begun) / 1000 };
}

function nextAnswer() {
  return new Promise((resolve) => {
    onAnswer = resolve;
  });
}

/** So many spans a second, whatever the backend does; then the program ends as programs do. */
async function paced(spans, perSecond) {
  const begun = performance.now();
  for (let made = 0; made < spans; ) {
    const due = Math.min(spans, Math.ceil(((performance.now() - begun) / 1000) * perSecond));
    for (; made < due; made += 1) make(tracer, made);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await provider.shutdown().catch(() => {});
  return { spans, failed };
}
