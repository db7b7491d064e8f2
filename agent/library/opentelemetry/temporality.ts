import type { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';

/** As OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE has them (spec: metrics/sdk_exporters/otlp). */
export type TemporalityPreference = 'cumulative' | 'delta' | 'lowmemory';

/** The enum's own numbers: its package is no dependency of this one, and the numbers are on the wire of every release. */
const DELTA: AggregationTemporality = 0;
const CUMULATIVE: AggregationTemporality = 1;

const DELTAS: Readonly<Record<TemporalityPreference, ReadonlySet<string>>> = {
  cumulative: new Set(),
  delta: new Set(['COUNTER', 'OBSERVABLE_COUNTER', 'GAUGE', 'HISTOGRAM', 'OBSERVABLE_GAUGE']),
  lowmemory: new Set(['COUNTER', 'HISTOGRAM']),
};

/** The preference that was set, or that of the environment. A word that there is not is cumulative. */
export function preferenceOf(
  set: TemporalityPreference | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): TemporalityPreference {
  const word = set ?? environment.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE?.trim().toLowerCase() ?? '';
  return word === 'delta' || word === 'lowmemory' ? word : 'cumulative';
}

export function temporalityOf(preference: TemporalityPreference, instrument: InstrumentType): AggregationTemporality {
  return DELTAS[preference].has(String(instrument)) ? DELTA : CUMULATIVE;
}
