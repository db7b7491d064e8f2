import type { MathOperator } from './ast.ts';
import { Failure } from './errors.ts';
import { Duration, int64, Time, typeName, type Value } from './values.ts';

/** pkg/ottl/math.go: integers wrap around and divide without a rest, one double makes doubles of both; times and durations add up. */
export function calculate(x: Value, operator: MathOperator, y: Value): Value {
  if (typeof x === 'bigint') {
    if (typeof y === 'bigint') return integers(x, operator, y);
    if (typeof y === 'number') return doubles(Number(x), operator, y);
  } else if (typeof x === 'number') {
    if (typeof y === 'bigint') return doubles(x, operator, Number(y));
    if (typeof y === 'number') return doubles(x, operator, y);
  } else if (x instanceof Time || x instanceof Duration) {
    const result = times(x, operator, y);
    if (result !== undefined) return result;
  }
  throw new Failure(`cannot calculate ${typeName(x)} ${operator} ${typeName(y)}`);
}

export function negated(value: Value): Value {
  if (typeof value === 'bigint') return int64(-value);
  if (typeof value === 'number') return -value;
  throw new Failure(`cannot negate a ${typeName(value)}`);
}

function integers(x: bigint, operator: MathOperator, y: bigint): bigint {
  switch (operator) {
    case '+':
      return int64(x + y);
    case '-':
      return int64(x - y);
    case '*':
      return int64(x * y);
    case '/':
      if (y === 0n) throw new Failure('division by 0');
      return int64(x / y);
  }
}

function doubles(x: number, operator: MathOperator, y: number): number {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0) throw new Failure('division by 0');
      return x / y;
  }
}

const MAX_DURATION = 2n ** 63n - 1n;

function times(x: Time | Duration, operator: MathOperator, y: Value): Value {
  if (operator === '+') {
    if (x instanceof Time && y instanceof Duration) return new Time(x.ns + y.ns, x.local);
    if (x instanceof Duration && y instanceof Time) return new Time(x.ns + y.ns, y.local);
    if (x instanceof Duration && y instanceof Duration) return new Duration(int64(x.ns + y.ns));
  } else if (operator === '-') {
    if (x instanceof Time && y instanceof Duration) return new Time(x.ns - y.ns, x.local);
    if (x instanceof Duration && y instanceof Duration) return new Duration(int64(x.ns - y.ns));
    // Time.Sub ends at the longest duration instead of wrapping around.
    if (x instanceof Time && y instanceof Time) return new Duration(clamped(x.ns - y.ns));
  }
  return undefined;
}

function clamped(ns: bigint): bigint {
  if (ns > MAX_DURATION) return MAX_DURATION;
  return ns < -MAX_DURATION - 1n ? -MAX_DURATION - 1n : ns;
}
