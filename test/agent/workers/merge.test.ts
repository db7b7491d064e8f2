import { describe, expect, it } from 'vitest';
import { booksOf, imbalances } from '../../../agent/telemetry/books.ts';
import { Counters, ExporterCounters } from '../../../agent/telemetry/counters.ts';
import { metricDefinitions, printMetrics } from '../../../agent/telemetry/metrics.ts';
import { mergeBooks, mergeMetrics } from '../../../agent/workers/merge.ts';
import type { MetricSamples } from '../../../agent/workers/protocol.ts';

/** What a worker with these counters would send. */
function countersOf(received: number, sent: number): Counters {
  const counters = new Counters();
  const receiver = counters.receiver('otlp', 'grpc', 'traces');
  receiver.received = received;
  receiver.accepted = received;
  receiver.requests.set('ok', received);
  const exporter = new ExporterCounters('otlp_grpc', 'traces', { server_address: 'a' }, true);
  Object.assign(exporter, { offered: received, sent, queued: received - sent, queueSize: 1, queueCapacity: 500 });
  counters.exporters.push(exporter);
  return counters;
}

function samplesOf(counters: Counters): MetricSamples[] {
  return metricDefinitions(counters, () => 7, 0).map(({ samples, ...rest }) => ({ ...rest, samples: [...samples()] }));
}

const gauge = (name: string, value: number): MetricSamples => ({
  name,
  type: 'gauge',
  help: 'Help.',
  labels: [],
  upstream: true,
  samples: [{ labels: {}, value }],
});

describe('the books of several workers', () => {
  it('are sums, each item in one place', () => {
    const books = mergeBooks([countersOf(10, 10), countersOf(32, 30)].map(booksOf));
    expect(books.receivers).toEqual([expect.objectContaining({ receiver: 'otlp', received: 42, accepted: 42 })]);
    expect(books.exporters).toEqual([expect.objectContaining({ exporter: 'otlp_grpc', offered: 42, sent: 40, queued: 2 })]);
    expect(books.total).toMatchObject({ received: 42, sent: 40, queued: 2 });
    expect(imbalances(books)).toEqual([]);
  });
});

describe('the metrics of several workers', () => {
  const text = async (...workers: (readonly MetricSamples[])[]): Promise<string> =>
    await printMetrics(
      mergeMetrics(
        metricDefinitions(new Counters(), () => 0, performance.now()),
        workers,
      ),
    );

  it('are sums under the names of one', async () => {
    const printed = await text(samplesOf(countersOf(10, 10)), samplesOf(countersOf(32, 30)));
    expect(printed).toContain('otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 42\n');
    expect(printed).toContain('otelcol_exporter_sent_spans{exporter="otlp_grpc",server_address="a"} 40\n');
    expect(printed).toContain('otelcol_exporter_queue_capacity{data_type="traces",exporter="otlp_grpc"} 1000\n');
    expect(printed).toContain('otlp_agent_receiver_requests{receiver="otlp",transport="grpc",data_type="traces",code="ok"} 42\n');
    expect(printed).toContain('otlp_agent_held_bytes 14\n');
  });

  it('tell what is of the process once', async () => {
    const printed = await text(samplesOf(countersOf(1, 1)), samplesOf(countersOf(1, 1)));
    const uptime = Number(/^otelcol_process_uptime (\S+)$/m.exec(printed)?.[1]);
    expect(uptime).toBeLessThan(1);
    expect(printed).toContain('otlp_agent_config_reloads{result="success"} 0\n');
    const since = Number(/^otlp_agent_config_last_reload_success_timestamp_seconds (\S+)$/m.exec(printed)?.[1]);
    expect(Math.abs(since - Date.now() / 1000)).toBeLessThan(60);
  });

  it('count upstreams that each worker knows once, and are down where one resolver is down', async () => {
    const printed = await text(
      [gauge('otelcol_loadbalancer_num_backends', 3), gauge('otlp_agent_resolver_up', 1)],
      [gauge('otelcol_loadbalancer_num_backends', 4), gauge('otlp_agent_resolver_up', 0)],
    );
    expect(printed).toContain('otelcol_loadbalancer_num_backends 4\n');
    expect(printed).toContain('otlp_agent_resolver_up 0\n');
  });
});
