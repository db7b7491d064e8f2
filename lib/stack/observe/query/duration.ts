import type { Duration } from 'cdk8s';

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/**
 * As Prometheus and Alertmanager read durations: `30d`, `5m`, `90s`.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
 */
export function printPromDuration(duration: Duration): string {
  const millis = duration.toMilliseconds();
  if (millis === 0) {
    return '0s';
  }
  const [unit, size] = UNITS.find(([, length]) => millis % length === 0) ?? ['ms', 1];
  return `${millis / size}${unit}`;
}
