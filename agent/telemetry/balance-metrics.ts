import type { Signal } from '../config/settings.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { Counters } from './counters.ts';
import type { MetricDefinition } from './metrics.ts';
import { resolverMetrics } from './resolver-metrics.ts';

/** Upper bounds in milliseconds, those of the Collector. */
const LATENCY_BOUNDS_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** What one upstream was asked and how that went. */
export class BackendCounters {
  readonly endpoint: string;
  /** Attempts that were answered with success, partial ones included. */
  succeeded = 0;
  failed = 0;
  /** By LATENCY_BOUNDS_MS, the last one for what is above all of them. */
  readonly latency = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
  latencySumMs = 0;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  attempted(ok: boolean, ms: number): void {
    if (ok) this.succeeded += 1;
    else this.failed += 1;
    this.latencySumMs += ms;
    const at = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
    (this.latency[at < 0 ? LATENCY_BOUNDS_MS.length : at] as number) += 1;
  }
}

/** One loadbalancing exporter for one signal. */
export class BalanceCounters {
  readonly exporter: string;
  readonly signal: Signal;
  readonly resolver: Pick<Resolver, 'kind' | 'counts' | 'status'>;
  /** Of the upstreams that are there. */
  readonly backends = new Map<string, BackendCounters>();
  /** Items that went to another upstream than their key's, as the queue of that one was full. */
  spilled = 0;
  /** Items that an upstream gave back, as it left, was ejected or failed, and that went to others. */
  rerouted = 0;
  ejections = 0;
  /** Upstreams that are left out now. */
  ejected = 0;

  constructor(exporter: string, signal: Signal, resolver: Pick<Resolver, 'kind' | 'counts' | 'status'>) {
    this.exporter = exporter;
    this.signal = signal;
    this.resolver = resolver;
  }

  backend(endpoint: string): BackendCounters {
    const present = this.backends.get(endpoint) ?? new BackendCounters(endpoint);
    this.backends.set(endpoint, present);
    return present;
  }
}

/** Beside the agent's counters, for as long as those live. */
const ALL = new WeakMap<Counters, Set<BalanceCounters>>();

/** The balancers that count for an agent; a line adds itself and takes itself away. */
export function balancersOf(counters: Counters): Set<BalanceCounters> {
  const present = ALL.get(counters) ?? new Set();
  ALL.set(counters, present);
  return present;
}

const RESOLVER_LABELS = ['resolver', 'exporter', 'data_type'];
const BACKEND_LABELS = ['endpoint', 'exporter', 'data_type'];

/**
 * The Collector's metrics of its loadbalancing exporter, and some of ours. Theirs have no labels exporter and data_type, so that two
 * exporters overwrite each other's gauge. Its latency and outcome are those of handing over to a queue; ours are of real requests.
 * The latency is a histogram, printed as its three series.
 */
export function balanceMetrics(counters: Counters): MetricDefinition[] {
  const all = balancersOf(counters);
  const ofResolver = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (one: BalanceCounters) => number,
  ): MetricDefinition => ({
    name,
    type,
    help,
    labels: RESOLVER_LABELS,
    upstream: true,
    samples: () => [...all].map((one) => ({ labels: { resolver: one.resolver.kind, ...own(one) }, value: value(one) })),
  });
  return [
    {
      name: 'otelcol_loadbalancer_num_resolutions',
      type: 'counter',
      help: 'Number of times the resolver has triggered new resolutions.',
      labels: [...RESOLVER_LABELS, 'success'],
      upstream: true,
      *samples() {
        for (const one of all) {
          const labels = { resolver: one.resolver.kind, ...own(one) };
          yield { labels: { ...labels, success: 'true' }, value: one.resolver.counts.resolutions };
          yield { labels: { ...labels, success: 'false' }, value: one.resolver.counts.failures };
        }
      },
    },
    ofResolver('otelcol_loadbalancer_num_backends', 'gauge', 'Current number of backends in use.', (one) => one.resolver.counts.upstreams),
    ofResolver(
      'otelcol_loadbalancer_num_backend_updates',
      'counter',
      'Number of times the list of backends was updated.',
      (one) => one.resolver.counts.changes,
    ),
    {
      name: 'otelcol_loadbalancer_backend_outcome',
      type: 'counter',
      help: 'Number of successes and failures for each endpoint.',
      labels: [...BACKEND_LABELS, 'success'],
      upstream: true,
      *samples() {
        for (const { labels, backend } of backends(all)) {
          yield { labels: { ...labels, success: 'true' }, value: backend.succeeded };
          yield { labels: { ...labels, success: 'false' }, value: backend.failed };
        }
      },
    },
    ...latencyMetrics(all),
    ...ownMetrics(all),
    ...resolverMetrics(() => all),
  ];
}

function latencyMetrics(all: ReadonlySet<BalanceCounters>): MetricDefinition[] {
  const name = 'otelcol_loadbalancer_backend_latency';
  return [
    {
      name: `${name}_bucket`,
      type: 'counter',
      help: 'Response latency in ms for the backends: requests up to this long.',
      labels: [...BACKEND_LABELS, 'le'],
      upstream: true,
      *samples() {
        for (const { labels, backend } of backends(all)) {
          let sum = 0;
          for (const [i, count] of backend.latency.entries()) {
            sum += count;
            yield { labels: { ...labels, le: LATENCY_BOUNDS_MS[i] === undefined ? '+Inf' : String(LATENCY_BOUNDS_MS[i]) }, value: sum };
          }
        }
      },
    },
    {
      name: `${name}_sum`,
      type: 'counter',
      help: 'Response latency in ms for the backends: sum.',
      labels: BACKEND_LABELS,
      upstream: true,
      samples: () => [...backends(all)].map(({ labels, backend }) => ({ labels, value: backend.latencySumMs })),
    },
    {
      name: `${name}_count`,
      type: 'counter',
      help: 'Response latency in ms for the backends: requests.',
      labels: BACKEND_LABELS,
      upstream: true,
      samples: () => [...backends(all)].map(({ labels, backend }) => ({ labels, value: backend.succeeded + backend.failed })),
    },
  ];
}

function ownMetrics(all: ReadonlySet<BalanceCounters>): MetricDefinition[] {
  const fields = [
    ['otlp_agent_loadbalancer_rerouted_items', 'counter', 'Number of items that one upstream gave back and others got.', 'rerouted'],
    [
      'otlp_agent_loadbalancer_spilled_items',
      'counter',
      "Number of items that went to another upstream than their key's, as its queue was full.",
      'spilled',
    ],
    ['otlp_agent_loadbalancer_ejections', 'counter', 'Number of times that an upstream was left out as it failed.', 'ejections'],
    ['otlp_agent_loadbalancer_ejected_backends', 'gauge', 'Upstreams that are left out now.', 'ejected'],
  ] as const;
  return fields.map(([name, type, help, field]) => ({
    name,
    type,
    help,
    labels: ['exporter', 'data_type'],
    upstream: false,
    samples: () => [...all].map((one) => ({ labels: own(one), value: one[field] })),
  }));
}

function own({ exporter, signal }: BalanceCounters): Record<string, string> {
  return { exporter, data_type: signal };
}

function* backends(
  all: ReadonlySet<BalanceCounters>,
): Generator<{ readonly labels: Record<string, string>; readonly backend: BackendCounters }> {
  for (const one of all)
    for (const backend of one.backends.values()) yield { labels: { endpoint: backend.endpoint, ...own(one) }, backend };
}
