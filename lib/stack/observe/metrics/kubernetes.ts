import { Metric, MetricType, Unit } from '../metric';
import { Program } from '../program';

function gauge(name: string, labels: string[], help: string): Metric {
  return new Metric({ name, type: MetricType.GAUGE, labels, help, program: Program.KUBE_STATE_METRICS });
}

/**
 * What kube-state-metrics says about the objects of the cluster.
 *
 * @see https://github.com/kubernetes/kube-state-metrics/tree/v2.15.0/docs/metrics
 */
export class KubernetesMetrics {
  private static readonly CONTAINER = ['namespace', 'pod', 'uid', 'container'];

  public static readonly CONTAINER_LIMIT = gauge(
    'kube_pod_container_resource_limits',
    [...KubernetesMetrics.CONTAINER, 'node', 'resource', 'unit'],
    'Limits of containers.',
  );
  /** Native sidecars are init containers to Kubernetes: their limits stand here and nowhere else. */
  public static readonly INIT_CONTAINER_LIMIT = gauge(
    'kube_pod_init_container_resource_limits',
    [...KubernetesMetrics.CONTAINER, 'node', 'resource', 'unit'],
    'Limits of init containers, native sidecars among them.',
  );
  public static readonly CONTAINER_RESTARTS = new Metric({
    name: 'kube_pod_container_status_restarts_total',
    type: MetricType.COUNTER,
    labels: KubernetesMetrics.CONTAINER,
    help: 'Restarts of containers.',
    program: Program.KUBE_STATE_METRICS,
  });
  public static readonly INIT_CONTAINER_RESTARTS = new Metric({
    name: 'kube_pod_init_container_status_restarts_total',
    type: MetricType.COUNTER,
    labels: KubernetesMetrics.CONTAINER,
    help: 'Restarts of init containers, native sidecars among them.',
    program: Program.KUBE_STATE_METRICS,
  });
  public static readonly POD_READY = gauge(
    'kube_pod_status_ready',
    ['namespace', 'pod', 'uid', 'condition'],
    'Whether a pod is ready: 1 for the condition that holds.',
  );
  public static readonly POD_PHASE = gauge(
    'kube_pod_status_phase',
    ['namespace', 'pod', 'uid', 'phase'],
    'The phase of a pod: 1 for the phase that holds.',
  );
  public static readonly DEPLOYMENT_WANTED = gauge(
    'kube_deployment_spec_replicas',
    ['namespace', 'deployment'],
    'Replicas that are wanted.',
  );
  public static readonly DEPLOYMENT_AVAILABLE = gauge(
    'kube_deployment_status_replicas_available',
    ['namespace', 'deployment'],
    'Replicas that are available.',
  );
  public static readonly STATEFUL_SET_WANTED = gauge(
    'kube_statefulset_replicas',
    ['namespace', 'statefulset'],
    'Replicas that are wanted.',
  );
  public static readonly STATEFUL_SET_READY = gauge(
    'kube_statefulset_status_replicas_ready',
    ['namespace', 'statefulset'],
    'Replicas that are ready.',
  );
  public static readonly DAEMON_SET_UNAVAILABLE = gauge(
    'kube_daemonset_status_number_unavailable',
    ['namespace', 'daemonset'],
    'Nodes that should run the pod and on which it is not available.',
  );
  public static readonly JOB_FAILED = gauge('kube_job_failed', ['namespace', 'job_name', 'condition'], 'Whether a Job has failed.');
  public static readonly AUTOSCALER_MAXIMUM = gauge(
    'kube_horizontalpodautoscaler_spec_max_replicas',
    ['namespace', 'horizontalpodautoscaler'],
    'The most replicas that an autoscaler may set.',
  );
  public static readonly AUTOSCALER_WANTED = gauge(
    'kube_horizontalpodautoscaler_status_desired_replicas',
    ['namespace', 'horizontalpodautoscaler'],
    'The replicas that an autoscaler wants.',
  );

  public static all(): Metric[] {
    return [
      KubernetesMetrics.CONTAINER_LIMIT,
      KubernetesMetrics.INIT_CONTAINER_LIMIT,
      KubernetesMetrics.CONTAINER_RESTARTS,
      KubernetesMetrics.INIT_CONTAINER_RESTARTS,
      KubernetesMetrics.POD_READY,
      KubernetesMetrics.POD_PHASE,
      KubernetesMetrics.DEPLOYMENT_WANTED,
      KubernetesMetrics.DEPLOYMENT_AVAILABLE,
      KubernetesMetrics.STATEFUL_SET_WANTED,
      KubernetesMetrics.STATEFUL_SET_READY,
      KubernetesMetrics.DAEMON_SET_UNAVAILABLE,
      KubernetesMetrics.JOB_FAILED,
      KubernetesMetrics.AUTOSCALER_MAXIMUM,
      KubernetesMetrics.AUTOSCALER_WANTED,
    ];
  }

  private constructor() {}
}

/** What kube-state-metrics says about itself. */
export class KubeStateMetricsMetrics {
  public static readonly LISTS = new Metric({
    name: 'kube_state_metrics_list_total',
    type: MetricType.COUNTER,
    labels: ['resource', 'result'],
    help: 'Times that objects of a kind were listed, by result (success, error).',
    program: Program.pod('kube-state-metrics'),
  });

  public static all(): Metric[] {
    return [KubeStateMetricsMetrics.LISTS];
  }

  private constructor() {}
}

/** What the kubelet and the cAdvisor in it measure on each node. */
export class NodeMetrics {
  /** What the kernel cannot reclaim: the figure by which a container is killed. `container_memory_usage_bytes` counts the page cache too. */
  public static readonly MEMORY_WORKING_SET = new Metric({
    name: 'container_memory_working_set_bytes',
    type: MetricType.GAUGE,
    unit: Unit.BYTES,
    labels: ['namespace', 'pod', 'container', 'image', 'name', 'id'],
    help: 'Memory of a container that the kernel cannot reclaim.',
    program: Program.KUBELET,
  });
  public static readonly CPU_USAGE = new Metric({
    name: 'container_cpu_usage_seconds_total',
    type: MetricType.COUNTER,
    unit: Unit.SECONDS,
    labels: ['namespace', 'pod', 'container', 'image', 'name', 'id', 'cpu'],
    help: 'CPU time of a container.',
    program: Program.KUBELET,
  });
  public static readonly VOLUME_AVAILABLE = new Metric({
    name: 'kubelet_volume_stats_available_bytes',
    type: MetricType.GAUGE,
    unit: Unit.BYTES,
    labels: ['namespace', 'persistentvolumeclaim'],
    help: 'Free space of a persistent volume.',
    program: Program.KUBELET,
  });
  public static readonly VOLUME_CAPACITY = new Metric({
    name: 'kubelet_volume_stats_capacity_bytes',
    type: MetricType.GAUGE,
    unit: Unit.BYTES,
    labels: ['namespace', 'persistentvolumeclaim'],
    help: 'Size of a persistent volume.',
    program: Program.KUBELET,
  });

  public static all(): Metric[] {
    return [NodeMetrics.MEMORY_WORKING_SET, NodeMetrics.CPU_USAGE, NodeMetrics.VOLUME_AVAILABLE, NodeMetrics.VOLUME_CAPACITY];
  }

  private constructor() {}
}
