import { Chart, Testing } from 'cdk8s';
import * as c from '../../../../../lib/stack/collector/index.ts';
import { ExternalEndpoint } from '../../../../../lib/stack/model/endpoint.ts';
import { Protocol } from '../../../../../lib/stack/model/protocol.ts';

const DOMAIN = 'observability.svc.cluster.local';

/** The backends of the reference stack as addresses alone. */
export const BACKENDS = {
  jaeger: new ExternalEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, host: `jaeger.${DOMAIN}`, port: 4317 }),
  prometheus: new ExternalEndpoint({ name: 'http', protocol: Protocol.HTTP, host: `prometheus.${DOMAIN}`, port: 9090 }),
  elasticsearch: new ExternalEndpoint({ name: 'http', protocol: Protocol.HTTP, host: `elasticsearch.${DOMAIN}`, port: 9200 }),
};

/** Traces to Jaeger, metrics to Prometheus, logs to Elasticsearch. */
export function referenceProps(): c.CollectorGatewayProps {
  return {
    traces: [c.Destination.otlpGrpc('jaeger', BACKENDS.jaeger)],
    metrics: [c.Destination.prometheus(BACKENDS.prometheus)],
    logs: [
      c.Destination.elasticsearch(BACKENDS.elasticsearch, {
        user: 'collector',
        passwordSecretName: 'elasticsearch-users',
        logsIndex: 'otlp-rust',
      }),
    ],
  };
}

export interface GatewayUnderTest {
  readonly chart: Chart;
  readonly gateway: c.CollectorGateway;
}

/** A gateway in a chart of its own. */
export function gatewayWith(props: c.CollectorGatewayProps = {}): GatewayUnderTest {
  const chart = new Chart(Testing.app(), 'test');
  const gateway = new c.CollectorGateway(chart, 'Gateway', { ...referenceProps(), ...props });
  return { chart, gateway };
}
