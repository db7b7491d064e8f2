import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { ConfigError } from '../../../agent/config/problems.ts';

const REST = `
receivers: {otlp: {protocols: {grpc: {endpoint: 'localhost:0'}}}}
exporters: {debug: {}}
service: {extensions: [registration], pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
`;

function read(written: string): unknown {
  const [settings] = load({ configs: [`yaml:extensions: {registration: ${written}}${REST}`], environment: { POD_IP: '10.0.0.5' } }).settings
    .extensions;
  return settings;
}

function problems(written: string): string {
  try {
    read(written);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'none';
}

describe('the extension registration', () => {
  it('has defaults for all but the endpoint and where to register', () => {
    expect(read('{endpoint: "${env:POD_IP}:4317", etcd: {prefix: /services/otlp/}}')).toEqual({
      kind: 'registration',
      id: 'registration',
      upstream: { host: '10.0.0.5', port: 4317, weight: 1 },
      instance: `${hostname()}-4317`,
      ttlMs: 15_000,
      registry: { kind: 'etcd', endpoints: ['http://127.0.0.1:2379'], timeoutMs: 5_000, prefix: '/services/otlp/' },
    });
    expect(read('{endpoint: "a:1", name: me, weight: 3, ttl: 10s, consul: {service: otlp, tags: [x]}}')).toEqual({
      kind: 'registration',
      id: 'registration',
      upstream: { host: 'a', port: 1, weight: 3 },
      instance: 'me',
      ttlMs: 10_000,
      registry: {
        kind: 'consul',
        address: 'http://127.0.0.1:8500',
        datacenter: undefined,
        token: undefined,
        tokenFile: undefined,
        service: 'otlp',
        tags: ['x'],
        deregisterAfterMs: 60_000,
      },
    });
  });

  it.each([
    ['no endpoint', '{etcd: {prefix: a}}', /registration\.endpoint: is missing; write the host:port that others are to dial/u],
    ['an endpoint without a port', '{endpoint: "a", etcd: {prefix: a}}', /"a" is no endpoint that others can dial; write host:port/u],
    ['port 0', '{endpoint: "a:0", etcd: {prefix: a}}', /"a:0" is no endpoint/u],
    ['every address', '{endpoint: "0.0.0.0:4317", etcd: {prefix: a}}', /every address of this machine and none that others can dial/u],
    ['no registry', '{endpoint: "a:1"}', /registration: has no registry; write consul or etcd/u],
    [
      'two registries',
      '{endpoint: "a:1", etcd: {prefix: a}, consul: {service: a}}',
      /consul and etcd exclude each other; write two extensions/u,
    ],
    ['no prefix', '{endpoint: "a:1", etcd: {timeout: 1s}}', /registration\.etcd\.prefix: is missing/u],
    ['no service', '{endpoint: "a:1", consul: {tags: [a]}}', /registration\.consul\.service: is missing/u],
    ['a short TTL', '{endpoint: "a:1", ttl: 1s, etcd: {prefix: a}}', /registration\.ttl: 1s is less than 3s, the least there is/u],
    ['weight 0', '{endpoint: "a:1", weight: 0, etcd: {prefix: a}}', /0 is outside of 1 to 65535/u],
    [
      'a short life in Consul',
      '{endpoint: "a:1", consul: {service: a, deregister_after: 5s}}',
      /5s is less than 1m, the least that Consul knows/u,
    ],
    [
      'TLS',
      '{endpoint: "a:1", etcd: {prefix: a, endpoints: ["https://etcd:2379"]}}',
      /TLS is not supported yet; write http:\/\/host:port/u,
    ],
    ['a datacenter, as one registers at an agent', '{endpoint: "a:1", consul: {service: a, datacenter: b}}', /datacenter/u],
  ])('fails for %s, with the place and the remedy', (_, written, message) => {
    expect(problems(written)).toMatch(message);
  });
});
