import { QueryDialect } from './dialect';
import type { Join } from './join';
import type { Match } from './match';
import type { Window } from './window';

type Print = (dialect: QueryDialect) => string;

// Binding strength, weakest first; an operand that binds weaker than its operator is put into parentheses.
const OR = 1;
const AND = 2;
const COMPARE = 3;
const SUM = 4;
const PRODUCT = 5;
const ATOM = 9;

/**
 * A PromQL expression as a value: what cannot be joined or has no such label cannot be written.
 *
 * @example
 * const failed = metric.where(Match.matches('status', '5..')).over(Window.of(Duration.minutes(5))).rate().sumBy('job');
 */
export class Query {
  /** A number. */
  public static scalar(value: number): Query {
    return new Query(String(value) === 'Infinity' ? () => '+Inf' : () => String(value), []);
  }

  /** A sample without labels that always has this value. */
  public static vector(value: number): Query {
    return new Query(() => `vector(${value})`, []);
  }

  /** The time of evaluation in seconds since 1970. */
  public static time(): Query {
    return new Query(() => 'time()', []);
  }

  /** The first of `queries` that has a sample with certain labels gives it. */
  public static anyOf(...queries: Query[]): Query {
    return queries.slice(1).reduce((joined, next) => joined.or(next), queries[0] ?? Query.vector(0));
  }

  /** @internal */
  public static _expression(printer: Print, known: readonly string[]): Query {
    return new Query(printer, known);
  }

  /** The present samples of one metric. @internal */
  public static _select(name: string, labels: readonly string[], matches: readonly Match[]): Query {
    return new Query((dialect) => select(name, matches, dialect), labels, ATOM, matches);
  }

  private constructor(
    private readonly printer: Print,
    private readonly known: readonly string[],
    private readonly binding: number = ATOM,
    /** Only where the query is nothing but a selection. */
    private readonly matches?: readonly Match[],
  ) {}

  /** The labels that every sample of the result has. */
  public get labels(): string[] {
    return [...this.known];
  }

  /** The text of the expression. */
  public print(dialect: QueryDialect = QueryDialect.PROMETHEUS): string {
    return this.printer(dialect);
  }

  /** As in a rule file. */
  public toString(): string {
    return this.print();
  }

  public sumBy(...labels: string[]): Query {
    return this.aggregate('sum', labels);
  }

  public maxBy(...labels: string[]): Query {
    return this.aggregate('max', labels);
  }

  public minBy(...labels: string[]): Query {
    return this.aggregate('min', labels);
  }

  public averageBy(...labels: string[]): Query {
    return this.aggregate('avg', labels);
  }

  public countBy(...labels: string[]): Query {
    return this.aggregate('count', labels);
  }

  /** The value below which the share `quantile` of the observations lies; the query gives rates of buckets. */
  public histogramQuantile(quantile: number): Query {
    this.require('histogram_quantile', ['le']);
    return this.derive((inner) => `histogram_quantile(${quantile}, ${inner})`, this.without(['le']));
  }

  /** The samples of the last while, for functions over time; of anything but a metric, one at each evaluation of the rules. */
  public over(window: Window): RangeQuery {
    const step = this.matches ? '' : ':';
    return RangeQuery._of(
      (dialect) => `${enclose(this.print(dialect), this.binding < ATOM)}[${window._print(dialect)}${step}]`,
      this.labels,
    );
  }

  /** 1 when the query has no result at all, with the labels that a selection demands. */
  public absent(): Query {
    const demanded = (this.matches ?? []).filter(({ operator }) => operator === '=').map(({ label }) => label);
    return this.derive((inner) => `absent(${inner})`, demanded);
  }

  /** At least `least`: keeps a divisor from being zero. */
  public clampMin(least: number): Query {
    return this.derive((inner) => `clamp_min(${inner}, ${least})`, this.known);
  }

  /** The same samples with one more label. */
  public withLabel(label: string, value: string): Query {
    const text = JSON.stringify(value);
    return this.derive((inner) => `label_replace(${inner}, "${label}", ${text}, "", "")`, [...this.without([label]), label]);
  }

  public plus(other: Query, join?: Join): Query {
    return this.binary('+', SUM, other, join);
  }

  public minus(other: Query, join?: Join): Query {
    return this.binary('-', SUM, other, join);
  }

  public times(other: Query, join?: Join): Query {
    return this.binary('*', PRODUCT, other, join);
  }

  public dividedBy(other: Query, join?: Join): Query {
    return this.binary('/', PRODUCT, other, join);
  }

  /** Only samples greater than `threshold`. */
  public above(threshold: number): Query {
    return this.binary('>', COMPARE, Query.scalar(threshold));
  }

  /** Only samples of at least `threshold`. */
  public atLeast(threshold: number): Query {
    return this.binary('>=', COMPARE, Query.scalar(threshold));
  }

