/** Which controller runs the pods of a component. */
export class WorkloadKind {
  public static readonly DEPLOYMENT = new WorkloadKind('Deployment', 'apps/v1');
  /** Stable names and a volume per pod; its headless Service is derived. */
  public static readonly STATEFUL_SET = new WorkloadKind('StatefulSet', 'apps/v1');
  /** One pod per node. */
  public static readonly DAEMON_SET = new WorkloadKind('DaemonSet', 'apps/v1');
  /** Runs to its end. */
  public static readonly JOB = new WorkloadKind('Job', 'batch/v1');

  private constructor(
    /** The Kubernetes kind. */
    public readonly kind: string,
    public readonly apiVersion: string,
  ) {}
}
