/** Facts about the cluster reach every place that depends on them. */
import { ExternalEndpoint, Image, Images, NetworkPolicyFlavour, Platform, type PlatformProps, Protocol } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { type Manifest, type PrintedStack, printStack } from '../../../support/printed-stack.ts';

const on = (platform: PlatformProps): PrintedStack => printStack({ platform: new Platform(platform) });
const policies = (stack: PrintedStack): Manifest[] => stack.objects.filter(({ kind }) => kind === 'NetworkPolicy');
const egress = (stack: PrintedStack): Manifest[] => policies(stack).flatMap(({ spec }) => spec.egress);

describe('a platform', () => {
  it('by default has kubernetes policies, DNS anywhere and an API server anywhere, on its ports only', () => {
    const stack = printStack();
    expect(egress(stack)).toContainEqual({
      to: [{ ipBlock: { cidr: '0.0.0.0/0' } }],
      ports: [
        { port: 443, protocol: 'TCP' },
        { port: 6443, protocol: 'TCP' },
      ],
    });
    const dns = egress(stack).filter(({ ports }) => ports[0].port === 53);
    expect(dns.length).toBeGreaterThan(5);
    expect(dns.every(({ to }) => to === undefined)).toBe(true);
  });

  it('without policies prints none, and everything else as before', () => {
    const stack = on({ networkPolicies: NetworkPolicyFlavour.NONE });
    expect(policies(stack)).toEqual([]);
    expect(stack.objects).toEqual(printStack().objects.filter(({ kind }) => kind !== 'NetworkPolicy'));
  });

  it('selects the pods that serve DNS by label, in every policy that asks DNS', () => {
    const dns = egress(on({ dnsPodLabels: { 'k8s-app': 'kube-dns' } })).filter(({ ports }) => ports[0].port === 53);
    expect(dns.length).toBeGreaterThan(5);
    for (const { to } of dns) {
      expect(to).toEqual([{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }]);
    }
  });

  it('narrows API server and kubelets down to their addresses', () => {
    const stack = on({ apiServerCidr: '10.0.0.1/32', apiServerPorts: [16443], nodeCidr: '10.1.0.0/16' });
    const blocks = egress(stack).filter(({ to }) => to?.[0].ipBlock);
    const ports = (cidr: string): number[] =>
      blocks.filter(({ to }) => to[0].ipBlock.cidr === cidr).flatMap((rule) => rule.ports.map(({ port }: Manifest) => port));
    expect(new Set(ports('10.0.0.1/32'))).toEqual(new Set([16443]));
    expect(ports('10.1.0.0/16')).toEqual([10_250]);
    expect(egress(stack).flatMap((rule) => rule.ports.map(({ port }: Manifest) => port))).not.toContain(6443);
  });

  it('carries its domain into every address', () => {
    const text = JSON.stringify(on({ clusterDomain: 'prod.example' }).objects);
    expect(text).not.toContain('svc.cluster.local');
    expect(text).toContain('otel-collector.observability.svc.prod.example:4317');
    expect(text).toContain('elasticsearch-headless.observability.svc.prod.example');
  });

  it('hands out copies of its lists', () => {
    const platform = new Platform({ apiServerPorts: [443], dnsPodLabels: { a: 'b' } });
    platform.apiServerPorts.push(1);
    (platform.dnsPodLabels as { [key: string]: string }).a = 'c';
    expect([platform.apiServerPorts, platform.dnsPodLabels]).toEqual([[443], { a: 'b' }]);
  });
});

describe('an Elasticsearch that exists already', () => {
  const store = new ExternalEndpoint({
    name: 'http',
    protocol: Protocol.HTTP,
    host: 'search.example.com',
    port: 9201,
    cidr: '203.0.113.0/24',
  });
  const stack = printStack({ externalElasticsearch: store });

  it('takes the place of the deployed one', () => {
    expect(stack.objects.filter(({ metadata }) => metadata.name === 'elasticsearch')).toEqual([]);
    expect(JSON.stringify(stack.objects)).not.toMatch(/elasticsearch\.observability|elasticsearch-headless|elasticsearch-transport/);
  });

  it('is the address of everybody who writes or reads', () => {
    expect(stack.config('jaeger-config', 'config.yaml').extensions.jaeger_storage.backends.main.elasticsearch.server_urls).toEqual([
      'http://search.example.com:9201',
    ]);
    expect(stack.config('otel-collector-config', 'gateway.yaml').exporters.elasticsearch.endpoints).toEqual([
      'http://search.example.com:9201',
    ]);
    expect(stack.text('fluentd-config', 'fluent.conf')).toMatch(/host search\.example\.com\n +port 9201\n +scheme http\n/);
    expect(stack.text('grafana-datasources', 'datasources.yaml')).toContain('url: http://search.example.com:9201');
    const job = stack.objects.find(({ kind }) => kind === 'Job');
    expect(job.spec.template.spec.containers[0].env).toContainEqual({ name: 'ELASTICSEARCH_URL', value: 'http://search.example.com:9201' });
  });

  it('is reached by its addresses, with DNS', () => {
    const rule = { to: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [{ port: 9201, protocol: 'TCP' }] };
    const reaching = policies(stack).filter(({ spec }) => JSON.stringify(spec.egress).includes(JSON.stringify(rule.to)));
    const names = reaching.map(({ metadata }) => metadata.name).sort();
    expect(names).toEqual(['elasticsearch-setup', 'fluentd', 'grafana', 'jaeger', 'otel-collector']);
    for (const { spec } of reaching) {
      expect(spec.egress).toContainEqual(rule);
      expect(spec.egress.some(({ ports }: Manifest) => ports[0].port === 53)).toBe(true);
    }
  });
});

describe('images', () => {
  it('of a mirror replace one and leave the others', () => {
    const prometheus = Image.of('mirror.example.com/prometheus', 'v3.15.0', { digest: `sha256:${'0'.repeat(64)}` });
    const images = Images.pinned().with({ prometheus, grafana: undefined });
    expect(images.prometheus.asString()).toBe(`mirror.example.com/prometheus:v3.15.0@sha256:${'0'.repeat(64)}`);
    expect(images.grafana).toEqual(Images.pinned().grafana);
    const stack = printStack({ images });
    expect(stack.container('StatefulSet', 'prometheus', 'prometheus').image).toBe(prometheus.asString());
    expect(stack.find('StatefulSet', 'prometheus').metadata.labels['app.kubernetes.io/version']).toBe('3.15.0');
  });

  it.each(['latest', ''])("fail with the tag '%s'", (tag) => {
    expect(() => Image.of('example.com/x', tag)).toThrow(`image 'example.com/x': tag '${tag}' is not a version`);
  });

  it('of the newest versions print a stack in their spelling', () => {
    const stack = printStack({ images: Images.latest() });
    expect(stack.container('Deployment', 'otel-collector', 'otel-collector').image).toMatch(/:0\.161\.0$/);
    expect(stack.container('Deployment', 'jaeger', 'jaeger').image).toMatch(/:2\.21\.0$/);
    expect(JSON.stringify(stack.config('otel-collector-config', 'gateway.yaml').service.pipelines)).toContain('otlp_grpc/jaeger');
    expect(stack.find('Deployment', 'kube-state-metrics').metadata.labels['app.kubernetes.io/version']).toBe('2.20.0');
  });
});
