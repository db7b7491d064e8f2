/** The five metrics of /metrics. */
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { SpanLedger } from './span-ledger.ts';

/** Upper bounds in seconds. */
export const DURATION_BUCKETS_S = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

const REQUEST_LABELS = ['method', 'route', 'status'] as const;

export interface ServiceMetrics {
  /** One finished request: `route` is the pattern (`/api/orders/:id`), never the path, and `status` the code as sent. */
  observeRequest(method: string, route: string, status: number, seconds: number): void;
  /** The exposition and its Content-Type, without which Prometheus 3 refuses the scrape. */
  expose(): Promise<{ body: string; contentType: string }>;
}

export function createServiceMetrics(ledger: SpanLedger): ServiceMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered, without health checks and scrapes.',
    labelNames: REQUEST_LABELS,
    registers,
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: REQUEST_LABELS,
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  new Counter({
    name: 'otlp_spans_exported_total',
    help: 'Spans that the OTLP receiver acknowledged.',
    registers,
    collect() {
      this.reset();
      this.inc(ledger.exported);
    },
  });
  new Counter({
    name: 'otlp_spans_dropped_total',
    help: 'Spans lost: queue_full, export_failed, rejected (by the receiver), shutdown.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(ledger.dropped)) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'otlp_queue_size',
    help: 'Spans waiting for export; those in a request under way are not counted. Capacity: batch.queue_size.',
    registers,
    collect() {
      this.set(ledger.queued);
    },
  });
  return {
    observeRequest: (method, route, status, seconds) => {
      const labels = { method, route, status: String(status) };
      requests.inc(labels);
      durations.observe(labels, seconds);
    },
    expose: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}
