import { realComponent } from '../../../../test/real/support/components.ts';
import { type MetricFamily, scrapeSettled } from '../../../../test/real/support/exposition.ts';
import { JaegerQuery, startJaeger } from '../../../../test/real/support/jaeger.ts';
import { startOpenSearch } from '../../../../test/real/support/opensearch.ts';
import { freePorts } from '../../../../test/real/support/ports.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts, type Seen } from './facts.mts';
import { metricsReader, send } from './load.mts';
import { listComponents } from './otelcol.mts';

/** Jaeger with memory storage, and with OpenSearch (which stands in for Elasticsearch) where it is built. */
export async function harvestJaeger(): Promise<PartialFacts> {
  const version = '2.13.0';
  const memory: Seen = { endpoint: 'self', families: await run({ memory: { max_traces: 10_000 } }) };
  const seen = [memory];
  if (realComponent('opensearch').missing === undefined) {
    await using search = await startOpenSearch();
    const families = await run({ opensearch: { server_urls: [search.url], indices: { index_prefix: 'test' } } });
    seen.push({ endpoint: 'self', families, when: 'storage in Elasticsearch or OpenSearch' });
    await search.stop();
  }
  return {
    program: 'jaeger',
    version,
    title: 'Jaeger',
    run: true,
    completeDistributions: ['jaeger'],
    components: (await listComponents('jaeger', version)).map((component) => ({ ...component, distributions: ['jaeger'] })),
    metrics: metricFacts(version, seen),
  };
}

async function run(backend: object): Promise<MetricFamily[]> {
  const port = await freePorts('grpc', 'http', 'query', 'queryGrpc', 'self', 'health');
  const local = (number: number): string => `127.0.0.1:${number}`;
  await using jaeger = await startJaeger({
    config: {
      service: {
        extensions: ['jaeger_storage', 'jaeger_query', 'healthcheckv2'],
        telemetry: metricsReader(port.self),
        pipelines: { traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['jaeger_storage_exporter'] } },
      },
      extensions: {
        healthcheckv2: { use_v2: true, http: { endpoint: local(port.health) } },
        jaeger_storage: { backends: { store: backend } },
        jaeger_query: { storage: { traces: 'store' }, http: { endpoint: local(port.query) }, grpc: { endpoint: local(port.queryGrpc) } },
      },
      receivers: { otlp: { protocols: { grpc: { endpoint: local(port.grpc) }, http: { endpoint: local(port.http) } } } },
      processors: { batch: {} },
      exporters: { jaeger_storage_exporter: { trace_storage: 'store' } },
    },
  });
  await send('traces', port.grpc);
  await send('traces', port.http, { http: true });
  const query = new JaegerQuery(`http://${local(port.query)}`);
  await query.waitForSpans('checkout', 80);
  const [trace] = await query.traces('checkout');
  await query.trace(trace?.traceID ?? '');
  const families = await scrapeSettled(`http://${local(port.self)}/metrics`, [
    'otelcol_exporter_sent_spans_total',
    'jaeger_storage_requests_total',
  ]);
  await jaeger.stop();
  return families;
}
