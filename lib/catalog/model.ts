/**
 * The facts about one program at one version: what it is made of, where it listens, what it exposes. Data only, so that it can be
 * printed, compared and shipped as JSON.
 */
export interface ProgramFacts {
  /** The catalogue's name of the program, as in `otelcol`. */
  readonly program: string;
  /** The program's own version, as in `0.155.0`. */
  readonly version: string;
  /** Its name for people. */
  readonly title: string;
  /**
   * Whether the real lane starts exactly this version. Facts of a version that is not run come from upstream's files or documents.
   */
  readonly run: boolean;
  /** What a reader of these facts must know: what was run, what is left out. */
  readonly note?: string;
  /** The parts a configuration may name; empty for programs that are not made of components. Sorted by kind, then type. */
  readonly components: readonly ComponentFact[];
  /**
   * Distributions whose components are all listed, as in `contrib`: only there may a check say "there is no such component".
   * For any other distribution a type that is not listed is unknown, not absent.
   */
  readonly completeDistributions: readonly string[];
  /** Where it listens by default. Sorted by number. */
  readonly ports: readonly PortFact[];
  /** What it exposes. Sorted by endpoint, then name. */
  readonly metrics: readonly MetricFact[];
}

/**
 * Where a fact comes from: `live@VERSION` was seen at the running program, `upstream@VERSION_OR_COMMIT` was read in a file of the
 * program's own repository or module, `docs` in its documentation. Only the first two may make a finding of level error.
 */
export type Source = string;

/** The kinds of components in the Collector's grammar. */
export type ComponentKind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension' | 'provider';

/** One part that a configuration in the Collector's grammar may name. */
export interface ComponentFact {
  readonly kind: ComponentKind;
  /** The type as this version prefers it, as in `otlp_grpc`. */
  readonly type: string;
  /** Former spelling that this version still accepts, as in `otlp`; a configuration may use either. */
  readonly formerType?: string;
  /** Stability by signal (`traces`, `metrics`, `logs`, `profiles`; for connectors `traces_to_metrics` and so on; `extension`). */
  readonly stability: { readonly [signal: string]: string };
  /** Go module, with version. */
  readonly module?: string;
  /** Upstream's distributions that contain it, as in `contrib`. Absent where not known. */
  readonly distributions?: readonly string[];
  readonly source: Source;
  /** Where the former type, the stability and the distributions were read. */
  readonly upstream?: Source;
}

/** One address that a program listens on by default. */
export interface PortFact {
  /** What it is for, as in `otlp-grpc`. */
  readonly name: string;
  readonly port: number;
  readonly transport: 'TCP' | 'UDP';
  /** As in `grpc`, `http`. */
  readonly protocol: string;
  /** The path of an HTTP endpoint, where there is one of interest. */
  readonly path?: string;
  readonly source: Source;
  /** File or page of the source. */
  readonly where?: string;
}

/** The type of a metric as its exposition declares it. */
export type MetricKind = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

/** One metric family as a scrape of the program shows it. */
export interface MetricFact {
  /** As exposed in the Prometheus text format; histogram series add `_bucket`, `_sum` and `_count`. */
  readonly name: string;
  readonly type: MetricKind;
  /** One sentence, as exposed. */
  readonly help: string;
  /** UCUM unit, where upstream declares one. */
  readonly unit?: string;
  /** Labels that the program sets itself, `le` and `quantile` apart; what the target adds is not here. Sorted. */
  readonly labels: readonly string[];
  /** Which of the program's endpoints exposes it, as in `self` or `objects`. */
  readonly endpoint: string;
  /** When it is there, where it is not always: an option or an event. */
  readonly when?: string;
  readonly source: Source;
  /** File or page of the source. */
  readonly where?: string;
}
