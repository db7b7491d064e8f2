/** One place decides: a port, a name or a namespace that is changed there is changed on both ends of every connection. */
import { App } from 'cdk8s';
import { type Edge, Endpoint, OtlpStack, type OtlpStackProps, Topology } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { type Manifest, PrintedStack } from '../../support/printed-stack.ts';

interface Printed extends PrintedStack {
  readonly edges: Edge[];
  readonly topology: Topology;
  readonly all: string;
}

function print(props: OtlpStackProps = {}): Printed {
  const app = new App();
  new OtlpStack(app, 'otlp', props);
  const topology = Topology.of(app);
  const stack = new PrintedStack(app.charts.flatMap((chart) => chart.toJson()));
  return Object.assign(stack, { edges: topology.edges, topology, all: JSON.stringify(stack.objects) });
}

/** The prop of OtlpStack that a component's own props are given by. */
const PROP: Record<string, keyof OtlpStackProps> = {
  'otlp-service': 'service',
  'otel-collector': 'gateway',
  jaeger: 'jaeger',
  elasticsearch: 'elasticsearch',
  prometheus: 'prometheus',
  alertmanager: 'alertmanager',
  'kube-state-metrics': 'kubeStateMetrics',
  grafana: 'grafana',
  fluentd: 'fluentd',
} as Record<string, keyof OtlpStackProps>;
/** The sidecar has props for its ports, as it lives in pods of others. */
const SIDECAR: Record<string, string> = { 'http-agent': 'metricsPort', 'http-agent-up': 'healthPort' };

const before = print();
const endpoints = before.topology.components.flatMap((component) => component.endpoints);

function moved(endpoint: Endpoint, port: number): OtlpStackProps {
  const sidecar = SIDECAR[endpoint.name];
  if (sidecar) return { agent: { [sidecar]: port } };
  const prop = PROP[endpoint.component.name];
  if (!prop) throw new Error(`no prop of OtlpStack for ${endpoint.component.name}`);
  return { [prop]: { ports: { [endpoint.name]: port } } };
}

const policyPorts = (rules: Manifest[] | undefined): number[] =>
  (rules ?? []).flatMap((rule) => (rule.ports ?? []).map((entry: Manifest) => entry.port));
const count = (text: string, part: string): number => text.split(part).length - 1;

describe.each(endpoints.map((endpoint) => [`${endpoint.component.name} ${endpoint.name}`, endpoint] as const))('%s', (_, endpoint) => {
  const port = endpoint.port + 1000;
  const after = print(moved(endpoint, port));
  const { component } = endpoint;

  it('moves its container port', () => {
    const { spec } = after.find(component.kind.kind, component.name).spec.template;
    const ports = [...(spec.initContainers ?? []), ...spec.containers].flatMap((one: Manifest) => one.ports ?? []);
    expect(ports).toContainEqual({ name: endpoint.name, containerPort: port, protocol: endpoint.protocol.transport });
  });

  it('moves both policies of every edge', () => {
    const edges = after.edges.filter(
      ({ to }) => to instanceof Endpoint && to.name === endpoint.name && to.component.name === component.name,
    );
    const wired = before.edges.filter(({ to }) => to === endpoint);
    expect(edges).toHaveLength(wired.length);
    const own = after.find('NetworkPolicy', component.name).spec;
    expect(policyPorts(own.ingress).includes(port)).toBe(edges.length > 0);
    expect(policyPorts(own.ingress)).not.toContain(endpoint.port);
    for (const { from } of edges) {
      const client = after.topology.components.find((other) => other === from);
      if (client) {
        expect(policyPorts(after.find('NetworkPolicy', client.name).spec.egress)).toContain(port);
      }
    }
  });

  it('moves every address that names it', () => {
    if (!endpoint.expose.onService && !endpoint.expose.onHeadless) {
      return;
    }
    const sameServicePort = endpoint.servicePort === endpoint.port;
    const now = endpoint.address.replace(/:\d+$/, `:${sameServicePort ? port : endpoint.servicePort}`);
    expect(count(after.all, now)).toBe(count(before.all, endpoint.address));
    if (sameServicePort) {
      expect(count(after.all, endpoint.address)).toBe(0);
    }
  });
});

describe.each(Object.entries(PROP))('the component %s', (name, prop) => {
  const component = before.topology.components.find((one) => one.name === name);
  const hosts = [...new Set(component?.endpoints.filter(({ expose }) => expose.name !== 'pod').map(({ host }) => host))];
  const rename = (text: string, to: string): string => text.replace(name, to);

  it('moves every address when it is renamed', () => {
    const after = print({ [prop]: { name: 'renamed' } });
    for (const host of hosts) {
      expect(count(after.all, rename(host, 'renamed'))).toBe(count(before.all, host));
      expect(count(after.all, host)).toBe(0);
    }
  });

  it('moves every address and every selector when its namespace changes', () => {
    const after = print({ [prop]: { namespace: 'elsewhere' } });
    for (const host of hosts) {
      const moved = host.replace(`.${component?.namespace}.svc`, '.elsewhere.svc');
      expect(count(after.all, moved)).toBe(count(before.all, host));
      expect(count(after.all, host)).toBe(0);
    }
    for (const { from } of before.edges.filter(({ to }) => to instanceof Endpoint && to.component.name === name)) {
      const client = after.topology.components.find((other) => other.name === from.peerName);
      if (client) {
        expect(JSON.stringify(after.find('NetworkPolicy', client.name).spec.egress)).toContain('"elsewhere"');
      }
    }
  });
});
