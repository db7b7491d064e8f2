import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, type Chart, Include, JsonPatch, Testing } from 'cdk8s';
import * as plus28 from 'cdk8s-plus-28';
import * as plus33 from 'cdk8s-plus-33';
import * as plus34 from 'cdk8s-plus-34';
import type { IConstruct } from 'constructs';
import { CollectorGateway, Destination, ExportProtocol, ExternalEndpoint, instrument, Protocol } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { validateManifest } from '../../../support/kubernetes-schemas.ts';
import { environment, find, type Manifest, synth } from '../support/manifests.ts';

const upstream = new ExternalEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, host: 'gateway.example.com', port: 4317 });
const plain = (kind: string): Manifest => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { name: 'shop', namespace: 'apps' },
  spec: {
    ...(kind === 'Job' ? {} : { selector: { matchLabels: { app: 'shop' } } }),
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        ...(kind === 'Job' ? { restartPolicy: 'Never' } : {}),
        containers: [{ name: 'shop', image: 'shop:1', env: [{ name: 'OTEL_SERVICE_NAME', value: 'its-own' }] }],
      },
    },
  },
});

const makers: Record<string, (chart: Chart) => IConstruct> = {};
for (const [name, plus] of Object.entries({ plus28, plus33, plus34 }) as [string, typeof plus28][]) {
  const containers = [{ name: 'shop', image: 'shop:1', envVariables: { OTEL_SERVICE_NAME: plus.EnvValue.fromValue('its-own') } }];
  const options = { metadata: { name: 'shop', namespace: 'apps' }, containers };
  makers[`${name} Deployment`] = (chart) => new plus.Deployment(chart, 'Shop', options);
  makers[`${name} StatefulSet`] = (chart) =>
    new plus.StatefulSet(chart, 'Shop', { ...options, service: new plus.Service(chart, 'Service', { ports: [{ port: 80 }] }) });
  makers[`${name} DaemonSet`] = (chart) => new plus.DaemonSet(chart, 'Shop', options);
  makers[`${name} Job`] = (chart) => new plus.Job(chart, 'Shop', options);
}
for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'Job']) {
  makers[`a plain ${kind}`] = (chart) => new ApiObject(chart, 'Shop', plain(kind));
}
makers['an L1 Deployment'] = (chart) => new plus28.k8s.KubeDeployment(chart, 'Shop', plain('Deployment'));
makers['an included file'] = (chart) => {
  const url = join(tmpdir(), `otlp-stack-include-${process.pid}.yaml`);
  writeFileSync(url, stringify(plain('Deployment')));
  return new Include(chart, 'Shop', { url });
};

const workloadOf = (objects: Manifest[]): Manifest =>
  objects.find((object) => ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(object.kind));

describe.each(Object.entries(makers))('instrument(%s)', (_, make) => {
  it('adds the native sidecar, its configuration and the OTLP environment', () => {
    const chart = Testing.chart();
    instrument(make(chart), { upstream });
    const objects = synth(chart);
    const workload = workloadOf(objects);
    const { spec } = workload.spec.template;
    const [agent] = spec.initContainers;
    expect(agent).toMatchObject({ name: 'otlp-agent', restartPolicy: 'Always', startupProbe: expect.anything() });
    expect(spec.volumes).toContainEqual({ name: 'otlp-agent-config', configMap: { name: 'shop-agent' } });
    expect(find(objects, 'ConfigMap', 'shop-agent').metadata.namespace).toBe('apps');
    expect(find(objects, 'ConfigMap', 'shop-agent').data['agent.yaml']).toContain('endpoint: gateway.example.com:4317');
    expect(environment(spec.containers[0])).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_SERVICE_NAME: 'its-own',
    });
    expect(validateManifest(workload)).toEqual([]);
  });

  it('is done once, however often it is asked for', () => {
    const [once, twice] = [Testing.chart(), Testing.chart()];
    instrument(make(once), { upstream });
    const workload = make(twice);
    expect(instrument(workload, { upstream })).toEqual(instrument(workload, { upstream }));
    expect(synth(twice)).toEqual(synth(once));
  });
});

describe('instrument()', () => {
  it('covers containers and init containers that are added after the call', () => {
    const chart = Testing.chart();
    const deployment = new plus34.Deployment(chart, 'Shop', {
      metadata: { name: 'shop' },
      containers: [{ name: 'shop', image: 'shop:1' }],
    });
    instrument(deployment, { upstream });
    deployment.addContainer({ name: 'late', image: 'late:1' });
    deployment.addInitContainer({ name: 'migrate', image: 'migrate:1' });
    const { spec } = workloadOf(synth(chart)).spec.template;
    expect(spec.initContainers.map((one: Manifest) => one.name)).toEqual(['otlp-agent', 'migrate']);
    for (const container of [...spec.containers, spec.initContainers[1]]) {
      expect(environment(container).OTEL_EXPORTER_OTLP_ENDPOINT).toBe('http://localhost:4318');
    }
  });

  it('leaves the door of JSON patches open', () => {
    const chart = Testing.chart();
    const object = new ApiObject(chart, 'Shop', plain('Deployment'));
    instrument(object, { upstream });
    object.addJsonPatch(JsonPatch.add('/spec/template/spec/containers/-', { name: 'patched', image: 'patched:1' }));
    const { spec } = workloadOf(synth(chart)).spec.template;
    expect(environment(spec.containers[1]).OTEL_EXPORTER_OTLP_ENDPOINT).toBe('http://localhost:4318');
  });

  it('runs as an ordinary container where asked, with time to end', () => {
    const chart = Testing.chart();
    instrument(new ApiObject(chart, 'Shop', plain('Deployment')), { upstream, native: false });
    const { spec } = workloadOf(synth(chart)).spec.template;
    expect(spec.initContainers).toBeUndefined();
    expect(spec.containers[1]).toMatchObject({ name: 'otlp-agent' });
    expect(spec.containers[1]).not.toHaveProperty('restartPolicy');
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
  });

  it('speaks gRPC where asked', () => {
    const chart = Testing.chart();
    instrument(new ApiObject(chart, 'Shop', plain('Deployment')), { upstream, exportProtocol: ExportProtocol.GRPC });
    expect(environment(workloadOf(synth(chart)).spec.template.spec.containers[0])).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4317',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    });
  });

  it('admits the pods of a foreign workload to the gateway by their own labels', () => {
    const chart = Testing.chart();
    const gateway = new CollectorGateway(chart, 'Gateway', {
      traces: [
        Destination.otlpGrpc('backend', new ExternalEndpoint({ name: 'b', protocol: Protocol.OTLP_GRPC, host: '192.0.2.1', port: 4317 })),
      ],
    });
    instrument(new ApiObject(chart, 'Shop', plain('Deployment')), { upstream: gateway.otlpGrpc });
    expect(find(synth(chart), 'NetworkPolicy', 'otel-collector').spec.ingress).toContainEqual({
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'apps' } },
          podSelector: { matchLabels: { app: 'shop' } },
        },
      ],
      ports: [{ port: 4317, protocol: 'TCP' }],
    });
  });

  it('fails on a construct without pods and names it', () => {
    const chart = Testing.chart();
    const config = new plus28.ConfigMap(chart, 'Config');
    expect(() => instrument(config, { upstream })).toThrow(/Config: found no Deployment, .* in this ConfigMap/);
  });

  it('fails on a Job with an ordinary sidecar, which would never end', () => {
    const chart = Testing.chart();
    expect(() => instrument(new ApiObject(chart, 'Shop', plain('Job')), { upstream, native: false })).toThrow(/keep the Job from ending/);
  });
});
