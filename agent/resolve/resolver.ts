/** One place that can take data: what a resolver finds. Its identity is `host:port`. */
export interface Upstream {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Share of the traffic against the others where the balancer weighs; an integer from 1. @default 1 */
  readonly weight: number;
  /**
   * What the Collector's ring would hash, where that is not `host:port`: an endpoint that was written without a port, or an address
   * that a resolver without a `port` found, gets 4317 only when it is dialled.
   */
  readonly ringName?: string;
}

/** How a resolver is doing, in words for health and logs. */
export interface ResolverStatus {
  /** False where the last try failed; the last good list is still used then. */
  readonly ok: boolean;
  readonly message: string;
}

/** What a resolver has done since its start; plain numbers, read when somebody scrapes. */
export interface ResolverCounts {
  /** Answers that could be read, watch events included. */
  readonly resolutions: number;
  /** Tries that failed: the server away, an answer that makes no sense, a timeout. */
  readonly failures: number;
  /** Times that the list was another one than before. */
  readonly changes: number;
  /** Places in the list now. */
  readonly upstreams: number;
}

/**
 * Finds the upstreams of a balancer and says when they change.
 *
 * What holds for each kind: `onChange` is called with the whole list, sorted by `host:port`, and only when it differs from the last
 * one; it may be called before start() returns. An outage of the resolver's own server never takes an upstream away; only an answer
 * does. After close() nothing is called or open any more.
 */
export interface Resolver {
  /** Of the metrics and logs. */
  readonly kind: 'static' | 'dns' | 'k8s' | 'consul' | 'etcd';
  /** Resolves after the first answer or the first failed try; it does not reject. */
  start(onChange: (upstreams: readonly Upstream[]) => void): Promise<void>;
  close(): Promise<void>;
  readonly status: ResolverStatus;
  readonly counts: ResolverCounts;
}

/** `host:port`, with brackets around IPv6: what a list is sorted by and an endpoint is called. */
export function upstreamKey({ host, port }: Pick<Upstream, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
