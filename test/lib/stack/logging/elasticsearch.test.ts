import { Size, Testing } from 'cdk8s';
import { Elasticsearch, type ElasticsearchProps } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { find, type Manifest, synth } from '../support/manifests.ts';

const HOME = '/usr/share/elasticsearch';

function print(props: ElasticsearchProps = {}): Manifest[] {
  const chart = Testing.chart();
  new Elasticsearch(chart, 'Elasticsearch', props);
  return synth(chart);
}
const settings = (objects: Manifest[]): Manifest => parse(find(objects, 'ConfigMap', 'elasticsearch-config').data['elasticsearch.yml']);
const workload = (objects: Manifest[]): Manifest => find(objects, 'StatefulSet', 'elasticsearch').spec;

describe('Elasticsearch by default', () => {
  const objects = print();
  const { replicas, template, volumeClaimTemplates } = workload(objects);
  const [container] = template.spec.containers;
  const [copy] = template.spec.initContainers;

  it('is a cluster of three that find each other before they are ready', () => {
    expect(replicas).toBe(3);
    expect(settings(objects)).toMatchObject({
      'node.name': '$' + '{POD_NAME}',
      'discovery.seed_hosts': ['elasticsearch-headless.observability.svc.cluster.local'],
      'cluster.initial_master_nodes': ['elasticsearch-0', 'elasticsearch-1', 'elasticsearch-2'],
    });
    expect(find(objects, 'Service', 'elasticsearch-headless').spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      ports: [{ name: 'tcp-transport', port: 9300 }],
    });
    expect(container.env).toContainEqual({ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } });
    expect(find(objects, 'PodDisruptionBudget', 'elasticsearch').spec.maxUnavailable).toBe(1);
  });

  it('admits its own nodes to the transport port, and nobody else', () => {
    const { ingress, egress } = find(objects, 'NetworkPolicy', 'elasticsearch').spec;
    const own = { matchLabels: expect.objectContaining({ 'app.kubernetes.io/name': 'elasticsearch' }) };
    expect(ingress).toEqual([{ from: [expect.objectContaining({ podSelector: own })], ports: [{ port: 9300, protocol: 'TCP' }] }]);
    expect(egress).toContainEqual({ to: [expect.objectContaining({ podSelector: own })], ports: [{ port: 9300, protocol: 'TCP' }] });
  });

  it('has security on, HTTP plain, and the transport under certificates of a Secret', () => {
    expect(settings(objects)).toMatchObject({
      'xpack.security.enabled': true,
      'xpack.security.http.ssl.enabled': false,
      'xpack.security.transport.ssl.enabled': true,
      'xpack.security.transport.ssl.verification_mode': 'certificate',
      'xpack.security.transport.ssl.certificate_authorities': ['transport/ca.crt'],
      'xpack.security.transport.ssl.certificate': 'transport/tls.crt',
      'xpack.security.transport.ssl.key': 'transport/tls.key',
    });
    expect(template.spec.volumes).toContainEqual({
      name: 'transport-certificates',
      secret: {
        secretName: 'elasticsearch-transport',
        defaultMode: 0o440,
        items: ['ca.crt', 'tls.crt', 'tls.key'].map((key) => ({ key, path: key })),
      },
    });
    // Elasticsearch reads certificates only below its configuration directory.
    expect(container.volumeMounts).toContainEqual({
      name: 'transport-certificates',
      mountPath: `${HOME}/config/transport`,
      readOnly: true,
    });
    expect(container.env).toContainEqual({
      name: 'ELASTIC_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'elasticsearch-users', key: 'elastic' } },
    });
  });

  it('does not map indices into memory, as a restricted pod cannot set vm.max_map_count', () => {
    expect(settings(objects)['node.store.allow_mmap']).toBe(false);
    expect(JSON.stringify(objects)).not.toContain('sysctl');
  });

  it('writes its keystore into a copy of the configuration, below a root that is read-only', () => {
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    expect(copy).toMatchObject({
      name: 'copy-config',
      image: container.image,
      command: ['sh', '-c', `cp -r ${HOME}/config/. /config/ && cp /etc/elasticsearch-printed/elasticsearch.yml /config/elasticsearch.yml`],
      volumeMounts: [
        { name: 'config-writable', mountPath: '/config' },
        { name: 'config', mountPath: '/etc/elasticsearch-printed', readOnly: true },
      ],
    });
    expect(container.volumeMounts).toContainEqual({ name: 'config-writable', mountPath: `${HOME}/config` });
    for (const path of ['data', 'logs']) {
      expect(container.volumeMounts.some(({ mountPath }: Manifest) => mountPath === `${HOME}/${path}`)).toBe(true);
    }
  });

  it('keeps 100Gi for each node and gets two minutes to close its shards', () => {
    expect(volumeClaimTemplates).toEqual([
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100Gi' } } } },
    ]);
    expect(template.spec.terminationGracePeriodSeconds).toBe(120);
    expect(container.resources).toEqual({ requests: { cpu: '500m', memory: '2Gi' }, limits: { cpu: '2', memory: '4Gi' } });
  });
});

describe('the props of Elasticsearch', () => {
  it('make one node of it, which looks for no other', () => {
    const objects = print({ replicas: 1, ephemeral: true, storage: Size.gibibytes(5) });
    expect(settings(objects)).toMatchObject({ 'discovery.type': 'single-node' });
    expect(settings(objects)).not.toHaveProperty(['discovery.seed_hosts']);
    expect(settings(objects)).not.toHaveProperty(['cluster.initial_master_nodes']);
    expect(workload(objects)).not.toHaveProperty('volumeClaimTemplates');
    expect(workload(objects).template.spec.volumes).toContainEqual({ name: 'data', emptyDir: { sizeLimit: '5Gi' } });
    expect(objects.some(({ kind }) => kind === 'PodDisruptionBudget')).toBe(false);
  });

  it('are merged over the printed file, and roll the pods', () => {
    const objects = print({ configOverrides: { 'indices.memory.index_buffer_size': '20%', 'node.store.allow_mmap': true } });
    expect(settings(objects)).toMatchObject({ 'indices.memory.index_buffer_size': '20%', 'node.store.allow_mmap': true });
    const checksum = (all: Manifest[]): string => workload(all).template.metadata.annotations['checksum/config'];
    expect(checksum(objects)).not.toBe(checksum(print()));
  });

  it('name other Secrets, another class of storage and another port everywhere', () => {
    const objects = print({
      usersSecretName: 'users',
      transportSecretName: 'certificates',
      storageClassName: 'fast',
      ports: { http: 9201, 'tcp-transport': 9301 },
    });
    const text = JSON.stringify(objects);
    expect(text).not.toContain('elasticsearch-users');
    expect(text).not.toContain('elasticsearch-transport');
    expect(workload(objects).volumeClaimTemplates[0].spec.storageClassName).toBe('fast');
    expect(settings(objects)).toMatchObject({ 'http.port': 9201, 'transport.port': 9301 });
    expect(text).not.toMatch(/9200|9300/);
  });

  it.each([2, 4])('fails on %i nodes, as an even number is no better than one less', (replicas) => {
    expect(() => print({ replicas })).toThrow(new RegExp(`/Elasticsearch: 'replicas' \\(${replicas}\\) must be odd`));
  });
});
