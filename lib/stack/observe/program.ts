/**
 * A program whose metrics are known, and the labels that Prometheus' configuration gives to its targets.
 *
 * Names and labels are those seen at the live `/metrics` of the pinned version (`source: live@VERSION` in the catalogue).
 */
export class Program {
  /** The agent and the gateway: the Collector since 0.152 exposes names without unit and `_total`. */
  public static readonly COLLECTOR = Program.inPod('otelcol', false);
  /** Our agent, for what it says beyond the Collector's metrics. */
  public static readonly AGENT = Program.inPod('otlp-agent', false);
  /** What the gateway's prometheus exporter serves: span metrics of every service. It does add unit and `_total`. */
  public static readonly SPAN_METRICS = Program.inPod('otelcol', true);
  /** Jaeger 2.13 is built on Collector 0.140, which still adds unit and `_total`. */
  public static readonly JAEGER = Program.inPod('jaeger', true);
  /** The application service. */
  public static readonly SERVICE = Program.inPod('sample-service', false);
  public static readonly PROMETHEUS = Program.inPod('prometheus', false);
  public static readonly ALERTMANAGER = Program.inPod('alertmanager', false);
  /** Its samples carry the namespace, pod and container of the object that they describe (`honor_labels`). */
  public static readonly KUBE_STATE_METRICS = new Program('kube-state-metrics', ['job', 'instance'], false);
  /** cAdvisor and the kubelet itself, by port 10250 of each node. */
  public static readonly KUBELET = new Program('kubelet', ['job', 'instance', 'node'], false);
  /** What Prometheus writes about every scrape. */
  public static readonly SCRAPE = new Program('prometheus', ['job', 'instance'], false);
  /** Recording rules: their labels are those of the rule. */
  public static readonly RULES = new Program('prometheus', [], false);

  /**
   * Any other program that Prometheus scrapes in a pod.
   * @param id its catalogue entry
   */
  public static pod(id: string): Program {
    return Program.inPod(id, false);
  }

  private static inPod(id: string, addsSuffixes: boolean): Program {
    return new Program(id, ['job', 'instance', 'namespace', 'pod', 'container'], addsSuffixes);
  }

  private constructor(
    /** The catalogue's name of the program. */
    public readonly id: string,
    private readonly target: string[],
    /** Whether its exporter puts unit and `_total` behind OpenTelemetry names. */
    public readonly addsSuffixes: boolean,
  ) {}

  /** The labels that relabelling gives to each target of this program. */
  public get targetLabels(): string[] {
    return [...this.target];
  }
}
