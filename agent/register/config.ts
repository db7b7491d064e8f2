import { hostname } from 'node:os';
import { parsePort, splitHostPort } from '../config/address.ts';
import { type BuildContext, component } from '../config/component.ts';
import { duration, integer, text, textList } from '../config/fields.ts';
import { printGoDuration, timerMs } from '../config/go-duration.ts';
import { type Output, optionalSection, section } from '../config/section.ts';
import { consulClientFields, consulSettings, etcdClientFields, etcdSettings } from '../resolve/client-config.ts';
import { isHost } from '../resolve/place.ts';
import { isWeight, MAX_WEIGHT } from '../resolve/port-fields.ts';
import type { Upstream } from '../resolve/resolver.ts';
import type { RegistrationSettings } from './settings.ts';

/** etcd makes every lease at least two seconds long, and a TTL has to survive a lost sign of life. */
const MIN_TTL_MS = 3_000;
/** Consul's own minimum. */
const MIN_DEREGISTER_MS = 60_000;

const { address, token, token_file } = consulClientFields;

const consulShape = {
  address,
  token,
  token_file,
  service: text({ describe: 'Name of the service to register under.', default: '', ours: true }),
  tags: textList({ describe: 'Tags of this instance.', default: [], ours: true }),
  deregister_after: duration({
    describe: 'Consul removes an instance that gave no sign of life, or was not ready, for this long; at least a minute.',
    default: 60_000,
    shows: '1m',
    ours: true,
  }),
};

const etcdShape = {
  ...etcdClientFields,
  prefix: text({ describe: 'Begin of the key, to which the name is added; what resolvers have as prefix.', default: '', ours: true }),
};

const off = { absent: 'off', empty: 'off', ours: true } as const;

const shape = {
  endpoint: text({ describe: 'What others are to dial, host:port, as ${env:POD_IP}:4317.', default: '', ours: true }),
  weight: integer({ describe: 'Share of the traffic against the others.', default: 1, ours: true }),
  name: text({ describe: 'Tells this instance from the others.', default: '', shows: '<host name>-<port>', ours: true }),
  ttl: duration({
    describe: 'After this time without a sign of life it is not registered any more.',
    default: 15_000,
    shows: '15s',
    ours: true,
  }),
  consul: optionalSection(consulShape, { ...off, describe: 'Registers at a Consul agent, with a TTL check.' }),
  etcd: optionalSection(etcdShape, { ...off, describe: 'Registers in an etcd v3, under a lease.' }),
};

type Config = Output<typeof shape>;

/** Extension `registration`: ours, as the Collector registers itself nowhere. */
export const registration = component<Config, RegistrationSettings>({
  type: 'registration',
  signals: [],
  describe: 'Registers the agent in Consul or etcd for as long as it is ready.',
  config: section(shape, {
    describe: 'Registers the agent in Consul or etcd for as long as it is ready.',
    ours: true,
    check: (config, report) => {
      if (config.consul !== undefined && config.etcd !== undefined)
        report('etcd', 'consul and etcd exclude each other; write two extensions, registration/consul and registration/etcd');
      if (config.ttl < MIN_TTL_MS)
        report('ttl', `${printGoDuration(config.ttl)} is less than ${printGoDuration(MIN_TTL_MS)}, the least there is`);
      if (!isWeight(config.weight)) report('weight', `${config.weight} is outside of 1 to ${MAX_WEIGHT}`);
    },
  }),
  build: (config, context) => {
    const upstream = upstreamOf(config, context);
    const registry = registryOf(config, context);
    if (upstream === undefined || registry === undefined) return undefined;
    const instance = config.name === '' ? `${hostname()}-${upstream.port}` : config.name;
    return { kind: 'registration', id: context.id, upstream, instance, ttlMs: timerMs(config.ttl), registry };
  },
});

function upstreamOf({ endpoint, weight }: Config, context: BuildContext): Upstream | undefined {
  if (endpoint === '') {
    context.report('OTLP_CONFIG_MISSING', ['endpoint'], 'is missing; write the host:port that others are to dial, as ${env:POD_IP}:4317');
    return undefined;
  }
  const parts = splitHostPort(endpoint);
  const port = typeof parts === 'string' ? undefined : parsePort(parts.port);
  if (typeof parts === 'string' || port === undefined || port === 0 || !isHost(parts.host)) {
    context.report('OTLP_CONFIG_VALUE', ['endpoint'], `"${endpoint}" is no endpoint that others can dial; write host:port`);
    return undefined;
  }
  if (parts.host === '0.0.0.0' || parts.host === '::') {
    context.report('OTLP_CONFIG_VALUE', ['endpoint'], `"${endpoint}" is every address of this machine and none that others can dial`);
    return undefined;
  }
  return { host: parts.host, port, weight };
}

function registryOf({ consul, etcd }: Config, context: BuildContext): RegistrationSettings['registry'] | undefined {
  if (consul !== undefined) {
    const client = consulSettings({ ...consul, datacenter: undefined }, context, ['consul']);
    if (consul.service === '') context.report('OTLP_CONFIG_MISSING', ['consul', 'service'], 'is missing; write the name of the service');
    if (consul.deregister_after < MIN_DEREGISTER_MS) {
      const written = printGoDuration(consul.deregister_after);
      context.report('OTLP_CONFIG_VALUE', ['consul', 'deregister_after'], `${written} is less than 1m, the least that Consul knows`);
    }
    if (client === undefined) return undefined;
    return { kind: 'consul', ...client, service: consul.service, tags: consul.tags, deregisterAfterMs: consul.deregister_after };
  }
  if (etcd !== undefined) {
    const client = etcdSettings(etcd, context, ['etcd']);
    if (etcd.prefix === '')
      context.report('OTLP_CONFIG_MISSING', ['etcd', 'prefix'], 'is missing; write the begin of the key, as /services/otlp/');
    return client === undefined ? undefined : { kind: 'etcd', ...client, prefix: etcd.prefix };
  }
  context.report('OTLP_CONFIG_MISSING', [], 'has no registry; write consul or etcd');
  return undefined;
}
