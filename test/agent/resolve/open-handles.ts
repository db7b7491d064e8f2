/** A program of its own: starts and closes one of each resolver and registration. It has to end by itself, as nothing is left open. */

import { Registration } from '../../../agent/register/registration.ts';
import type { RegistrationSettings } from '../../../agent/register/settings.ts';
import { createResolver } from '../../../agent/resolve/create-resolver.ts';
import type { ResolverSettings } from '../../../agent/resolve/settings.ts';

const [consul = '', nobody = '', token = ''] = process.argv.slice(2);
const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
const consulAt = (address: string) => ({ address, datacenter: undefined, token: undefined, tokenFile: undefined });

const resolvers: ResolverSettings[] = [
  { kind: 'static', upstreams: [{ host: 'a', port: 1, weight: 1 }] },
  { kind: 'dns', hostname: 'localhost', port: 1, intervalMs: 3_600_000, timeoutMs: 1_000, type: 'a', servers: [] },
  { kind: 'dns', hostname: 'x', port: 1, intervalMs: 3_600_000, timeoutMs: 200, type: 'a', servers: [nobody.slice('http://'.length)] },
  ...[consul, nobody].map((address) => ({
    kind: 'consul' as const,
    ...consulAt(address),
    service: 'otlp',
    tag: undefined,
    waitMs: 3_600_000,
  })),
  ...[consul, nobody].map((apiServer) => ({
    kind: 'k8s' as const,
    service: 'a',
    namespace: 'b',
    ports: [],
    timeoutMs: 3_600_000,
    returnHostnames: false,
    addressTypes: ['IPv4' as const],
    apiServer,
    tokenFile: token,
    caFile: token,
  })),
  ...[consul, nobody].map((endpoint) => ({ kind: 'etcd' as const, endpoints: [endpoint], timeoutMs: 500, prefix: '/s/' })),
];
const entry = { kind: 'registration', id: 'r', upstream: { host: 'a', port: 1, weight: 1 }, instance: 'i', ttlMs: 3_600_000 } as const;
const registrations: RegistrationSettings[] = [consul, nobody].flatMap((address) => [
  { ...entry, registry: { kind: 'consul', ...consulAt(address), service: 's', tags: [], deregisterAfterMs: 3_600_000 } },
  { ...entry, registry: { kind: 'etcd', endpoints: [address], timeoutMs: 500, prefix: '/s/' } },
]);

const all = [
  ...resolvers
    .map((settings) => createResolver(settings, quiet))
    .map((one) => ({ start: () => one.start(() => {}), close: () => one.close() })),
  ...registrations
    .map((settings) => new Registration(settings, quiet))
    .map((one) => ({ start: () => one.start(() => true), close: () => one.close() })),
];
await Promise.all(all.map((one) => one.start()));
await Promise.all(all.map((one) => one.close()));
process.stdout.write('closed\n');
