import { describe, expect, it } from 'vitest';
import type { OtlpGrpcExporterSettings } from '../../../agent/config/settings.ts';
import type { LoadBalancingSettings } from '../../../agent/export/loadbalancing-config.ts';
import { loadYaml, MINIMAL, problemsOf } from '../support/config.ts';

const yaml = (more: string, signals = 'traces'): string => `
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:4317" } } } }
exporters:
  loadbalancing:
${more.replaceAll(/^/gmu, '    ')}
service:
  pipelines:
${signals
  .split(' ')
  .map((signal) => `    ${signal}: { receivers: [otlp], exporters: [loadbalancing] }`)
  .join('\n')}
`;
const UPSTREAMS = 'resolver: { static: { hostnames: ["a:4317", b] } }';
const PLAIN = 'protocol: { otlp: { tls: { insecure: true } } }';
const settings = (more: string, signals?: string): LoadBalancingSettings =>
  loadYaml(yaml(`${PLAIN}\n${UPSTREAMS}\n${more}`, signals)).settings.exporters.loadbalancing as LoadBalancingSettings;
const says = (more: string, signals?: string): string[] =>
  problemsOf(yaml(more, signals)).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('loadbalancing', () => {
  it('has the defaults of the Collector, and of ours where it has no such key', () => {
    expect(settings('', 'traces logs metrics')).toMatchObject({
      kind: 'loadbalancing',
      balancer: 'consistent_hash',
      ring: 'collector_0.155',
      resolver: {
        kind: 'static',
        upstreams: [
          { host: 'a', port: 4317, weight: 1 },
          { host: 'b', port: 4317, weight: 1, ringName: 'b' },
        ],
      },
      routing: {
        traces: { key: 'traceID', attributes: [] },
        logs: { key: 'service', attributes: [] },
        metrics: { key: 'service', attributes: [] },
      },
      queue: { enabled: false },
      retry: { enabled: false, maxElapsedMs: 0 },
      health: { type: 'grpc', intervalMs: 10_000, timeoutMs: 5000, ejectAfter: 3, slowStartMs: 30_000 },
      upstream: {
        authority: '',
        compression: 'gzip',
        timeoutMs: 5000,
        queue: { enabled: true, capacity: 1000, consumers: 10 },
        retry: { enabled: true, initialIntervalMs: 5000 },
        connections: { max: 100, idleTimeoutMs: 30_000 },
      },
    });
  });

  it('is also found by the name that it has since 0.157', () => {
    const text = yaml(`${PLAIN}\n${UPSTREAMS}`).replaceAll('loadbalancing', 'load_balancing');
    expect(loadYaml(text).settings.exporters.load_balancing).toMatchObject({ kind: 'loadbalancing', id: 'load_balancing' });
  });

  it('queue, retry and timeout at both levels', () => {
    const both = settings(`sending_queue: { queue_size: 10000 }\nretry_on_failure: { enabled: true, max_elapsed_time: 10m }\ntimeout: 10s`);
    expect(both).toMatchObject({ queue: { enabled: true, capacity: 10_000 }, retry: { enabled: true, maxElapsedMs: 600_000 } });
  });

  it('ours: balancer, ring, health, weights', () => {
    const text = 'balancer: weighted_round_robin\nring: collector_0.157\nhealth: { type: connect, eject_after: 0 }';
    expect(settings(text)).toMatchObject({
      balancer: 'weighted_round_robin',
      ring: 'collector_0.157',
      health: { type: 'connect', ejectAfter: 0 },
    });
  });

  it.each([
    ['metrics', 'traceID'],
    ['traces', 'resource'],
    ['traces', 'metric'],
    ['logs', 'streamID'],
    ['logs', 'nonsense'],
  ])('fails for %s by %s, which upstream does not have either', (signal, key) => {
    expect(says(`${PLAIN}\n${UPSTREAMS}\nrouting_key: ${key}`, signal)).toEqual([
      expect.stringContaining(`exporters.loadbalancing.routing_key: "${key}" cannot be used for ${signal}, only `),
    ]);
  });

  it('fails where routing_attributes and routing_key do not fit', () => {
    expect(says(`${PLAIN}\n${UPSTREAMS}\nrouting_key: attributes`)).toEqual([
      expect.stringContaining('routing_attributes: must be written'),
    ]);
    expect(says(`${PLAIN}\n${UPSTREAMS}\nrouting_attributes: [a]`)).toEqual([
      expect.stringContaining('only when routing_key is attributes'),
    ]);
  });

  it('fails without a resolver, with two, and without tls.insecure', () => {
    expect(says(PLAIN)).toEqual([expect.stringContaining('exporters.loadbalancing.resolver: is empty')]);
    expect(says(`${PLAIN}\nresolver: { static: { hostnames: [a] }, dns: { hostname: b } }`)).toEqual([
      expect.stringContaining('exclude each other'),
    ]);
    expect(says(`protocol: { otlp: { timeout: 1s } }\n${UPSTREAMS}`)).toEqual([
      expect.stringMatching(/exporters\.loadbalancing\.protocol\.otlp\.tls: .*TLS is not supported yet/u),
    ]);
  });

  it('fails on what is unknown, unsupported or out of range, with its place', () => {
    expect(says(`${PLAIN}\n${UPSTREAMS}\nbalancer: random`)).toEqual([
      expect.stringContaining('must be one of consistent_hash, round_robin'),
    ]);
    expect(says(`protocol: { otlp: { tls: { insecure: true }, auth: { authenticator: x } } }\n${UPSTREAMS}`)).toEqual([
      expect.stringContaining('authentication is not supported yet'),
    ]);
    expect(says(`${PLAIN}\n${UPSTREAMS}\nhealth: { interval: 0s }`)).toEqual([expect.stringContaining('interval: must be positive')]);
    expect(says(`protocol: { otlp: { tls: { insecure: true }, compression: lz4 } }\n${UPSTREAMS}`)).toEqual([
      expect.stringContaining('exporters.loadbalancing.protocol.otlp.compression'),
    ]);
    expect(says(`${PLAIN}\n${UPSTREAMS}\nbalancing: x`)).toEqual([expect.stringContaining('unknown key')]);
  });

  it('fails for a health of the single line: upstreams are checked by that of the exporter', () => {
    expect(says(`protocol: { otlp: { tls: { insecure: true }, health: { type: connect } } }\n${UPSTREAMS}`)).toEqual([
      expect.stringMatching(/exporters\.loadbalancing\.protocol\.otlp\.health: .*`health` of the exporter itself/u),
    ]);
  });

  it('fails for profiles, which upstream does not route', () => {
    expect(says(`${PLAIN}\n${UPSTREAMS}`, 'profiles')).toEqual([expect.stringContaining('does not carry profiles')]);
  });

  it.each([
    ['endpoint', '"x:1"'],
    ['balancer_name', 'pick_first'],
  ])('says that %s has no effect', (key, value) => {
    const { notices } = loadYaml(yaml(`protocol: { otlp: { ${key}: ${value}, tls: { insecure: true } } }\n${UPSTREAMS}`));
    expect(notices.map(({ path }) => path.join('.'))).toContain(`exporters.loadbalancing.protocol.otlp.${key}`);
  });
});

