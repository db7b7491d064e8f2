/**
 * Durations as Go writes them (`time.ParseDuration`): `100ms`, `1h30m`, `1.5s`, `-2s`, `0`. A number without a unit is nanoseconds,
 * as in the Collector; that is rarely meant, so the loader says so in a notice.
 */

const NANOSECONDS_PER_MILLISECOND = 1_000_000;

/** Go keeps durations in an int64 of nanoseconds: about 292 years. */
const MAX_NANOSECONDS = 2 ** 63 - 1;

const UNIT_NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const WHOLE = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/u;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gu;

/** Milliseconds of a Go duration, or undefined where Go refuses it. */
export function parseGoDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let nanoseconds = 0;
  for (const part of text.matchAll(PART)) nanoseconds += Number(part[1]) * (UNIT_NANOSECONDS[part[2] ?? ''] ?? 0);
  if (nanoseconds > MAX_NANOSECONDS) return undefined;
  return (text.startsWith('-') ? -nanoseconds : nanoseconds) / NANOSECONDS_PER_MILLISECOND;
}

/** `time.Duration` from a bare number. */
export function durationOfNanoseconds(nanoseconds: number): number {
  return nanoseconds / NANOSECONDS_PER_MILLISECOND;
}

/** The shortest of `1h30m`, `30s`, `200ms` that says the same, for messages and print-config. */
export function printGoDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  if (milliseconds < 0) return `-${printGoDuration(-milliseconds)}`;
  if (milliseconds < 1) return `${Math.round(milliseconds * NANOSECONDS_PER_MILLISECOND)}ns`;
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const seconds = Number(((milliseconds % 60_000) / 1000).toFixed(6));
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
}

/** setTimeout takes an int32; anything above fires at once. About 25 days, which stands for "without end". */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A duration that a timer can wait for. */
export function timerMs(milliseconds: number): number {
  return Math.min(milliseconds, LONGEST_TIMER_MS);
}

/** The same where 0 (and what is below) means without end. */
export function timeoutMs(milliseconds: number): number {
  return milliseconds > 0 ? timerMs(milliseconds) : LONGEST_TIMER_MS;
}
