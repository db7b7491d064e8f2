import { Duration } from 'cdk8s';
import { Window } from '../query';

/** A workload by name, for what kube-state-metrics says about it. */
export interface ObservedWorkload {
  readonly namespace: string;
  readonly name: string;
}

/**
 * What there is to watch. A part that is absent gets neither alerts nor dashboards: an alert on a program that is not deployed either
 * never fires or always does.
 */
export interface ObservedParts {
  /** Namespaces whose pods are watched. */
  readonly namespaces: string[];
  /** The scrape job of the agents. @default - no agents */
  readonly agentJob?: string;
  /** The gateway, whose scrape job has its name. @default - no gateway */
  readonly gatewayJob?: string;
  /** The scrape job of the span metrics that the gateway serves. @default - no span metrics */
  readonly spanMetricsJob?: string;
  /** @default - no Jaeger */
  readonly jaegerJob?: string;
  /** @default 'prometheus' */
  readonly prometheusJob?: string;
  /** @default - no Alertmanager */
  readonly alertmanagerJob?: string;
  /** @default - no kube-state-metrics, and no alert that needs it */
  readonly kubeStateMetricsJob?: string;
  /** The job of what kube-state-metrics says about itself. @default - it is not watched */
  readonly kubeStateMetricsSelfJob?: string;
  /** The job of cAdvisor. @default - no alert on memory */
  readonly cadvisorJob?: string;
  /** The job of the kubelet's own metrics. @default - no alert on volumes */
  readonly kubeletJob?: string;
  /** The scrape jobs of the services. @default [] */
  readonly serviceJobs?: string[];
  /** The StatefulSet of Elasticsearch. @default - none, or elsewhere */
  readonly elasticsearch?: ObservedWorkload;
  /** The DaemonSet of Fluentd. @default - no logs are collected */
  readonly fluentd?: ObservedWorkload;
  /** The scrape job of Fluentd. @default - its buffers are not watched */
  readonly fluentdJob?: string;
}

/** When alerts fire. */
export interface AlertThresholds {
  /** Share of requests answered with 5xx. @default 0.05 */
  readonly errorRatio?: number;
  /** 95th percentile of request durations. @default Duration.seconds(1) */
  readonly latency?: Duration;
  /** Spans that a service drops per second. @default 100 */
  readonly droppedSpansPerSecond?: number;
  /** Share of a container's memory limit. @default 0.9 */
  readonly memoryRatio?: number;
  /** Share of a sending queue. @default 0.8 */
  readonly queueRatio?: number;
  /** Share of a volume that is free. @default 0.1 */
  readonly freeVolumeRatio?: number;
  /** Over which rates are taken. @default Duration.minutes(5) */
  readonly window?: Duration;
}

/** The thresholds with every default in place. */
export interface ResolvedThresholds {
  readonly errorRatio: number;
  readonly latency: Duration;
  readonly droppedSpansPerSecond: number;
  readonly memoryRatio: number;
  readonly queueRatio: number;
  readonly freeVolumeRatio: number;
  readonly window: Window;
}

export function resolveThresholds(thresholds: AlertThresholds): ResolvedThresholds {
  for (const key of ['errorRatio', 'memoryRatio', 'queueRatio', 'freeVolumeRatio'] as const) {
    const ratio = thresholds[key];
    if (ratio !== undefined && !(ratio > 0 && ratio < 1)) {
      throw new Error(`'${key}' must be between 0 and 1 (0.05 is 5 %), got ${ratio}`);
    }
  }
  return {
    errorRatio: thresholds.errorRatio ?? 0.05,
    latency: thresholds.latency ?? Duration.seconds(1),
    droppedSpansPerSecond: thresholds.droppedSpansPerSecond ?? 100,
    memoryRatio: thresholds.memoryRatio ?? 0.9,
    queueRatio: thresholds.queueRatio ?? 0.8,
    freeVolumeRatio: thresholds.freeVolumeRatio ?? 0.1,
    window: Window.of(thresholds.window ?? Duration.minutes(5)),
  };
}

/** As an anchored regular expression that matches exactly these names. */
export function anyName(names: string[]): string {
  return names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
}
