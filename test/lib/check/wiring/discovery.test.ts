import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../../../lib/check/index';
import { discovered } from '../../../../lib/check/wiring/discovery';

const labels = { 'app.kubernetes.io/name': 'web' };
const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100' };
const objects = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      template: {
        metadata: { labels, annotations },
        spec: {
          initContainers: [
            { name: 'migrate', image: 'm:1' },
            { name: 'agent', image: 'a:1', restartPolicy: 'Always', ports: [{ name: 'metrics', containerPort: 8888 }] },
          ],
          containers: [
            {
              name: 'web',
              image: 'w:1',
              ports: [
                { name: 'http', containerPort: 8080 },
                { name: 'extra', containerPort: 9100 },
              ],
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', labels: { tier: 'front' } },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  },
];

/** What a scrape job finds in the shop, as `port`, `node port` or `address`. */
function found(job: object, receiver = false): string[] {
  const scrape = { scrape_configs: [{ job_name: 'j', ...job }] };
  const config = receiver ? { receivers: { 'prometheus/x': { config: scrape } }, service: { pipelines: {} } } : scrape;
  const carrier = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'watch' },
    data: { 'c.yaml': JSON.stringify(config) },
  };
  const text = [...objects, carrier].map((object) => JSON.stringify(object)).join('\n---\n');
  return discovered(snapshotOf([{ file: 'a.yaml', text }])).map(({ pod, nodePort, address }) =>
    pod ? `${pod.workload.name}:${pod.port}` : nodePort ? `node:${nodePort}` : (address?.text ?? ''),
  );
}

const sd = (role: string, more: object = {}) => ({ kubernetes_sd_configs: [{ role, ...more }] });
const keep = (label: string, regex: string) => ({ source_labels: [label], regex, action: 'keep' });

describe('discovered', () => {
  it('pods: every container port, those of native sidecars included; a container without one has no port to scrape but the default', () => {
    expect(found(sd('pod'))).toEqual(['web:80', 'web:8888', 'web:8080', 'web:9100']);
    expect(found({ ...sd('pod'), relabel_configs: [keep('__meta_kubernetes_pod_container_port_name', 'metrics')] })).toEqual(['web:8888']);
    expect(
      found({
        ...sd('pod'),
        relabel_configs: [
          keep('__meta_kubernetes_pod_container_init', 'false'),
          keep('__meta_kubernetes_pod_labelpresent_app_kubernetes_io_name', 'true'),
        ],
      }),
    ).toEqual(['web:8080', 'web:9100']);
  });

  it('pods: the port of the annotation, by the usual relabelling', () => {
    const rules = [
      keep('__meta_kubernetes_pod_annotation_prometheus_io_scrape', 'true'),
      keep('__meta_kubernetes_pod_container_name', 'web'),
      {
        source_labels: ['__address__', '__meta_kubernetes_pod_annotation_prometheus_io_port'],
        regex: '([^:]+)(?::\\d+)?;(\\d+)',
        replacement: '$1:$2',
        target_label: '__address__',
      },
    ];
    expect(found({ ...sd('pod'), relabel_configs: rules })).toEqual(['web:9100', 'web:9100']);
    const escaped = JSON.parse(JSON.stringify(rules).replaceAll('$', '$$$$'));
    expect(found({ ...sd('pod'), relabel_configs: escaped }, true)).toEqual(['web:9100', 'web:9100']);
  });

  it.each(['endpoints', 'endpointslice'])('%s: the ports of the Service, and the others of its pods', (role) => {
    expect(found(sd(role))).toEqual(['web:8080', 'web:8888', 'web:9100']);
    const named = role === 'endpoints' ? '__meta_kubernetes_endpoint_port_name' : '__meta_kubernetes_endpointslice_port_name';
    expect(found({ ...sd(role), relabel_configs: [keep(named, 'http'), keep('__meta_kubernetes_service_label_tier', 'front')] })).toEqual([
      'web:8080',
    ]);
  });

  it('services by their names, nodes by the port of the kubelet', () => {
    expect(found(sd('service'))).toEqual(['http://web.shop.svc:80']);
    expect(found({ ...sd('node'), scheme: 'https' })).toEqual(['node:10250']);
    const proxy = [{ target_label: '__address__', replacement: 'kubernetes.default.svc:443' }];
    expect(found({ ...sd('node'), scheme: 'https', relabel_configs: proxy })).toEqual(['https://kubernetes.default.svc:443']);
  });

  it('looks only into the namespaces and at the labels that the job names', () => {
    expect(found(sd('endpoints', { namespaces: { names: ['bank'] } }))).toEqual([]);
    expect(found(sd('endpoints', { namespaces: { own_namespace: true } }))).toEqual([]);
    expect(found(sd('service', { selectors: [{ role: 'service', label: 'tier=front' }] }))).toHaveLength(1);
    expect(found(sd('service', { selectors: [{ role: 'service', label: 'tier!=front' }] }))).toEqual([]);
  });
});
