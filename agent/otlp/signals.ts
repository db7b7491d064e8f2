import type { Signal } from '../config/settings.ts';

/** What the protocol and the Collector's telemetry say of one signal (opentelemetry-proto v1.11.0). */
export interface SignalFacts {
  readonly signal: Signal;
  /** `:path` of the Export call. */
  readonly grpcPath: string;
  /** Default URL path of OTLP/HTTP. */
  readonly httpPath: string;
  /** The word in `otelcol_receiver_accepted_<word>`. */
  readonly metricWord: string;
  /** For people: "spans". */
  readonly itemWord: string;
  /** Whether requests may be joined by concatenation. Profiles may not: the message has one `dictionary` that all indices point into. */
  readonly mergeable: boolean;
}

export const SIGNAL_FACTS: Readonly<Record<Signal, SignalFacts>> = {
  traces: {
    signal: 'traces',
    grpcPath: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    httpPath: '/v1/traces',
    metricWord: 'spans',
    itemWord: 'spans',
    mergeable: true,
  },
  metrics: {
    signal: 'metrics',
    grpcPath: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    httpPath: '/v1/metrics',
    metricWord: 'metric_points',
    itemWord: 'data points',
    mergeable: true,
  },
  logs: {
    signal: 'logs',
    grpcPath: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    httpPath: '/v1/logs',
    metricWord: 'log_records',
    itemWord: 'log records',
    mergeable: true,
  },
  profiles: {
    signal: 'profiles',
    grpcPath: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
    httpPath: '/v1development/profiles',
    metricWord: 'profile_samples',
    itemWord: 'profile samples',
    mergeable: false,
  },
};
