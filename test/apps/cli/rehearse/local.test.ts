import { snapshotOf } from 'otlp-stack-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { containerEnvironment, withKnownNodeOptions } from '../../../../apps/cli/rehearse/environment.ts';
import { healthUrl, metricsUrl, receiverAddress } from '../../../../apps/cli/rehearse/listening.ts';
import { type Change, LocalAddresses, localCollectorConfig } from '../../../../apps/cli/rehearse/local.ts';
import { gatewayForTraces, jaegerInMemory } from '../../../../apps/cli/rehearse/real-config.ts';
import { mapping } from '../../../../apps/cli/rehearse/values.ts';

const AGENT = {
  receivers: { otlp: { protocols: { grpc: { endpoint: 'localhost:4317', max_recv_msg_size_mib: 64 }, http: null } } },
  processors: { memory_limiter: { limit_mib: 512 } },
  exporters: { otlp_grpc: { endpoint: 'gateway.shop.svc:4317', timeout: '8s' }, debug: {} },
  extensions: { health_check: { endpoint: '${env:MY_POD_IP}:13133' } },
  service: {
    pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } },
    telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '${env:MY_POD_IP}', port: 8888 } } } }] } },
  },
};
const POD = { MY_POD_IP: '127.0.0.1' };

describe('local addresses', () => {
  it('change ports and the upstream, name every change and leave the rest as it is', async () => {
    const addresses = await LocalAddresses.reserve(6);
    addresses.redirect('gateway.shop.svc:4317', '127.0.0.1:5000');
    const changes: Change[] = [];
    const config = localCollectorConfig(AGENT, 'agent', 'agent.yaml', addresses, changes);
    const port = (printed: number): number => addresses.portOf('agent', printed);
    expect(config).toEqual({
      ...AGENT,
      receivers: {
        otlp: {
          protocols: {
            grpc: { endpoint: `localhost:${port(4317)}`, max_recv_msg_size_mib: 64 },
            // The Collector's default, spelled out.
            http: { endpoint: `localhost:${port(4318)}` },
          },
        },
      },
      exporters: { otlp_grpc: { endpoint: '127.0.0.1:5000', timeout: '8s' }, debug: {} },
      extensions: { health_check: { endpoint: `\${env:MY_POD_IP}:${port(13133)}` } },
      service: {
        ...AGENT.service,
        telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '${env:MY_POD_IP}', port: port(8888) } } } }] } },
      },
    });
    expect(changes.map(({ key }) => key).sort()).toEqual([
      'exporters.otlp_grpc.endpoint',
      'extensions.health_check.endpoint',
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'service.telemetry.metrics.readers[].port',
    ]);
    expect(healthUrl(config, POD)).toBe(`http://127.0.0.1:${port(13133)}/`);
    expect(metricsUrl(config, POD)).toBe(`http://127.0.0.1:${port(8888)}/metrics`);
    expect(receiverAddress(config, 'http', POD)).toBe(`localhost:${port(4318)}`);
  });

  it('are different ports, and the same one for the same printed address', async () => {
    const addresses = await LocalAddresses.reserve(3);
    const ports = [addresses.portOf('a', 4317), addresses.portOf('b', 4317), addresses.portOf('a', 4318)];
    expect(new Set(ports).size).toBe(3);
    expect(addresses.portOf('a', 4317)).toBe(ports[0]);
    expect(() => addresses.portOf('c', 1)).toThrow('no free port is left for c:1');
  });

  it('replace whole addresses only', async () => {
    const addresses = await LocalAddresses.reserve(0);
    addresses.redirect('localhost:4318', 'localhost:5000');
    expect(addresses.redirected('http://localhost:4318/v1/traces, mylocalhost:4318, localhost:43180')).toBe(
      'http://localhost:5000/v1/traces, mylocalhost:4318, localhost:43180',
    );
  });
});

