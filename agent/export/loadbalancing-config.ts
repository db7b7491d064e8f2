import { BALANCERS, contextBelow, healthField, healthSettings } from '../balance/health-config.ts';
import type { BalancerName, HealthSettings, RingKind, RoutingKey, RoutingSettings } from '../balance/settings.ts';
import { type BuildContext, component } from '../config/component.ts';
import { bool, choice, duration, float, text, textList, unsupported } from '../config/fields.ts';
import { type Output, section } from '../config/section.ts';
import type { ExporterCommon, OtlpGrpcExporterSettings, Signal } from '../config/settings.ts';
import { queueSettings, sendingQueue } from '../queue/config.ts';
import { resolverField, resolverSettings } from '../resolve/config.ts';
import type { ResolverSettings } from '../resolve/settings.ts';
import { reportTls } from './client-fields.ts';
import { checkOtlpGrpc, otlpGrpcSettings, otlpGrpcShape } from './otlp-grpc-config.ts';
import { type RetryConfig, retrySettings } from './retry-config.ts';

/** Exporter `loadbalancing`. `queue` and `retry` are the exporter's own, in front of the upstreams; those of each upstream are in `upstream`. */
export interface LoadBalancingSettings extends ExporterCommon {
  readonly kind: 'loadbalancing';
  /** Settings of the line to each upstream; its address is not used, and an empty authority is the upstream's host:port. */
  readonly upstream: OtlpGrpcExporterSettings;
  readonly resolver: ResolverSettings;
  /** @default consistent_hash */
  readonly balancer: BalancerName | 'consistent_hash';
  /** @default collector_0.155 */
  readonly ring: RingKind;
  /** By signal that a pipeline sends. */
  readonly routing: Readonly<Partial<Record<Signal, RoutingSettings>>>;
  readonly health: HealthSettings;
}

/** What upstream's exporter takes for each signal; the first is its default. */
const ROUTING_KEYS: Readonly<Partial<Record<Signal, readonly RoutingKey[]>>> = {
  traces: ['traceID', 'service', 'attributes'],
  metrics: ['service', 'resource', 'metric', 'streamID', 'attributes'],
  logs: ['service', 'traceID', 'resource', 'attributes'],
};

const INNER_WAITS = 'a request that an upstream gave up goes to the next one at once; protocol.otlp.retry_on_failure does the waiting';

/** configretry without its defaults: upstream has none at this level. */
const outerRetry = section(
  {
    enabled: bool({ describe: 'Whether a request that an upstream gave up is routed again.', default: false }),
    initial_interval: duration({ describe: 'Wait before the first retry.', default: 0, shows: '0s', inert: INNER_WAITS }),
    randomization_factor: float({ describe: 'Spread of each wait.', default: 0, inert: INNER_WAITS }),
    multiplier: float({ describe: 'Growth of the waits.', default: 0, inert: INNER_WAITS }),
    max_interval: duration({ describe: 'The longest wait.', default: 0, shows: '0s', inert: INNER_WAITS }),
    max_elapsed_time: duration({
      describe: 'After this time since it was received a request is not routed again; 0 is without end.',
      default: 0,
      shows: '0s',
    }),
  },
  {
    describe: 'Routes what an upstream gave up again, to another one.',
    check: (config, report) => {
      if (!config.enabled) return;
      for (const key of ['initial_interval', 'max_interval', 'max_elapsed_time'] as const)
        if (config[key] < 0) report(key, 'must not be negative');
      if (config.randomization_factor < 0 || config.randomization_factor > 1)
        report('randomization_factor', `(${config.randomization_factor}) must be within 0 and 1`);
      if (config.multiplier < 0) report('multiplier', `(${config.multiplier}) must not be negative`);
      if (config.max_elapsed_time > 0 && config.max_elapsed_time < config.initial_interval)
        report('max_elapsed_time', 'must not be less than initial_interval');
      if (config.max_elapsed_time > 0 && config.max_elapsed_time < config.max_interval)
        report('max_elapsed_time', 'must not be less than max_interval');
    },
  },
);

const lineShape = {
  ...otlpGrpcShape,
  health: unsupported('Not here.', 'upstreams are checked by `health` of the exporter itself; write it beside `protocol`'),
};

