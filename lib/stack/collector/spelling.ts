/** The Collector version that configurations are spelled for when none is named: the one that the tests run. */
export const COLLECTOR_VERSION = '0.155.0';

/** Which section of a configuration a component stands in. */
export class ComponentKind {
  public static readonly RECEIVER = new ComponentKind('receivers');
  public static readonly PROCESSOR = new ComponentKind('processors');
  public static readonly CONNECTOR = new ComponentKind('connectors');
  public static readonly EXPORTER = new ComponentKind('exporters');
  public static readonly EXTENSION = new ComponentKind('extensions');

  private constructor(
    /** The name of the section. */
    public readonly section: string,
  ) {}
}

interface Renaming {
  readonly section: string;
  readonly name: string;
  readonly before: string;
  /** The first minor version that knows the new name. */
  readonly since: number;
}

/**
 * Component types were renamed to lower snake case one by one (contrib #45339). A new name fails on an older image
 * ("unknown type"); an old name on a newer image is an alias that warns at start. So a `since` that errs does so towards late.
 */
const RENAMINGS: Renaming[] = [
  { section: 'exporters', name: 'otlp_grpc', before: 'otlp', since: 144 },
  { section: 'exporters', name: 'otlp_http', before: 'otlphttp', since: 144 },
  { section: 'processors', name: 'k8s_attributes', before: 'k8sattributes', since: 146 },
  { section: 'receivers', name: 'file_log', before: 'filelog', since: 149 },
  { section: 'receivers', name: 'host_metrics', before: 'hostmetrics', since: 153 },
  { section: 'receivers', name: 'kubelet_stats', before: 'kubeletstats', since: 153 },
  { section: 'processors', name: 'resource_detection', before: 'resourcedetection', since: 153 },
  // Renamed in contrib #47963 (merged after 0.151); 0.155 is the first version that the tests saw it in.
  { section: 'connectors', name: 'span_metrics', before: 'spanmetrics', since: 155 },
  // contrib #48705
  { section: 'exporters', name: 'prometheus_remote_write', before: 'prometheusremotewrite', since: 154 },
];

/** Turns the newest name of a component into the one that a pinned Collector knows. */
export class Spelling {
  /** @param version of the Collector, or of the one embedded in a program: Jaeger 2.13 embeds 0.140. */
  public static of(version: string): Spelling {
    const parts = /^v?0\.(\d+)(?:\.\d+)?(?:[-+].*)?$/.exec(version);
    if (!parts) {
      throw new Error(
        `Collector version '${version}' is not of the form 0.MINOR.PATCH: pass the version of the image, '${COLLECTOR_VERSION}' for instance`,
      );
    }
    return new Spelling(version, Number(parts[1]));
  }

  private constructor(
    public readonly version: string,
    private readonly minor: number,
  ) {}

  /** Whether the Collector is at least `0.minor`. */
  public atLeast(minor: number): boolean {
    return this.minor >= minor;
  }

  /** The type as this version knows it. Names that were never changed, and those of other distributions, stay as they are. */
  public typeOf(kind: ComponentKind, type: string): string {
    const renaming = RENAMINGS.find((entry) => entry.section === kind.section && (entry.name === type || entry.before === type));
    if (!renaming) {
      return type;
    }
    return this.atLeast(renaming.since) ? renaming.name : renaming.before;
  }
}
