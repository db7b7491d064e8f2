import type { BuildContext } from '../config/component.ts';
import { choice, duration, type Field, integer } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import { type Output, section } from '../config/section.ts';
import { type BalancerName, type ConnectionSettings, DEFAULT_CONNECTIONS, DEFAULT_HEALTH, type HealthSettings } from './settings.ts';

/** Policies that need no key; `consistent_hash` is the exporter loadbalancing's own. */
export const BALANCERS = [
  'round_robin',
  'pick_first',
  'weighted_round_robin',
  'least_connections',
] as const satisfies readonly BalancerName[];

const healthShape = {
  type: choice(['grpc', 'connect', 'none'], {
    describe:
      'How upstreams are checked: grpc asks grpc.health.v1 (who has no such service and answers is well), connect opens a connection, none does not.',
    default: 'grpc',
    ours: true,
  }),
  interval: duration({
    describe: 'Time between two checks of one upstream.',
    default: DEFAULT_HEALTH.intervalMs,
    shows: '10s',
    ours: true,
  }),
  timeout: duration({ describe: 'Time for one check.', default: DEFAULT_HEALTH.timeoutMs, shows: '5s', ours: true }),
  eject_after: integer({
    describe: 'Requests in a row without an answer after which an upstream is left out at once; 0 never.',
    default: DEFAULT_HEALTH.ejectAfter,
    ours: true,
  }),
  return_after: duration({
    describe: 'Without checks: after this time one that was left out is tried again.',
    default: DEFAULT_HEALTH.returnAfterMs,
    shows: '30s',
    ours: true,
  }),
  slow_start: duration({
    describe: 'Time in which the share of one that is back grows from a tenth to the whole.',
    default: DEFAULT_HEALTH.slowStartMs,
    shows: '30s',
    ours: true,
  }),
};

export type HealthConfig = Output<typeof healthShape>;

/** `health`: when an upstream is left out and how it comes back. Of no effect with a single upstream. */
export function healthField(): Field<HealthConfig> {
  return section(healthShape, {
    describe: 'When an upstream is left out, and how it comes back; nothing of it with a single upstream.',
    ours: true,
    check: (config, report) => {
      if (config.interval <= 0) report('interval', 'must be positive');
      if (config.timeout <= 0) report('timeout', 'must be positive');
      if (config.eject_after < 0) report('eject_after', `(${config.eject_after}) must not be negative`);
      if (config.return_after <= 0) report('return_after', 'must be positive');
      if (config.slow_start < 0) report('slow_start', 'must not be negative');
    },
  });
}

export function healthSettings(config: HealthConfig): HealthSettings {
  return {
    type: config.type,
    intervalMs: timerMs(config.interval),
    timeoutMs: timerMs(config.timeout),
    ejectAfter: config.eject_after,
    returnAfterMs: timerMs(config.return_after),
    slowStartMs: timerMs(config.slow_start),
  };
}

const connectionShape = {
  max: integer({
    describe: 'Connections to one address at most. A further one is opened when the streams that the peer allows are used up.',
    default: DEFAULT_CONNECTIONS.max,
    ours: true,
  }),
  idle_timeout: duration({
    describe: 'A connection without requests is closed after this time; 0 never.',
    default: DEFAULT_CONNECTIONS.idleTimeoutMs,
    shows: '30s',
    ours: true,
  }),
};

export type ConnectionConfig = Output<typeof connectionShape>;

/** `connections` of a gRPC client. */
export function connectionField(): Field<ConnectionConfig> {
  return section(connectionShape, {
    describe: 'How many connections there are to one address.',
    ours: true,
    check: (config, report) => {
      if (config.max <= 0) report('max', `(${config.max}) must be positive`);
      if (config.idle_timeout < 0) report('idle_timeout', 'must not be negative');
    },
  });
}

export function connectionSettings(config: ConnectionConfig): ConnectionSettings {
  return { max: config.max, idleTimeoutMs: timerMs(config.idle_timeout) };
}

/** The same context for a component inside of another one: what it reports lies below `path`. */
export function contextBelow(context: BuildContext, path: readonly (string | number)[]): BuildContext {
  return {
    ...context,
    report: (code, below, message) => context.report(code, [...path, ...below], message),
    notice: (below, message) => context.notice([...path, ...below], message),
  };
}