const shape = {
  protocol: section(
    { otlp: section(lineShape, { describe: 'The keys of otlp_grpc, for the line to each upstream.', check: checkOtlpGrpc }) },
    { describe: 'How upstreams are spoken to.' },
  ),
  resolver: resolverField(),
  routing_key: text({
    describe:
      'What stays together. traces: traceID, service, attributes. logs: service, traceID, resource, attributes. metrics: service, resource, metric, streamID, attributes.',
    default: '',
  }),
  routing_attributes: textList({ describe: 'Attributes that make the key, for routing_key attributes.', default: [] }),
  balancer: choice(['consistent_hash', ...BALANCERS], {
    describe: 'How requests are spread. All but consistent_hash send whole requests and know no routing_key.',
    default: 'consistent_hash',
    ours: true,
  }),
  ring: choice(['collector_0.155', 'collector_0.157'], {
    describe: 'Whose ring it is, where Collectors feed the same upstreams: up to 0.155 100 virtual nodes, from 0.157 on 200.',
    default: 'collector_0.155',
    ours: true,
  }),
  health: healthField(),
  timeout: duration({
    describe: 'Time for one request.',
    default: 0,
    shows: '0s',
    inert: 'each attempt has the timeout of protocol.otlp',
  }),
  sending_queue: sendingQueue('off'),
  retry_on_failure: outerRetry,
};

type Config = Output<typeof shape>;

const describe = 'Spreads data over many upstreams by key: what belongs together goes to the same one.';

/** Exporter `loadbalancing`, which the Collector calls load_balancing since 0.157. */
export const loadBalancingExporter = component<Config, LoadBalancingSettings>({
  type: 'loadbalancing',
  aliases: ['load_balancing'],
  signals: ['traces', 'metrics', 'logs'],
  describe,
  config: section(shape, {
    describe,
    check: (config, report) => {
      const byAttributes = config.routing_key === 'attributes';
      if (byAttributes && config.routing_attributes.length === 0)
        report('routing_attributes', 'must be written when routing_key is attributes', 'OTLP_CONFIG_MISSING');
      if (!byAttributes && config.routing_attributes.length > 0)
        report('routing_attributes', `is used only when routing_key is attributes, which is "${config.routing_key}"; remove it`);
      if (config.timeout < 0) report('timeout', 'must not be negative');
    },
  }),
  build: (config, context) => {
    const resolver = resolverSettings(config.resolver, context, ['resolver']);
    const upstream = upstreamSettings(config, context);
    const routing = routingSettings(config, context);
    if (config.sending_queue !== undefined && config.sending_queue.num_consumers !== 10)
      context.notice(['sending_queue', 'num_consumers'], 'has no effect: what waits goes on as soon as an upstream has room');
    if (resolver === undefined || upstream === undefined) return undefined;
    return {
      kind: 'loadbalancing',
      id: context.id,
      upstream,
      resolver,
      balancer: config.balancer,
      ring: config.ring,
      routing,
      health: healthSettings(config.health),
      timeoutMs: upstream.timeoutMs,
      queue: queueSettings(config.sending_queue, context),
      retry: retrySettings(config.retry_on_failure as RetryConfig),
    };
  },
});

function upstreamSettings({ protocol: { otlp } }: Config, context: BuildContext): OtlpGrpcExporterSettings | undefined {
  const below = contextBelow(context, ['protocol', 'otlp']);
  if (!otlp.tls.insecure) {
    reportTls(below, ['tls'], 'without tls.insecure: true the Collector sends over TLS');
    return undefined;
  }
  if (otlp.endpoint !== '') below.notice(['endpoint'], 'has no effect: the resolver says where upstreams are');
  if (otlp.balancer_name !== 'round_robin')
    below.notice(['balancer_name'], 'has no effect: `balancer` of the exporter decides between upstreams');
  const nowhere = { kind: 'tcp', host: '', port: 0 } as const;
  return { ...otlpGrpcSettings(otlp, below, nowhere), authority: otlp.authority };
}

function routingSettings(config: Config, context: BuildContext): LoadBalancingSettings['routing'] {
  const found: Partial<Record<Signal, RoutingSettings>> = {};
  for (const signal of context.signals) {
    const keys = ROUTING_KEYS[signal];
    if (keys === undefined) continue; // the pipeline is told
    const key = config.routing_key === '' ? keys[0] : keys.find((known) => known === config.routing_key);
    if (key !== undefined) found[signal] = { key, attributes: config.routing_attributes };
    else
      context.report('OTLP_CONFIG_VALUE', ['routing_key'], `"${config.routing_key}" cannot be used for ${signal}, only ${keys.join(', ')}`);
  }
  return found;
}
