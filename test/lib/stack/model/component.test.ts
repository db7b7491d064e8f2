import { Duration, Size, Testing } from 'cdk8s';
import {
  Component,
  ConfigContent,
  Cpu,
  Endpoint,
  Expose,
  ExternalEndpoint,
  Image,
  Peer,
  Probe,
  Protocol,
  type Resources,
  WorkloadKind,
} from 'otlp-stack';
import { describe, expect, it } from 'vitest';

const RESOURCES: Resources = {
  cpuRequest: Cpu.millis(100),
  memoryRequest: Size.mebibytes(64),
  memoryLimit: Size.mebibytes(128),
};
const image = Image.of('example.com/program', 'v1.2.3');

function program(
  chart: ReturnType<typeof Testing.chart>,
  name: string,
  namespace = 'observability',
  kind = WorkloadKind.DEPLOYMENT,
): Component {
  const component = new Component(chart, name, { name, namespace, role: 'test', kind });
  component.addContainer({ name, image, resources: RESOURCES });
  return component;
}

// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON
const find = (objects: any[], kind: string, name: string): any => objects.find((o) => o.kind === kind && o.metadata.name === name);

describe('a component', () => {
  it('derives Service, container port and both policies from one edge', () => {
    const chart = Testing.chart();
    const client = program(chart, 'client', 'apps');
    const server = program(chart, 'server');
    const endpoint = server.addEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, port: 4317, servicePort: 80 });
    client.connectTo(endpoint, 'traces');
    const objects = Testing.synth(chart);

    expect(endpoint.address).toBe('server.observability.svc.cluster.local:80');
    expect(find(objects, 'Service', 'server').spec.ports).toEqual([
      { name: 'otlp-grpc', port: 80, targetPort: 'otlp-grpc', protocol: 'TCP', appProtocol: 'grpc' },
    ]);
    expect(find(objects, 'Deployment', 'server').spec.template.spec.containers[0].ports).toEqual([
      { name: 'otlp-grpc', containerPort: 4317, protocol: 'TCP' },
    ]);
    expect(find(objects, 'NetworkPolicy', 'server').spec.ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'apps' } },
            podSelector: { matchLabels: client.podLabels() },
          },
        ],
        ports: [{ port: 4317, protocol: 'TCP' }],
      },
    ]);
    expect(find(objects, 'NetworkPolicy', 'client').spec.egress).toEqual([
      {
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } },
            podSelector: { matchLabels: server.podLabels() },
          },
        ],
        ports: [{ port: 4317, protocol: 'TCP' }],
      },
    ]);
  });

  it('denies both directions where nothing is wired', () => {
    const chart = Testing.chart();
    program(chart, 'alone');
    const { spec } = find(Testing.synth(chart), 'NetworkPolicy', 'alone');
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.ingress ?? []).toEqual([]);
    expect(spec.egress ?? []).toEqual([]);
  });

  it('passes Pod Security restricted and never mounts a token that nothing asked for', () => {
    const chart = Testing.chart();
    program(chart, 'plain');
    const { spec } = find(Testing.synth(chart), 'Deployment', 'plain').spec.template;
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  it('prints requests and limits as given and no CPU limit of its own', () => {
    const chart = Testing.chart();
    program(chart, 'sized');
    expect(find(Testing.synth(chart), 'Deployment', 'sized').spec.template.spec.containers[0].resources).toEqual({
      requests: { cpu: '100m', memory: '64Mi' },
      limits: { memory: '128Mi' },
    });
  });

  it('rolls its pods when a configuration file changes', () => {
    const checksum = (level: string): string => {
      const chart = Testing.chart();
      const component = program(chart, 'configured');
      const path = component.addConfigFile({ directory: '/etc/program', file: 'config.yaml', content: ConfigContent.yamlOf({ level }) });
      expect(path).toBe('/etc/program/config.yaml');
      const objects = Testing.synth(chart);
      expect(find(objects, 'ConfigMap', 'configured-config').data['config.yaml']).toBe(`level: ${level}\n`);
      return find(objects, 'Deployment', 'configured').spec.template.metadata.annotations['checksum/config'];
    };
    expect(checksum('info')).not.toBe(checksum('debug'));
    expect(checksum('info')).toBe(checksum('info'));
  });

  it('opens the API server, mounts the token and binds the rules only when granted', () => {
    const chart = Testing.chart();
    const component = program(chart, 'reader');
    component.grantApi([{ resources: ['pods'], verbs: ['get', 'list', 'watch'] }]);
    const objects = Testing.synth(chart);
    expect(find(objects, 'ClusterRole', 'otlp-stack-reader').rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(find(objects, 'Deployment', 'reader').spec.template.spec.automountServiceAccountToken).toBe(true);
    expect(find(objects, 'NetworkPolicy', 'reader').spec.egress).toEqual([
      {
        to: [{ ipBlock: { cidr: '0.0.0.0/0' } }],
        ports: [
          { port: 443, protocol: 'TCP' },
          { port: 6443, protocol: 'TCP' },
        ],
      },
    ]);
  });

  it('gives a native sidecar its ports and starts it before the program', () => {
    const chart = Testing.chart();
    const component = program(chart, 'app');
    const sidecar = component.addNativeSidecar({ name: 'agent', image, resources: RESOURCES });
    const endpoint = component.addEndpoint({ name: 'http-health', protocol: Protocol.HTTP, port: 13133, expose: Expose.POD }, sidecar);
    expect(endpoint).toBeInstanceOf(Endpoint);
    const { spec } = find(Testing.synth(chart), 'Deployment', 'app').spec.template;
    expect(spec.initContainers).toMatchObject([
      { name: 'agent', restartPolicy: 'Always', ports: [{ name: 'http-health', containerPort: 13133 }] },
    ]);
  });

  it('renders volume claims of a StatefulSet and its headless Service', () => {
    const chart = Testing.chart();
    const store = program(chart, 'store', 'observability', WorkloadKind.STATEFUL_SET);
    store.addEndpoint({ name: 'http-api', protocol: Protocol.HTTP, port: 9200, expose: Expose.BOTH });
    store.addPersistentVolume({ name: 'data', size: Size.gibibytes(10), path: '/data' }, store.containers[0] as never);
    const objects = Testing.synth(chart);
    const { spec } = find(objects, 'StatefulSet', 'store');
    expect(spec.serviceName).toBe('store-headless');
    expect(spec.volumeClaimTemplates[0].spec.resources.requests.storage).toBe('10Gi');
    expect(spec.template.spec.containers[0].volumeMounts).toEqual([{ name: 'data', mountPath: '/data' }]);
    expect(find(objects, 'Service', 'store-headless').spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });

  it('prints a probe on the named port', () => {
    const chart = Testing.chart();
    const component = new Component(chart, 'Probed', { name: 'probed', namespace: 'apps', role: 'test' });
    const sidecar = component.addContainer({ name: 'probed', image, resources: RESOURCES });
    const http = component.addEndpoint({ name: 'http', protocol: Protocol.HTTP, port: 8080 }, sidecar);
    expect(Probe.http(http, '/ready', { period: Duration.seconds(5) })._toKube()).toMatchObject({ periodSeconds: 5, timeoutSeconds: 1 });
  });

  it('reaches an external endpoint by its address range and admits anybody where asked', () => {
    const chart = Testing.chart();
    const component = program(chart, 'edge');
    const http = component.addEndpoint({ name: 'http', protocol: Protocol.HTTP, port: 8080 });
    component.admit(Peer.anywhere(), http, 'requests');
    component.connectTo(
      new ExternalEndpoint({ name: 'hook', protocol: Protocol.HTTPS, host: '192.0.2.7', port: 443, cidr: '192.0.2.0/24' }),
      'alerts',
    );
    const { spec } = find(Testing.synth(chart), 'NetworkPolicy', 'edge');
    expect(spec.ingress).toEqual([{ ports: [{ port: 8080, protocol: 'TCP' }] }]);
    expect(spec.egress).toEqual([{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 443, protocol: 'TCP' }] }]);
  });

  it('fails on two endpoints with one port, naming both', () => {
    const component = program(Testing.chart(), 'twice');
    component.addEndpoint({ name: 'http', protocol: Protocol.HTTP, port: 8080 });
    expect(() => component.addEndpoint({ name: 'http-other', protocol: Protocol.HTTP, port: 8080 })).toThrow(
      /endpoint 'http-other' \(port 8080\) collides with endpoint 'http' \(port 8080\)/,
    );
  });

  it('fails on two components of one name, naming both places', () => {
    const chart = Testing.chart();
    program(chart, 'same');
    expect(() => new Component(chart, 'Again', { name: 'same', namespace: 'observability', role: 'test' })).toThrow(/exists already at/);
  });

  it('fails on a request above its limit with both values and the remedy', () => {
    const component = new Component(Testing.chart(), 'Greedy', { name: 'greedy', namespace: 'apps', role: 'test' });
    expect(() => component.addContainer({ name: 'greedy', image, resources: { ...RESOURCES, memoryRequest: Size.gibibytes(1) } })).toThrow(
      /'memoryRequest' \(1Gi\) must not exceed 'memoryLimit' \(128Mi\)/,
    );
  });

  it('fails at synth when a component has no program', () => {
    const chart = Testing.chart();
    new Component(chart, 'Empty', { name: 'empty', namespace: 'apps', role: 'test' });
    expect(chart.node.findChild('Empty').node.validate()).toEqual([expect.stringContaining("component 'empty' has no container")]);
  });
});
