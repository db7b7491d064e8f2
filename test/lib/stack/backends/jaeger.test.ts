import { Testing } from 'cdk8s';
import { ExternalEndpoint, Image, Images, Jaeger, type JaegerProps, JaegerStorage, Protocol } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { find, type Manifest, synth } from '../support/manifests.ts';

const STORE = new ExternalEndpoint({
  name: 'http',
  protocol: Protocol.HTTPS,
  host: 'search.example.com',
  port: 9243,
  cidr: '192.0.2.0/24',
});

function print(props: JaegerProps = {}): Manifest[] {
  const chart = Testing.chart();
  new Jaeger(chart, 'Jaeger', props);
  return synth(chart);
}
const config = (objects: Manifest[]): Manifest => parse(find(objects, 'ConfigMap', 'jaeger-config').data['config.yaml']);
const pod = (objects: Manifest[]): Manifest => find(objects, 'Deployment', 'jaeger').spec.template.spec;

describe('Jaeger on Elasticsearch', () => {
  const objects = print({ storage: JaegerStorage.elasticsearch({ endpoint: STORE }) });
  const { jaeger_storage, jaeger_query } = config(objects).extensions;

  it('keeps traces in daily indices, as the user whose password is in a mounted file', () => {
    const indices = { shards: 3, replicas: 1, date_layout: '2006-01-02', rollover_frequency: 'day' };
    expect(jaeger_storage.backends.main).toEqual({
      elasticsearch: {
        server_urls: ['https://search.example.com:9243'],
        auth: { basic: { username: 'jaeger', password_file: '/etc/jaeger-elasticsearch/jaeger' } },
        indices: { index_prefix: 'jaeger', spans: indices, services: indices, dependencies: indices, sampling: indices },
      },
    });
    expect(pod(objects).volumes).toContainEqual({
      name: 'elasticsearch-password',
      secret: { secretName: 'elasticsearch-users', defaultMode: 0o440, items: [{ key: 'jaeger', path: 'jaeger' }] },
    });
    expect(pod(objects).containers[0].volumeMounts).toContainEqual({
      name: 'elasticsearch-password',
      mountPath: '/etc/jaeger-elasticsearch',
      readOnly: true,
    });
  });

  it('prints the layout of the date as text, which Go would read as a date', () => {
    expect(find(objects, 'ConfigMap', 'jaeger-config').data['config.yaml']).toContain('date_layout: "2006-01-02"');
  });

  it('is three replicas, spread and kept up', () => {
    expect(find(objects, 'Deployment', 'jaeger').spec.replicas).toBe(3);
    expect(pod(objects).topologySpreadConstraints[0].topologyKey).toBe('topology.kubernetes.io/zone');
    expect(find(objects, 'PodDisruptionBudget', 'jaeger').spec.maxUnavailable).toBe(1);
  });

  it('may reach the store, by its addresses', () => {
    expect(find(objects, 'NetworkPolicy', 'jaeger').spec.egress).toContainEqual({
      to: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
      ports: [{ port: 9243, protocol: 'TCP' }],
    });
  });

  it('answers queries from what the pipeline writes, and sends no traces of its own', () => {
    expect(config(objects).exporters).toEqual({ jaeger_storage_exporter: { trace_storage: 'main' } });
    expect(jaeger_query).toMatchObject({ storage: { traces: 'main' }, enable_tracing: false });
    expect(config(objects).service.extensions).toEqual(['jaeger_storage', 'jaeger_query', 'healthcheckv2']);
  });

  it('acknowledges nothing before the storage was asked', () => {
    expect(config(objects).service.pipelines).toEqual({ traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } });
  });

  it('takes another user, Secret, prefix and layout', () => {
    const other = print({
      storage: JaegerStorage.elasticsearch({
        endpoint: STORE,
        user: 'tracer',
        usersSecretName: 'users',
        indexPrefix: 'prod',
        shards: 1,
        replicas: 0,
      }),
    });
    const { auth, indices } = config(other).extensions.jaeger_storage.backends.main.elasticsearch;
    expect(auth.basic).toEqual({ username: 'tracer', password_file: '/etc/jaeger-elasticsearch/tracer' });
    expect(indices).toMatchObject({ index_prefix: 'prod', spans: { shards: 1, replicas: 0 }, services: { shards: 1, replicas: 0 } });
    expect(JSON.stringify(pod(other).volumes)).toContain('"secretName":"users"');
  });
});

describe('Jaeger in memory', () => {
  const objects = print();

  it('is one replica with the oldest traces thrown away, and no Secret', () => {
    expect(config(objects).extensions.jaeger_storage.backends.main).toEqual({ memory: { max_traces: 50_000 } });
    expect(find(objects, 'Deployment', 'jaeger').spec.replicas).toBe(1);
    expect(JSON.stringify(objects)).not.toContain('secretName');
    expect(objects.some(({ kind }) => kind === 'PodDisruptionBudget')).toBe(false);
    expect(find(objects, 'NetworkPolicy', 'jaeger').spec.egress).toEqual([]);
  });

  it('fails with more replicas, as each would answer for its own traces', () => {
    expect(() => print({ replicas: 3 })).toThrow(
      /\/Jaeger: 'replicas' is 3, but memory storage is not shared.*JaegerStorage\.elasticsearch/,
    );
  });

  it('takes overrides of its configuration, which roll the pod', () => {
    const other = print({ configOverrides: { extensions: { jaeger_query: { max_clock_skew_adjust: '30s' } } } });
    expect(config(other).extensions.jaeger_query).toMatchObject({ max_clock_skew_adjust: '30s', storage: { traces: 'main' } });
    const checksum = (all: Manifest[]): string => find(all, 'Deployment', 'jaeger').spec.template.metadata.annotations['checksum/config'];
    expect(checksum(other)).not.toBe(checksum(objects));
  });
});

describe('the version of Jaeger', () => {
  it.each([
    ['pinned', Images.pinned().jaeger],
    ['latest', Images.latest().jaeger],
  ])('%s decides how its Collector spells', (_, image) => {
    const { receivers, service } = config(print({ image }));
    expect(Object.keys(receivers)).toEqual(['otlp']);
    expect(service.telemetry.metrics.readers[0].pull.exporter.prometheus).toMatchObject({ port: 8888 });
  });

  it('fails when nothing is known of its Collector', () => {
    const image = Image.of('docker.io/jaegertracing/jaeger', '2.99.0');
    expect(() => print({ image })).toThrow(/no Collector version is known for Jaeger 2\.99\.0, known are 2\.13, 2\.21/);
  });
});
