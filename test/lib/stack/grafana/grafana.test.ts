import { App, Chart, Size } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Alertmanager } from '../../../../lib/stack/alertmanager/alertmanager';
import { Jaeger } from '../../../../lib/stack/backends/jaeger';
import { DataSource, DataSourcesFile } from '../../../../lib/stack/grafana/data-source';
import { Grafana } from '../../../../lib/stack/grafana/grafana';
import { Elasticsearch } from '../../../../lib/stack/logging/elasticsearch';
import { Prometheus } from '../../../../lib/stack/prometheus/prometheus';
import { validateManifest } from '../../../support/kubernetes-schemas.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON, and tests reach deep into them
type Manifest = any;

const chart = new Chart(new App(), 'test');
const store = new Elasticsearch(chart, 'Elasticsearch', { storage: Size.gibibytes(1) });
const jaeger = new Jaeger(chart, 'Jaeger');
const alertmanager = new Alertmanager(chart, 'Alertmanager');
const prometheus = new Prometheus(chart, 'Prometheus', { alertmanager });
new Grafana(chart, 'Grafana', {
  prometheus,
  jaeger: jaeger.query,
  alertmanager,
  logs: { endpoint: store.http, index: 'otlp-rust', user: 'grafana', passwordSecretName: 'elasticsearch-users' },
});
const objects = chart.toJson() as Manifest[];
const find = (kind: string, name: string): Manifest => objects.find((one) => one.kind === kind && one.metadata.name === name);
const sources = parse(find('ConfigMap', 'grafana-datasources').data['datasources.yaml']);
const source = (uid: string): Manifest => sources.datasources.find((one: Manifest) => one.uid === uid);
const container = find('Deployment', 'grafana').spec.template.spec.containers[0];

/** What Grafana makes of a string in a provisioning file. */
const asGrafanaReads = (text: string): string => text.replaceAll('$$', '$');

describe('Grafana', () => {
  it('prints objects that the API server knows', () => {
    for (const object of objects) {
      expect(validateManifest(object)).toEqual([]);
    }
  });

  it('lets nobody sign up, and has the password of its administrator from a Secret', () => {
    expect(container.env).toContainEqual({ name: 'GF_USERS_ALLOW_SIGN_UP', value: 'false' });
    expect(container.env).toContainEqual({
      name: 'GF_SECURITY_ADMIN_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'grafana-admin', key: 'admin-password' } },
    });
  });

  it('finds every backend under a uid that never changes', () => {
    expect(sources.datasources.map(({ uid, type, url }: Manifest) => [uid, type, url])).toEqual([
      ['prometheus', 'prometheus', 'http://prometheus.observability.svc.cluster.local:9090'],
      ['jaeger', 'jaeger', 'http://jaeger.observability.svc.cluster.local:16686'],
      ['elasticsearch', 'elasticsearch', 'http://elasticsearch.observability.svc.cluster.local:9200'],
      ['alertmanager', 'alertmanager', 'http://alertmanager.observability.svc.cluster.local:9093'],
    ]);
    expect(source('prometheus').jsonData).toMatchObject({ timeInterval: '15s' });
  });

  it('leads from a trace to its logs and back', () => {
    const toLogs = source('jaeger').jsonData.tracesToLogsV2;
    expect(toLogs).toMatchObject({ datasourceUid: 'elasticsearch', customQuery: true });
    expect(asGrafanaReads(toLogs.query)).toBe('trace.id:"${__trace.traceId}" OR trace_id:"${__trace.traceId}"');
    const links = source('elasticsearch').jsonData.dataLinks;
    expect(links.map(({ field, url, datasourceUid }: Manifest) => [asGrafanaReads(field), asGrafanaReads(url), datasourceUid])).toEqual([
      ['^trace\\.id$', '${__value.raw}', 'jaeger'],
      ['^trace_id$', '${__value.raw}', 'jaeger'],
    ]);
  });

  it('signs in to Elasticsearch with a password that is in no file', () => {
    expect(source('elasticsearch')).toMatchObject({
      basicAuthUser: 'grafana',
      secureJsonData: { basicAuthPassword: '$ELASTICSEARCH_PASSWORD' },
    });
    expect(container.env).toContainEqual({
      name: 'ELASTICSEARCH_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'elasticsearch-users', key: 'grafana' } },
    });
  });

  it('shows the dashboards of what is deployed', () => {
    const { data } = find('ConfigMap', 'grafana-dashboards');
    expect(Object.keys(data).sort()).toEqual(['otlp-jaeger.json', 'otlp-prometheus.json', 'otlp-service.json']);
    for (const [file, text] of Object.entries(data)) {
      expect(`${JSON.parse(text as string).uid}.json`).toBe(file);
    }
    const provider = parse(find('ConfigMap', 'grafana-provider').data['dashboards.yaml']).providers[0];
    const mount = container.volumeMounts.find(({ name }: Manifest) => name === 'dashboards');
    expect(provider.options.path).toBe(mount.mountPath);
  });

  it('may reach what it asks, and nothing else', () => {
    const egress = find('NetworkPolicy', 'grafana').spec.egress;
    const ports = egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port));
    expect(ports.sort()).toEqual([16686, 53, 53, 9090, 9093, 9200]);
  });
});

describe('a file of data sources', () => {
  it('fails on one uid for two', () => {
    const twin = DataSource.custom('x', 'X', 'loki', { url: 'http://x' });
    expect(() => new DataSourcesFile([twin, twin])).toThrow("data source uid 'x' occurs twice");
  });
});
