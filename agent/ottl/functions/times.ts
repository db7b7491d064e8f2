import { Failure, wrongType } from '../errors.ts';
import { anything, int, optional, string } from '../kinds.ts';
import { Duration, int64, Time, typeName, type Value } from '../values.ts';
import { define, type FunctionDefinition } from './define.ts';

const SECOND = 1_000_000_000n;

/** Converters of pkg/ottl/ottlfuncs that are about times. Time and FormatTime (strptime formats) are not among them. */
export const TIME_CONVERTERS: readonly FunctionDefinition[] = [
  define('Now', {}, () => () => new Time(BigInt(Date.now()) * 1_000_000n, true)),
  define(
    'Unix',
    { seconds: int, nanoseconds: optional(int) },
    ({ seconds, nanoseconds }) =>
      (item) =>
        new Time(seconds.get(item) * SECOND + (nanoseconds?.get(item) ?? 0n), true),
  ),
  ofTime('UnixNano', ({ ns }) => int64(ns)),
  ofTime('UnixMicro', ({ ns }) => floored(ns, 1000n)),
  ofTime('UnixMilli', ({ ns }) => floored(ns, 1_000_000n)),
  ofTime('UnixSeconds', ({ ns }) => floored(ns, SECOND)),
  ofTime('Nanosecond', ({ ns }) => ns - floored(ns, SECOND) * SECOND),
  ofDate('Year', (date, isLocal) => (isLocal ? date.getFullYear() : date.getUTCFullYear())),
  ofDate('Month', (date, isLocal) => (isLocal ? date.getMonth() : date.getUTCMonth()) + 1),
  ofDate('Day', (date, isLocal) => (isLocal ? date.getDate() : date.getUTCDate())),
  ofDate('Weekday', (date, isLocal) => (isLocal ? date.getDay() : date.getUTCDay())),
  ofDate('Hour', (date, isLocal) => (isLocal ? date.getHours() : date.getUTCHours())),
  ofDate('Minute', (date, isLocal) => (isLocal ? date.getMinutes() : date.getUTCMinutes())),
  ofDate('Second', (date) => date.getUTCSeconds()),
  define('TruncateTime', { time: anything, duration: anything }, ({ time, duration }) => (item) => {
    const value = wantTime(time.get(item));
    const { ns } = wantDuration(duration.get(item));
    if (ns <= 0n) return value;
    // time.Truncate counts from the year 1.
    const since = value.ns - YEAR_ONE;
    return new Time(value.ns - (since - floored(since, ns) * ns), value.local);
  }),
  define(
    'Duration',
    { duration: string },
    ({ duration }) =>
      (item) =>
        parseDuration(duration.get(item)),
  ),
  ofDuration('Nanoseconds', (ns) => ns),
  ofDuration('Microseconds', (ns) => ns / 1000n),
  ofDuration('Milliseconds', (ns) => ns / 1_000_000n),
  ofDuration('Seconds', (ns) => parts(ns, SECOND)),
  ofDuration('Minutes', (ns) => parts(ns, 60n * SECOND)),
  ofDuration('Hours', (ns) => parts(ns, 3600n * SECOND)),
];

const YEAR_ONE = -62_135_596_800n * SECOND;

function ofTime(name: string, read: (time: Time) => Value): FunctionDefinition {
  return define(name, { time: anything }, ({ time }) => {
    if (time.constant !== undefined) wantTime(time.constant.value);
    return (item) => read(wantTime(time.get(item)));
  });
}

function ofDate(name: string, read: (date: Date, isLocal: boolean) => number): FunctionDefinition {
  return ofTime(name, ({ ns, local }) => BigInt(read(new Date(Number(floored(ns, SECOND)) * 1000), local)));
}

function ofDuration(name: string, read: (ns: bigint) => Value): FunctionDefinition {
  return define(name, { duration: anything }, ({ duration }) => {
    if (duration.constant !== undefined) wantDuration(duration.constant.value);
    return (item) => read(wantDuration(duration.get(item)).ns);
  });
}

function wantTime(value: Value): Time {
  if (value instanceof Time) return value;
  throw wrongType(`expected a time but got ${typeName(value)}`);
}

function wantDuration(value: Value): Duration {
  if (value instanceof Duration) return value;
  throw wrongType(`expected a duration but got ${typeName(value)}`);
}

/** Whole units and the rest apart, as Duration.Seconds() adds them. */
function parts(ns: bigint, unit: bigint): number {
  return Number(ns / unit) + Number(ns % unit) / Number(unit);
}

function floored(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

/** time.ParseDuration: `-1h30m`, `1.5s`, `0`. */
function parseDuration(text: string): Duration {
  const wrong = new Failure(`${JSON.stringify(text)} is no duration`);
  const sign = /^[+-]?/u.exec(text)?.[0] ?? '';
  let rest = text.slice(sign.length);
  if (rest === '0') return new Duration(0n);
  if (rest === '') throw wrong;
  let total = 0n;
  while (rest !== '') {
    const part = /^(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(ns|us|µs|μs|ms|s|m|h)/u.exec(rest);
    if (part === null) throw wrong;
    const unit = UNITS[part[4] as string] as bigint;
    const fraction = part[2] ?? part[3] ?? '';
    total += BigInt(part[1] ?? '0') * unit;
    if (fraction !== '') total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    rest = rest.slice(part[0].length);
  }
  if (sign === '-') total = -total;
  if (int64(total) !== total) throw wrong;
  return new Duration(total);
}
