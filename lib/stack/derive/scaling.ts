import { ApiObject, type Duration } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Component } from '../model/component';

/** One step rule of a scaling direction. */
export class ScalingPolicy {
  /** At most this share of the present replicas per period. */
  public static percent(value: number, period: Duration): ScalingPolicy {
    return new ScalingPolicy('Percent', value, period);
  }

  /** At most this many pods per period. */
  public static pods(value: number, period: Duration): ScalingPolicy {
    return new ScalingPolicy('Pods', value, period);
  }

  private constructor(
    private readonly type: string,
    private readonly value: number,
    private readonly period: Duration,
  ) {}

  /** @internal */
  public _toKube(): k8s.HpaScalingPolicyV2 {
    return { type: this.type, value: this.value, periodSeconds: this.period.toSeconds() };
  }
}

/** Which of several policies counts. */
export class PolicySelection {
  public static readonly MAX = new PolicySelection('Max');
  public static readonly MIN = new PolicySelection('Min');
  public static readonly DISABLED = new PolicySelection('Disabled');

  private constructor(public readonly name: string) {}
}

export interface ScalingRules {
  readonly stabilizationWindow: Duration;
  readonly select: PolicySelection;
  readonly policies: ScalingPolicy[];
}

/** How fast an autoscaler moves in each direction. */
export interface ScalingBehavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

/**
 * One figure that an autoscaler holds at its target.
 *
 * cpu and memory are those of one container: the pod's sum would count the sidecar too.
 */
export class ScalingMetric {
  /** Average use of a container's CPU request, in per cent. */
  public static containerCpu(container: string, percent: number): ScalingMetric {
    return new ScalingMetric(resourceMetric(container, 'cpu', percent), resourceTrigger(container, 'cpu', percent));
  }

  /** Average use of a container's memory request, in per cent. */
  public static containerMemory(container: string, percent: number): ScalingMetric {
    return new ScalingMetric(resourceMetric(container, 'memory', percent), resourceTrigger(container, 'memory', percent));
  }

  /**
   * A metric per pod, as an adapter of the custom metrics API serves it: HPA only.
   * @param average the value that each pod should have
   */
  public static pods(metric: string, average: number): ScalingMetric {
    return new ScalingMetric(
      {
        type: 'Pods',
        pods: { metric: { name: metric }, target: { type: 'AverageValue', averageValue: k8s.Quantity.fromString(String(average)) } },
      },
      undefined,
    );
  }

  /**
   * The result of a query to Prometheus, divided by the number of pods: KEDA only.
   * @param serverAddress the URL of Prometheus
   * @param threshold the value that each pod should have
   */
  public static prometheus(serverAddress: string, query: string, threshold: number): ScalingMetric {
    return new ScalingMetric(undefined, {
      type: 'prometheus',
      metadata: { serverAddress, query, threshold: String(threshold), ignoreNullValues: 'false' },
      metricType: 'AverageValue',
    });
  }

  private constructor(
    private readonly hpa: k8s.MetricSpecV2 | undefined,
    private readonly keda: object | undefined,
  ) {}

  /** @internal */
  public _toHpa(): k8s.MetricSpecV2 | undefined {
    return this.hpa;
  }

  /** @internal */
  public _toKeda(): object | undefined {
    return this.keda;
  }
}

export interface AutoscalerProps {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: ScalingMetric[];
  /** @default - that of the HorizontalPodAutoscaler */
  readonly behavior?: ScalingBehavior;
}

/** Gives the replicas of `component` to a HorizontalPodAutoscaler (autoscaling/v2). */
export function scaleByHpa(component: Component, props: AutoscalerProps): void {
  checkRange(component, props);
  component._markAutoscaled('HorizontalPodAutoscaler');
  new k8s.KubeHorizontalPodAutoscalerV2(component, 'HorizontalPodAutoscaler', {
    metadata: component.metadata(),
    spec: {
      scaleTargetRef: target(component),
      minReplicas: props.minReplicas,
      maxReplicas: props.maxReplicas,
      metrics: props.metrics.map((metric) => supported(component, metric._toHpa(), 'HorizontalPodAutoscaler', 'a KEDA ScaledObject')),
      behavior: props.behavior && hpaBehavior(props.behavior),
    },
  });
}

/**
 * Gives the replicas of `component` to a KEDA ScaledObject, which makes its own HorizontalPodAutoscaler.
 *
 * @see https://keda.sh/docs/2.21/reference/scaledobject-spec/
 */
export function scaleByKeda(component: Component, props: AutoscalerProps): void {
  checkRange(component, props);
  component._markAutoscaled('ScaledObject');
  new ApiObject(component, 'ScaledObject', {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { ...component.metadata() } as object,
    spec: {
      scaleTargetRef: target(component),
      minReplicaCount: props.minReplicas,
      maxReplicaCount: props.maxReplicas,
      triggers: props.metrics.map((metric) => supported(component, metric._toKeda(), 'KEDA ScaledObject', 'a HorizontalPodAutoscaler')),
      advanced: props.behavior && { horizontalPodAutoscalerConfig: { behavior: hpaBehavior(props.behavior) } },
    },
  });
}

function checkRange(component: Component, { minReplicas, maxReplicas }: AutoscalerProps): void {
  if (minReplicas < 1 || minReplicas > maxReplicas) {
    throw new Error(
      `${component.node.path}: 'minReplicas' (${minReplicas}) must be at least 1 and not exceed 'maxReplicas' (${maxReplicas}): change one of them`,
    );
  }
}

function supported<T>(component: Component, metric: T | undefined, scaler: string, instead: string): T {
  if (!metric) {
    throw new Error(`${component.node.path}: a ${scaler} cannot serve one of the given metrics: use ${instead} or another metric`);
  }
  return metric;
}

function target(component: Component): { apiVersion: string; kind: string; name: string } {
  return { apiVersion: component.kind.apiVersion, kind: component.kind.kind, name: component.name };
}

function resourceMetric(container: string, name: string, averageUtilization: number): k8s.MetricSpecV2 {
  return { type: 'ContainerResource', containerResource: { container, name, target: { type: 'Utilization', averageUtilization } } };
}

function resourceTrigger(containerName: string, type: string, percent: number): object {
  return { type, metricType: 'Utilization', metadata: { containerName, value: String(percent) } };
}

function hpaBehavior(behavior: ScalingBehavior): k8s.HorizontalPodAutoscalerBehaviorV2 {
  return { scaleUp: rules(behavior.scaleUp), scaleDown: rules(behavior.scaleDown) };
}

function rules(direction: ScalingRules): k8s.HpaScalingRulesV2 {
  return {
    stabilizationWindowSeconds: direction.stabilizationWindow.toSeconds(),
    selectPolicy: direction.select.name,
    policies: direction.policies.map((policy) => policy._toKube()),
  };
}
