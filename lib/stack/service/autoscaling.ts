import { Duration } from 'cdk8s';
import {
  type AutoscalerProps,
  PolicySelection,
  type ScalingBehavior,
  ScalingMetric,
  ScalingPolicy,
  scaleByHpa,
  scaleByKeda,
} from '../derive/scaling';
import type { Component } from '../model/component';
import type { IEndpoint } from '../model/endpoint';

/** Bounds and targets that both kinds of autoscaler share. */
export interface AutoscalingOptions {
  /** @default 3 */
  readonly minReplicas?: number;
  /** @default 20 */
  readonly maxReplicas?: number;
  /** Average use of the application container's CPU request, in per cent. @default 70 */
  readonly cpuPercent?: number;
  /** Average use of the application container's memory request, in per cent. @default 80 */
  readonly memoryPercent?: number;
  /** Requests per second that one pod should serve. @default 1000 */
  readonly requestsPerSecond?: number;
  /** @default - see {@link DEFAULT_BEHAVIOR} */
  readonly behavior?: ScalingBehavior;
}

export interface HpaOptions extends AutoscalingOptions {
  /**
   * An adapter of the custom metrics API serves `http_requests_per_second`. Without one the HPA would wait for the metric for ever,
   * so the metric is printed only then.
   * @default false
   */
  readonly customMetricsAdapter?: boolean;
}

/** Up at once and by as much as it takes; down slowly. */
export const DEFAULT_BEHAVIOR: ScalingBehavior = {
  scaleUp: {
    stabilizationWindow: Duration.seconds(0),
    select: PolicySelection.MAX,
    policies: [ScalingPolicy.percent(100, Duration.seconds(30)), ScalingPolicy.pods(4, Duration.seconds(30))],
  },
  scaleDown: {
    stabilizationWindow: Duration.seconds(300),
    select: PolicySelection.MIN,
    policies: [ScalingPolicy.percent(50, Duration.seconds(60)), ScalingPolicy.pods(2, Duration.seconds(60))],
  },
};

/** Where the request rate of a service can be asked for. */
export interface RequestRateSource {
  /** The API of Prometheus. */
  readonly prometheus: IEndpoint;
  /** Requests per second of the whole service, in PromQL. */
  readonly query: string;
}

/** Who owns the number of replicas: exactly one of these. */
export class Autoscaling {
  /** A KEDA ScaledObject: cpu, memory and the request rate from Prometheus. KEDA is a prerequisite of the cluster. */
  public static keda(options: AutoscalingOptions = {}): Autoscaling {
    return new Autoscaling('keda', options);
  }

  /** A HorizontalPodAutoscaler (autoscaling/v2): cpu and memory, the request rate only through a declared adapter. */
  public static hpa(options: HpaOptions = {}): Autoscaling {
    return new Autoscaling('hpa', options);
  }

  /** A fixed number of replicas. */
  public static none(): Autoscaling {
    return new Autoscaling('none', {});
  }

  private constructor(
    /** `keda`, `hpa` or `none`. */
    public readonly kind: string,
    private readonly options: HpaOptions,
  ) {}

  /** @internal */
  public _apply(component: Component, container: string, rate: RequestRateSource | undefined): void {
    const { options } = this;
    const perPod = options.requestsPerSecond ?? 1000;
    const metrics = [
      ScalingMetric.containerCpu(container, options.cpuPercent ?? 70),
      ScalingMetric.containerMemory(container, options.memoryPercent ?? 80),
    ];
    const bounds = (all: ScalingMetric[]): AutoscalerProps => ({
      minReplicas: options.minReplicas ?? 3,
      maxReplicas: options.maxReplicas ?? 20,
      metrics: all,
      behavior: options.behavior ?? DEFAULT_BEHAVIOR,
    });
    if (this.kind === 'hpa') {
      scaleByHpa(
        component,
        bounds(options.customMetricsAdapter ? [...metrics, ScalingMetric.pods('http_requests_per_second', perPod)] : metrics),
      );
    } else if (this.kind === 'keda') {
      scaleByKeda(component, bounds(rate ? [...metrics, ScalingMetric.prometheus(rate.prometheus.url, rate.query, perPod)] : metrics));
    }
  }
}
