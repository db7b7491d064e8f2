import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownPort } from '../../agent/kit/ports.ts';
import { type OtlpSink, startOtlpSink } from '../../support/otlp-sink.ts';
import { type RunningService, runService } from './run-service.ts';

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

const DROPPED = (reason: string): string => `otlp_spans_dropped_total{reason="${reason}"}`;

/** Looks at /metrics until the sample is there; a scrape is the event that can be awaited here. */
async function sampleReaches(service: RunningService, name: string, least: number): Promise<number> {
  for (let scrape = 0; scrape < 15_000; scrape++) {
    const value = (await service.samples()).get(name) ?? 0;
    if (value >= least) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${name} did not reach ${least}: ${JSON.stringify([...(await service.samples())])}`);
}

describe('/metrics', () => {
  it('has the five metrics with type, labels and the documented buckets, as Prometheus 3 wants it', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    await fetch(`${service.url}/api/orders/1`);
    await fetch(`${service.url}/api/orders/2`);
    await fetch(`${service.url}/wp-admin`);
    await fetch(`${service.url}/api/orders/1`, { method: 'DELETE' });
    await fetch(`${service.url}/api/fail`);
    const answer = await fetch(`${service.url}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    for (const [name, type] of [
      ['http_requests_total', 'counter'],
      ['http_request_duration_seconds', 'histogram'],
      ['otlp_spans_exported_total', 'counter'],
      ['otlp_spans_dropped_total', 'counter'],
      ['otlp_queue_size', 'gauge'],
    ]) {
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
    }
    expect(text.match(/^# TYPE /gm)).toHaveLength(5);
    const samples = await service.samples();
    expect(samples.get('http_requests_total{method="GET",route="/api/orders/:id",status="200"}')).toBe(1);
    expect(samples.get('http_requests_total{method="GET",route="/api/orders/:id",status="404"}')).toBe(1);
    expect(samples.get('http_requests_total{method="GET",route="unmatched",status="404"}')).toBe(1);
    expect(samples.get('http_requests_total{method="DELETE",route="unmatched",status="405"}')).toBe(1);
    expect(samples.get('http_requests_total{method="GET",route="/api/fail",status="500"}')).toBe(1);
    const bounds = [
      ...text.matchAll(/http_request_duration_seconds_bucket\{le="([^"]+)",method="GET",route="\/api\/fail",status="500"\}/g),
    ];
    expect(bounds.map(([, bound]) => bound)).toEqual(['0.001', '0.005', '0.01', '0.05', '0.1', '0.5', '1', '5', '+Inf']);
    expect(samples.get('http_request_duration_seconds_count{method="GET",route="/api/fail",status="500"}')).toBe(1);
    expect([...samples.keys()].filter((key) => key.includes('/metrics'))).toEqual([]);
  });

  it('shows every drop reason as 0 before anything is lost, so that rates exist', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    const samples = await service.samples();
    for (const reason of ['queue_full', 'export_failed', 'rejected', 'shutdown']) expect(samples.get(DROPPED(reason)), reason).toBe(0);
    expect([samples.get('otlp_spans_exported_total'), samples.get('otlp_queue_size')]).toEqual([0, 0]);
  });

  it('counts what the receiver acknowledged as exported', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    for (let request = 0; request < 20; request++) await fetch(service.url);
    expect(await sampleReaches(service, 'otlp_spans_exported_total', 20)).toBe(20);
    expect(sink.spans()).toHaveLength(20);
  });

  it('counts drops while the agent is away, and exports again when it is back', async () => {
    await sink.close();
    const port = await ownPort();
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: `http://127.0.0.1:${port}`, OTLP__EXPORTER__TIMEOUT: '5s' } });
    for (let request = 0; request < 10; request++) await fetch(service.url);
    expect(await sampleReaches(service, DROPPED('export_failed'), 10)).toBe(10);
    expect((await service.samples()).get('otlp_spans_exported_total')).toBe(0);
    expect(await service.line('span export fails, spans are being lost; see otlp_spans_dropped_total')).toMatchObject({
      level: 'error',
      'error.message': expect.stringContaining('ECONNREFUSED'),
    });
    sink = await startOtlpSink({ httpPort: port });
    for (let request = 0; request < 5; request++) await fetch(service.url);
    expect(await sampleReaches(service, 'otlp_spans_exported_total', 5)).toBe(5);
    await service.line('span export works again');
    expect((await service.samples()).get(DROPPED('export_failed'))).toBe(10);
    expect(service.log.filter(({ message }) => message.startsWith('span export fails'))).toHaveLength(1);
  });

  it('counts drops over gRPC at once, as the JS SDK does not retry there', async () => {
    sink.respond(() => ({ status: 503 }));
    const service = await runService({ env: { OTLP__EXPORTER__PROTOCOL: 'grpc', OTLP__EXPORTER__ENDPOINT: `http://${sink.grpcAddress}` } });
    await fetch(service.url);
    expect(await sampleReaches(service, DROPPED('export_failed'), 1)).toBe(1);
    expect(sink.requests.filter(({ signal }) => signal === 'traces')).toHaveLength(1);
  });

  it('counts spans that the receiver rejects in a partial success', async () => {
    sink.respond(({ signal }) => (signal === 'traces' ? { partial: { rejected: 2, message: 'too old' } } : undefined));
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl, OTLP__BATCH__DELAY: '50ms' } });
    await fetch(`${service.url}/api/slow?ms=0`);
    expect(await sampleReaches(service, DROPPED('rejected'), 2)).toBe(2);
    expect((await service.samples()).get('otlp_spans_exported_total')).toBe(0);
  });

  it('shows the queue filling and what it refuses while the agent hangs; nothing else is lost', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    sink.respond(async ({ signal }) => {
      if (signal === 'traces') await held;
      return undefined;
    });
    const service = await runService({
      env: {
        OTLP__EXPORTER__ENDPOINT: sink.httpUrl,
        OTLP__BATCH__QUEUE_SIZE: '8',
        OTLP__BATCH__EXPORT_SIZE: '2',
        OTLP__BATCH__CONCURRENCY: '3',
      },
    });
    // 30 spans: 3 requests of at most 2 under way, 8 waiting, the others refused.
    for (let request = 0; request < 30; request++) await fetch(service.url);
    expect(await sampleReaches(service, 'otlp_queue_size', 8)).toBe(8);
    const refused = (await service.samples()).get(DROPPED('queue_full')) ?? 0;
    expect(refused).toBeGreaterThanOrEqual(30 - 8 - 6);
    release();
    expect(await sampleReaches(service, 'otlp_spans_exported_total', 30 - refused)).toBe(30 - refused);
    expect((await service.samples()).get('otlp_queue_size')).toBe(0);
    expect(sink.spans()).toHaveLength(30 - refused);
  });
});
