import type { ResolverSettings } from '../resolve/settings.ts';

/** How requests are spread over upstreams; `consistent_hash` is the loadbalancing exporter's own. */
export type BalancerName = 'round_robin' | 'weighted_round_robin' | 'least_connections' | 'pick_first';

/** Which Collector's ring: 0.157 made another one of it (contrib #49585). */
export type RingKind = 'collector_0.155' | 'collector_0.157';

/** When an upstream is left out, and how it comes back. Keys of ours: the Collector has none of it. */
export interface HealthSettings {
  /** `interval`. @default 10 000 */
  readonly intervalMs: number;
  /** `timeout` of one check. @default 5 000 */
  readonly timeoutMs: number;
  /** `type`: grpc asks the health service, where an upstream that has none is healthy; connect opens a connection; none checks nothing. @default grpc */
  readonly type: 'grpc' | 'connect' | 'none';
  /** `eject_after`: failed requests in a row; 0 never. @default 3 */
  readonly ejectAfter: number;
  /** `return_after`: without checks, the time until an ejected one is tried again. @default 30 000 */
  readonly returnAfterMs: number;
  /** `slow_start`: the time in which one that is back gets its full share again. @default 30 000 */
  readonly slowStartMs: number;
}

export const DEFAULT_HEALTH: HealthSettings = {
  intervalMs: 10_000,
  timeoutMs: 5_000,
  type: 'grpc',
  ejectAfter: 3,
  returnAfterMs: 30_000,
  slowStartMs: 30_000,
};

/** `connections` of otlp_grpc; keys of ours. */
export interface ConnectionSettings {
  /** `max`: connections to one address at most. @default 100 */
  readonly max: number;
  /** `idle_timeout`: a connection without calls is closed; 0 never. @default 30 000 */
  readonly idleTimeoutMs: number;
}

export const DEFAULT_CONNECTIONS: ConnectionSettings = { max: 100, idleTimeoutMs: 30_000 };

/** How otlp_grpc spreads requests over the addresses of its endpoint. */
export interface BalanceSettings {
  readonly resolver: ResolverSettings;
  readonly balancer: BalancerName;
  readonly health: HealthSettings;
}

/** What `routing_key` of loadbalancing may be; which of them a signal has is upstream's table (loadbalancing-config.ts). */
export type RoutingKey = 'traceID' | 'service' | 'resource' | 'metric' | 'streamID' | 'attributes';

export interface RoutingSettings {
  readonly key: RoutingKey;
  /** `routing_attributes`; only for the key attributes. */
  readonly attributes: readonly string[];
}
