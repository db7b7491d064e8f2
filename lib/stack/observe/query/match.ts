import { QueryDialect } from './dialect';

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** One condition on a label. */
export class Match {
  public static equal(label: string, value: string): Match {
    return new Match(label, '=', value);
  }

  public static notEqual(label: string, value: string): Match {
    return new Match(label, '!=', value);
  }

  /** @param pattern an RE2 expression; Prometheus anchors it at both ends */
  public static matches(label: string, pattern: string): Match {
    return new Match(label, '=~', pattern);
  }

  /** @param pattern an RE2 expression; Prometheus anchors it at both ends */
  public static notMatches(label: string, pattern: string): Match {
    return new Match(label, '!~', pattern);
  }

  /**
   * The value that the reader of a dashboard has chosen in the variable of the label's name; any non-empty value elsewhere.
   */
  public static variable(label: string): Match {
    return new Match(label, '=~', '.+', `$${label}`);
  }

  private constructor(
    public readonly label: string,
    /** `=`, `!=`, `=~` or `!~`. */
    public readonly operator: string,
    public readonly value: string,
    private readonly grafana = value,
  ) {
    if (!LABEL.test(label)) {
      throw new Error(`label '${label}' must start with a letter or '_' and have letters, digits and '_' only`);
    }
  }

  /** @internal */
  public _print(dialect: QueryDialect): string {
    // A JSON string is a valid PromQL string: both take their escapes from C.
    return `${this.label}${this.operator}${JSON.stringify(dialect === QueryDialect.GRAFANA ? this.grafana : this.value)}`;
  }
}