  /** Only samples smaller than `threshold`. */
  public below(threshold: number): Query {
    return this.binary('<', COMPARE, Query.scalar(threshold));
  }

  /** Only samples equal to `value`. */
  public equalTo(value: number): Query {
    return this.binary('==', COMPARE, Query.scalar(value));
  }

  /** Only samples smaller than their partner in `other`. */
  public belowOf(other: Query, join?: Join): Query {
    return this.binary('<', COMPARE, other, join);
  }

  /** Only samples at least as great as their partner in `other`. */
  public atLeastOf(other: Query, join?: Join): Query {
    return this.binary('>=', COMPARE, other, join);
  }

  /** Samples of this query that have a partner in `other`. */
  public and(other: Query, join?: Join): Query {
    return this.set('and', AND, other, this.known, join);
  }

  /** Samples of this query that have no partner in `other`. */
  public unless(other: Query, join?: Join): Query {
    return this.set('unless', AND, other, this.known, join);
  }

  /** Samples of this query, and those of `other` that have no partner here. */
  public or(other: Query, join?: Join): Query {
    const both = this.known.filter((label) => other.known.includes(label));
    return this.set('or', OR, other, both, join);
  }

  private derive(wrap: (inner: string) => string, labels: readonly string[]): Query {
    return new Query((dialect) => wrap(this.print(dialect)), labels);
  }

  private aggregate(operator: string, labels: string[]): Query {
    this.require(`${operator} by`, labels);
    const by = labels.length === 0 ? '' : ` by (${labels.join(', ')}) `;
    return this.derive((inner) => `${operator}${by}(${inner})`, labels);
  }

  private binary(operator: string, binding: number, other: Query, join?: Join): Query {
    const labels = join ? join._result(this.labels, other.labels) : this.pair(operator, other);
    return new Query(this.infix(operator, binding, other, join), labels, binding);
  }

  private set(operator: string, binding: number, other: Query, labels: readonly string[], join?: Join): Query {
    join?._result(this.labels, other.labels);
    return new Query(this.infix(operator, binding, other, join), labels, binding);
  }

  private infix(operator: string, binding: number, other: Query, join?: Join): Print {
    const matching = join ? ` ${join._print()}` : '';
    return (dialect) => {
      const left = enclose(this.print(dialect), this.binding < binding);
      // Operators of one rank group from the left.
      const right = enclose(other.print(dialect), other.binding <= binding);
      return `${left} ${operator}${matching} ${right}`;
    };
  }

  /** Without a join Prometheus pairs samples with equal labels only: different label sets would silently give nothing. */
  private pair(operator: string, other: Query): readonly string[] {
    if (other.known.length === 0) {
      return this.known;
    }
    const differing = [...this.known, ...other.known].filter((label) => !this.known.includes(label) || !other.known.includes(label));
    if (differing.length > 0) {
      throw new Error(
        `${this.print()} ${operator} ${other.print()}: the sides differ in ${differing.map((label) => `'${label}'`).join(', ')} and would never match: pass Join.on(...) or Join.ignoring(...)`,
      );
    }
    return this.known;
  }

  private without(labels: string[]): string[] {
    return this.known.filter((label) => !labels.includes(label));
  }

  private require(what: string, labels: string[]): void {
    const missing = labels.find((label) => !this.known.includes(label));
    if (missing !== undefined) {
      throw new Error(
        `${what} '${missing}': ${this.print()} has only ${this.known.map((label) => `'${label}'`).join(', ') || 'no labels'}: use one of them`,
      );
    }
  }
}

/** Samples over a window: the operand of `rate` and its like. */
export class RangeQuery {
  /** @internal */
  public static _of(printer: Print, known: readonly string[]): RangeQuery {
    return new RangeQuery(printer, known);
  }

  private constructor(
    private readonly printer: Print,
    private readonly known: readonly string[],
  ) {}

  /** Increase per second of a counter. */
  public rate(): Query {
    return this.call('rate');
  }

  /** Increase of a counter over the window. */
  public increase(): Query {
    return this.call('increase');
  }

  public maxOverTime(): Query {
    return this.call('max_over_time');
  }

  public minOverTime(): Query {
    return this.call('min_over_time');
  }

  public averageOverTime(): Query {
    return this.call('avg_over_time');
  }

  private call(name: string): Query {
    return Query._expression((dialect) => `${name}(${this.printer(dialect)})`, this.known);
  }
}

function select(name: string, matches: readonly Match[], dialect: QueryDialect): string {
  const conditions = matches.map((match) => match._print(dialect)).join(', ');
  return conditions === '' ? name : `${name}{${conditions}}`;
}

function enclose(text: string, needed: boolean): string {
  return needed ? `(${text})` : text;
}
