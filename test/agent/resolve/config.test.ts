import { describe, expect, it } from 'vitest';
import type { BuildContext } from '../../../agent/config/component.ts';
import { resolverField, resolverSettings } from '../../../agent/resolve/config.ts';
import type { ResolverSettings } from '../../../agent/resolve/settings.ts';

/** Reads `resolver:` as the exporter does; the settings, or what was reported as `path: message`. */
function read(written: object): {
  readonly settings: ResolverSettings | undefined;
  readonly problems: string[];
  readonly notices: string[];
} {
  const problems: string[] = [];
  const notices: string[] = [];
  const context: BuildContext = {
    id: 'loadbalancing',
    signals: new Set(['traces']),
    totalMemoryBytes: 0,
    report: (_code, path, message) => void problems.push(`${path.join('.')}: ${message}`),
    notice: (path, message) => void notices.push(`${path.join('.')}: ${message}`),
  };
  const decoded = resolverField().safeParse(written);
  if (decoded.error !== undefined) {
    for (const issue of decoded.error.issues) problems.push(`${['resolver', ...issue.path].join('.')}: ${issue.message}`);
    return { settings: undefined, problems, notices };
  }
  return { settings: resolverSettings(decoded.data, context, ['resolver']), problems, notices };
}

describe('resolver', () => {
  it('static: names without a port get 4317 and keep the name that the Collector hashes', () => {
    expect(read({ static: { hostnames: ['b:1', 'a', '[::1]', '[::2]:9', 'b:1'], weights: { 'b:1': 3 } } })).toEqual({
      settings: {
        kind: 'static',
        upstreams: [
          { host: 'b', port: 1, weight: 3 },
          { host: 'a', port: 4317, weight: 1, ringName: 'a' },
          { host: '::1', port: 4317, weight: 1, ringName: '[::1]' },
          { host: '::2', port: 9, weight: 1 },
        ],
      },
      problems: [],
      notices: ['resolver.static.hostnames.4: "b:1" is written twice; it counts once'],
    });
  });

  it('dns: the defaults are those of the Collector', () => {
    expect(read({ dns: { hostname: 'tier.example' } }).settings).toEqual({
      kind: 'dns',
      hostname: 'tier.example',
      port: undefined,
      intervalMs: 5_000,
      timeoutMs: 1_000,
      type: 'a',
      servers: [],
    });
    expect(read({ dns: { hostname: 'x', port: '55690', interval: '0s', timeout: '0s' } }).settings).toMatchObject({
      port: 55_690,
      intervalMs: 5_000,
      timeoutMs: 1_000,
    });
  });

  it('k8s: the defaults are those of the Collector, and the files of the pod', () => {
    const settings = {
      kind: 'k8s',
      service: 'lb-svc',
      namespace: 'lb-ns',
      ports: [],
      timeoutMs: 60_000,
      returnHostnames: false,
      addressTypes: ['IPv4', 'IPv6', 'FQDN'],
      apiServer: undefined,
      tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    };
    expect(read({ k8s: { service: 'lb-svc.lb-ns' } }).settings).toEqual(settings);
    expect(read({ k8s: { service: 'lb-svc.lb-ns.svc.cluster.local' } }).settings).toEqual(settings);
    expect(read({ k8s: { service: 'lb-svc', ports: [15_317n, 'otlp'], timeout: '5s', return_hostnames: true } }).settings).toMatchObject({
      namespace: undefined,
      ports: [15_317, 'otlp'],
      timeoutMs: 5_000,
      returnHostnames: true,
    });
  });

  it('consul and etcd: defaults', () => {
    expect(read({ consul: { service: 'otlp' } }).settings).toEqual({
      kind: 'consul',
      address: 'http://127.0.0.1:8500',
      datacenter: undefined,
      token: undefined,
      tokenFile: undefined,
      service: 'otlp',
      tag: undefined,
      waitMs: 60_000,
    });
    expect(read({ etcd: { prefix: '/services/otlp/' } }).settings).toEqual({
      kind: 'etcd',
      endpoints: ['http://127.0.0.1:2379'],
      timeoutMs: 5_000,
      prefix: '/services/otlp/',
    });
    expect(read({ etcd: { prefix: 'p', endpoints: 'a:1,http://[::1]:2/,a:1' } }).settings).toMatchObject({
      endpoints: ['http://a:1', 'http://[::1]:2'],
    });
  });

  it.each<[string, object, string]>([
    ['nothing', {}, 'resolver: is empty; write one of static, dns, k8s, consul, etcd'],
    ['two resolvers', { static: { hostnames: ['a'] }, dns: { hostname: 'a' } }, 'resolver.dns: static and dns exclude each other'],
    [
      'aws_cloud_map',
      { aws_cloud_map: { namespace: 'a' } },
      'this agent has no aws_cloud_map resolver; use static, dns, k8s, consul or etcd',
    ],
    ['no hostnames', { static: {} }, 'resolver.static.hostnames: is missing; write at least one host:port'],
    ['a hostname that is none', { static: { hostnames: ['http://a:1'] } }, 'resolver.static.hostnames.0: '],
    ['port 0', { static: { hostnames: ['a:0'] } }, '"0" is no port; use a number from 1 to 65535'],
    ['a weight of nobody', { static: { hostnames: ['a'], weights: { b: 2 } } }, '"b" is none of hostnames (a)'],
    ['weight 0', { static: { hostnames: ['a'], weights: { a: 0 } } }, 'wants an integer from 1 to 65535 for "a"'],
    ['no hostname', { dns: {} }, 'resolver.dns.hostname: is missing'],
    ['a port by name', { dns: { hostname: 'a', port: 'otlp' } }, 'resolver.dns.port: "otlp" is no port'],
    [
      'a port beside SRV',
      { dns: { hostname: 'a', type: 'srv', port: '1' } },
      'is not used with type srv: SRV records say their ports; remove it',
    ],
    [
      'a name server by name',
      { dns: { hostname: 'a', servers: ['dns.example:53'] } },
      '"dns.example:53" is no name server; write ip or ip:port',
    ],
    ['no service', { k8s: { service: '.ns' } }, 'resolver.k8s.service: is missing; write name.namespace of a Service'],
    ['half a domain', { k8s: { service: 'a.b.svc' } }, 'ends before the domain of the cluster'],
    ['another third label', { k8s: { service: 'a.b.pod.x' } }, 'has "pod" where svc belongs'],
    ['an empty namespace', { k8s: { service: 'a..svc.x' } }, 'has an empty namespace'],
    ['a service with a path in it', { k8s: { service: 'a/b.c' } }, 'is no Service'],
    ['ports that are none', { k8s: { service: 'a.b', ports: [70_000] } }, 'wants ports, from 1 to 65535, or names of ports'],
    ['an unknown address type', { k8s: { service: 'a.b', address_types: ['IPv5'] } }, 'wants a list of IPv4, IPv6, FQDN'],
    [
      'an API server without a scheme',
      { k8s: { service: 'a.b', api_server: 'api:6443' } },
      '"api:6443" is no URL; write https://host:port',
    ],
    ['no Consul service', { consul: {} }, 'resolver.consul.service: is missing'],
    ['Consul over TLS', { consul: { service: 'a', address: 'https://consul:8501' } }, 'TLS is not supported yet; write http://host:port'],
    ['two tokens', { consul: { service: 'a', token: 'x', token_file: '/y' } }, 'token and token_file exclude each other; remove one'],
    ['no prefix', { etcd: {} }, 'resolver.etcd.prefix: is missing; write the prefix of the keys, as /services/otlp/'],
    ['no endpoints', { etcd: { prefix: 'a', endpoints: [] } }, 'resolver.etcd.endpoints: is empty'],
    ['an endpoint with a path', { etcd: { prefix: 'a', endpoints: ['http://etcd:2379/v3'] } }, 'is no address; write http://host:port'],
  ])('fails for %s, with the place and the remedy', (_, written, message) => {
    const { settings, problems } = read(written);
    expect(problems.join('\n')).toContain(message);
    if (!problems.join('\n').includes('hostnames')) expect(settings).toBeUndefined();
  });

  it('fails for a key that no resolver has', () => {
    expect(resolverField().safeParse({ dns: { hostname: 'a', retries: 3n } }).error?.issues[0]).toMatchObject({ keys: ['retries'] });
  });
});