describe('otlp_grpc', () => {
  const grpc = (endpoint: string, more = ''): OtlpGrpcExporterSettings =>
    loadYaml(MINIMAL.replace('endpoint: gateway:4317', `endpoint: "${endpoint}"${more}`)).settings.exporters
      .otlp_grpc as OtlpGrpcExporterSettings;

  it.each(['gateway:4317', 'dns:///gateway:4317', 'http://gateway:4317'])('%s: all addresses of the name, in turn', (endpoint) => {
    expect(grpc(endpoint).balance).toMatchObject({
      balancer: 'round_robin',
      resolver: { kind: 'dns', hostname: 'gateway', port: 4317, type: 'a' },
    });
  });

  it.each(['passthrough:///gateway:4317', '127.0.0.1:4317', '[::1]:4317', 'localhost:4317', 'unix:///tmp/otlp.sock'])(
    '%s: one place',
    (endpoint) => {
      expect(grpc(endpoint).balance).toBeUndefined();
    },
  );

  it('SRV names have their ports and weights in the records', () => {
    expect(grpc('dns:///_otlp._tcp.gateway.svc:4317', '\n    balancer_name: weighted_round_robin').balance).toMatchObject({
      balancer: 'weighted_round_robin',
      resolver: { type: 'srv', hostname: '_otlp._tcp.gateway.svc', port: undefined },
    });
  });

  it.each([
    ['pick_first', 'pick_first'],
    ['least_connections', 'least_connections'],
    ['""', 'pick_first'],
  ])('balancer_name %s is %s', (written, balancer) => {
    expect(grpc('gateway:4317', `\n    balancer_name: ${written}`).balance?.balancer).toBe(balancer);
  });

  it('fails on a balancer that is none', () => {
    const text = MINIMAL.replace('endpoint: gateway:4317', 'endpoint: gateway:4317\n    balancer_name: grpclb');
    expect(problemsOf(text).map(({ message }) => message)).toEqual([expect.stringContaining('must be one of round_robin, pick_first')]);
  });
});