describe('the environment of a container', () => {
  it('is what the kubelet would set', () => {
    const env = [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'TEAM', valueFrom: { fieldRef: { fieldPath: "metadata.labels['team']" } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'ATTRIBUTES', value: 'pod=$(POD),team=$(TEAM),cost=$$(X),later=$(LATER)' },
      { name: 'LATER', value: 'x' },
      { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'users', key: 'me' } } },
      { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
      { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ];
    const pod = {
      metadata: { labels: { team: 'checkout' } },
      spec: { containers: [{ name: 'shop', image: 'shop:1', env, resources: { limits: { memory: '64Mi', cpu: '1500m' } } }] },
    };
    const objects = [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace: 'web' }, spec: { template: pod } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'web' }, data: { level: 'debug' } },
    ];
    const snapshot = snapshotOf([{ file: 'all.yaml', text: objects.map((object) => stringify(object)).join('---\n') }]);
    const [workload] = snapshot.workloads;
    const [container] = workload?.containers ?? [];
    if (!workload || !container) throw new Error('the Deployment was not read');
    expect(containerEnvironment(snapshot, workload, container, (text) => text, [])).toEqual({
      POD: 'shop-rehearsal',
      TEAM: 'checkout',
      IP: '127.0.0.1',
      ATTRIBUTES: 'pod=shop-rehearsal,team=checkout,cost=$(X),later=$(LATER)',
      LATER: 'x',
      LEVEL: 'debug',
      PASSWORD: 'rehearsal',
      MEMORY: '67108864',
      CPUS: '2',
    });
  });
});

describe('NODE_OPTIONS', () => {
  it('lose what this Node does not know, and the output says so', () => {
    const changes: Change[] = [];
    const environment = { NODE_OPTIONS: '--max-old-space-size=64 --option-of-the-future=1', A: 'b' };
    expect(withKnownNodeOptions(environment, 'agent variables', changes)).toEqual({ NODE_OPTIONS: '--max-old-space-size=64', A: 'b' });
    expect(changes).toEqual([
      { where: 'agent variables', key: 'NODE_OPTIONS', from: environment.NODE_OPTIONS, to: '--max-old-space-size=64' },
    ]);
  });

  it('stay as they are where all are known', () => {
    const changes: Change[] = [];
    expect(withKnownNodeOptions({ NODE_OPTIONS: '--max-old-space-size=64' }, 'x', changes)).toEqual({
      NODE_OPTIONS: '--max-old-space-size=64',
    });
    expect(withKnownNodeOptions({ A: 'b' }, 'x', changes)).toEqual({ A: 'b' });
    expect(changes).toEqual([]);
  });
});

describe('the gateway for a rehearsal with real programs', () => {
  const printed = {
    receivers: { otlp: {} },
    processors: { memory_limiter: {}, k8s_attributes: {} },
    connectors: { span_metrics: {} },
    exporters: { 'otlp_grpc/jaeger': {}, elasticsearch: {}, 'otlp_http/prometheus': {}, prometheus: {}, 'otlp_grpc/elsewhere': {} },
    service: {
      pipelines: {
        traces: {
          receivers: ['otlp'],
          processors: ['memory_limiter', 'k8s_attributes'],
          exporters: ['otlp_grpc/jaeger', 'span_metrics', 'otlp_grpc/elsewhere'],
        },
        logs: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['elasticsearch'] },
        metrics: { receivers: ['otlp'], exporters: ['otlp_http/prometheus'] },
        'metrics/span-metrics': { receivers: ['span_metrics'], exporters: ['prometheus'] },
      },
    },
  };

  it('keeps the traces pipeline and span metrics, and names what it leaves out', () => {
    const { config, leftOut } = gatewayForTraces(printed, 'otlp_grpc/jaeger');
    expect(mapping(mapping(config.service).pipelines)).toEqual({
      traces: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_grpc/jaeger', 'span_metrics'] },
      'metrics/span-metrics': { receivers: ['span_metrics'], processors: [], exporters: ['prometheus'] },
    });
    expect(Object.keys(mapping(config.exporters))).toEqual(['otlp_grpc/jaeger', 'prometheus']);
    expect(Object.keys(mapping(config.processors))).toEqual(['memory_limiter']);
    expect(leftOut.map((line) => line.split(':')[0])).toEqual([
      'exporter otlp_grpc/elsewhere of pipeline traces',
      'pipeline logs',
      'pipeline metrics',
      'processor k8s_attributes',
    ]);
  });

  it('gives Jaeger memory storage where another one is printed, and only there', () => {
    const memory = { memory: { max_traces: 50_000 } };
    const storage = (backend: object): object => ({ extensions: { jaeger_storage: { backends: { main: backend } } } });
    expect(jaegerInMemory(mapping(storage({ elasticsearch: { server_urls: [] } })), () => memory)).toEqual({
      config: storage(memory),
      leftOut: ["Jaeger's elasticsearch storage (backend main): memory instead, as the development profile prints it"],
    });
    const asked = (): never => {
      throw new Error('nothing has to be printed for this');
    };
    expect(jaegerInMemory(mapping(storage({ memory: { max_traces: 7 } })), asked)).toEqual({
      config: storage({ memory: { max_traces: 7 } }),
      leftOut: [],
    });
  });
});
