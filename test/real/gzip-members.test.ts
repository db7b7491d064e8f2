import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { finish, post, type Running, startAgent, until } from '../agent/kit/agent.ts';
import { decode, request } from '../agent/kit/otlp.ts';
import { grpcExporter, httpExporter, PATHS, QUEUE } from '../agent/kit/settings.ts';
import { grpcSink } from '../agent/kit/sink.ts';
import { describeReal, freePorts, startOtelcol } from './support/index.ts';

const MEMBERS = 150;
const COMPRESS = [
  ['gzip', gzipSync],
  ['gzip', (body: Buffer) => gzipSync(body, { level: 9 })],
  ['identity', (body: Buffer) => body],
  ['zstd', zstdCompressSync],
] as const;

interface Spans {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly { readonly name: string }[] }[] }[];
}

describeReal(['otelcol'], 'gzip bodies that travel as they came, to the real Collector', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  it.each(['grpc', 'http'] as const)('arrive whole over %s: every span once, of requests with many members', async (transport) => {
    const sink = await grpcSink();
    closers.push(() => sink.close());
    const ports = await freePorts('grpc', 'http');
    await startOtelcol({
      config: {
        receivers: {
          otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${ports.grpc}` }, http: { endpoint: `127.0.0.1:${ports.http}` } } },
        },
        exporters: { otlp_grpc: { endpoint: `127.0.0.1:${sink.port}`, compression: 'none', tls: { insecure: true } } },
        service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } } },
      },
    });
    const batch = { flushTimeoutMs: 500, minSize: 1_000_000, maxSize: 0, sizer: 'items' } as const;
    const settings = { compression: 'gzip', gzipMembers: true, queue: { ...QUEUE, batch } } as const;
    const running: Running = await startAgent({
      exporters: [transport === 'grpc' ? grpcExporter(ports.grpc, settings) : httpExporter(ports.http, settings)],
    });
    closers.push(() => finish(running));
    const sent = new Map<string, number>();
    for (let i = 0; i < MEMBERS; i += 1) {
      const [encoding, compress] = COMPRESS[i % COMPRESS.length] as (typeof COMPRESS)[number];
      const spans = 1 + ((i * 37) % 90);
      for (let span = 0; span < spans; span += 1) sent.set(`r${i}-0/${span}`, 1);
      const headers: Record<string, string> = encoding === 'identity' ? {} : { 'content-encoding': encoding };
      expect((await post(running.httpPort, PATHS.traces, compress(request('traces', spans, `r${i}`)), headers)).status).toBe(200);
    }
    await until(() => sink.delivered() >= sent.size);
    const got = new Map<string, number>();
    for (const { body } of sink.received)
      for (const { scopeSpans } of (decode('traces', body) as unknown as Spans).resourceSpans)
        for (const { spans } of scopeSpans) for (const { name } of spans) got.set(name, (got.get(name) ?? 0) + 1);
    expect(got).toEqual(sent);
    // Merged, or there would be nothing to see here.
    expect(sink.received.length).toBeLessThan(10);
  });
});
