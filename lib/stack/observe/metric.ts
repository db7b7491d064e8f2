import type { Program } from './program';
import { type Match, Query } from './query';

/** What kind of figure a metric is. */
export class MetricType {
  /** Only ever grows, until its program restarts: look at its rate. */
  public static readonly COUNTER = new MetricType('counter');
  /** Goes up and down. */
  public static readonly GAUGE = new MetricType('gauge');
  /** Classic histogram: `_bucket`, `_sum` and `_count`. */
  public static readonly HISTOGRAM = new MetricType('histogram');

  private constructor(public readonly name: string) {}
}

/**
 * What a metric counts or measures.
 *
 * @see https://ucum.org/ucum
 */
export class Unit {
  public static readonly NONE = new Unit('1', '', 'short');
  public static readonly SECONDS = new Unit('s', 'seconds', 's');
  public static readonly MILLISECONDS = new Unit('ms', 'milliseconds', 'ms');
  public static readonly BYTES = new Unit('By', 'bytes', 'bytes');
  public static readonly RATIO = new Unit('1', 'ratio', 'percentunit');
  public static readonly REQUESTS = new Unit('{requests}', '', 'reqps');
  public static readonly SPANS = new Unit('{spans}', '', 'short');
  public static readonly ITEMS = new Unit('{items}', '', 'short');

  private constructor(
    /** UCUM, as OTLP carries it. */
    public readonly ucum: string,
    /** The word that Prometheus puts behind names; empty where none is. */
    public readonly word: string,
    /** Grafana's name of it: for a counter, that of its rate. */
    public readonly grafana: string,
  ) {}
}

/** The way a metric takes into Prometheus; it decides how its name is spelled there. */
export class MetricPath {
  /** Prometheus scrapes the program. */
  public static readonly SCRAPE = new MetricPath('scrape');
  /** The program sends OTLP, and Prometheus' OTLP endpoint adds unit and `_total`. */
  public static readonly OTLP = new MetricPath('otlp');
  /** A Collector scrapes the program and writes remotely: `_total` is added, but a scraped text has no unit to add. */
  public static readonly REMOTE_WRITE = new MetricPath('remote-write');

  private constructor(public readonly name: string) {}
}

export interface MetricProps {
  /** The name without what a path adds: neither unit nor `_total`, unless the program itself writes them. */
  readonly name: string;
  readonly type: MetricType;
  /** @default Unit.NONE */
  readonly unit?: Unit;
  /** Labels that the program sets. @default [] */
  readonly labels?: string[];
  /** One sentence for the reader of the reference. */
  readonly help: string;
  /** Who exposes it. */
  readonly program: Program;
}

/**
 * One metric, defined once: panels, alerts, recording rules, autoscaling triggers and the reference take name, labels and unit from
 * here.
 */
export class Metric {
  public readonly type: MetricType;
  public readonly unit: Unit;
  public readonly help: string;
  public readonly program: Program;
  private readonly base: string;
  private readonly own: string[];

  constructor(props: MetricProps) {
    this.base = props.name;
    this.type = props.type;
    this.unit = props.unit ?? Unit.NONE;
    this.own = [...(props.labels ?? [])];
    this.help = props.help;
    this.program = props.program;
  }

  /** The name in Prometheus. A histogram's series have `_bucket`, `_sum` and `_count` behind it. */
  public nameOn(path: MetricPath): string {
    if (path === MetricPath.OTLP) {
      return this.spell(true, true);
    }
    const exposed = this.program.addsSuffixes ? this.spell(true, true) : this.base;
    return path === MetricPath.REMOTE_WRITE ? withTotal(exposed, this.type) : exposed;
  }

  /** The name as scraped. */
  public get name(): string {
    return this.nameOn(MetricPath.SCRAPE);
  }

  /** Every label of a sample in Prometheus: the program's own, then the target's. */
  public get labels(): string[] {
    return [...new Set([...this.own, ...this.program.targetLabels])];
  }

  /** Labels that the program sets itself. */
  public get ownLabels(): string[] {
    return [...this.own];
  }

  /** The present samples; throws when a label does not exist on this metric. */
  public where(...matches: Match[]): Query {
    if (this.type === MetricType.HISTOGRAM) {
      throw new Error(`metric '${this.name}' is a histogram and has no samples of its own: use bucket(), sum() or count()`);
    }
    return this.select(this.name, this.labels, matches);
  }

  /** Observations up to the bound `le`, of a histogram. */
  public bucket(...matches: Match[]): Query {
    return this.part('_bucket', [...this.labels, 'le'], matches);
  }

  /** The sum of all observations of a histogram. */
  public sum(...matches: Match[]): Query {
    return this.part('_sum', this.labels, matches);
  }

  /** The number of observations of a histogram. */
  public count(...matches: Match[]): Query {
    return this.part('_count', this.labels, matches);
  }

  private part(suffix: string, labels: string[], matches: Match[]): Query {
    if (this.type !== MetricType.HISTOGRAM) {
      throw new Error(`metric '${this.name}' is a ${this.type.name} and has no '${suffix}': use where()`);
    }
    return this.select(`${this.name}${suffix}`, labels, matches);
  }

  private select(name: string, labels: string[], matches: Match[]): Query {
    const unknown = matches.find(({ label }) => !labels.includes(label));
    if (unknown) {
      throw new Error(
        `metric '${name}' has no label '${unknown.label}': ${this.program.id} sets ${quoted(this.own)}, the target has ${quoted(this.program.targetLabels)}`,
      );
    }
    return Query._select(name, labels, matches);
  }

  private spell(unit: boolean, total: boolean): string {
    const { word } = this.unit;
    const stem = this.base.replace(/_total$/, '');
    const measured = unit && word !== '' && !stem.endsWith(`_${word}`) ? `${stem}_${word}` : stem;
    return total ? withTotal(measured, this.type) : measured;
  }
}

function withTotal(name: string, type: MetricType): string {
  return type === MetricType.COUNTER && !name.endsWith('_total') ? `${name}_total` : name;
}

function quoted(labels: string[]): string {
  return labels.map((label) => `'${label}'`).join(', ') || 'none';
}
