import { Duration } from 'cdk8s';
import type { Metric } from './metric';
import { CollectorMetrics, KubernetesMetrics, NodeMetrics, ServiceMetrics, TelemetryItem } from './metrics';
import { Join, Match, Query, Window } from './query';

const SERVICE = ['namespace', 'job'];
const CONTAINER = ['namespace', 'pod', 'container'];
const QUEUE = ['namespace', 'pod', 'exporter', 'data_type'];

/** Requests per second of each service. */
export function requestRate(window: Window, ...matches: Match[]): Query {
  return ServiceMetrics.HTTP_REQUESTS.where(...matches)
    .over(window)
    .rate()
    .sumBy(...SERVICE);
}

/** Share of requests of each service that were answered with 5xx; nothing while there are no requests. */
export function errorRatio(window: Window, ...matches: Match[]): Query {
  const failed = requestRate(window, Match.matches('status', '5..'), ...matches);
  return failed.dividedBy(requestRate(window, ...matches));
}

/** The duration that a share `quantile` of the requests of each service stays below, in seconds. */
export function requestLatency(quantile: number, window: Window, ...matches: Match[]): Query {
  return ServiceMetrics.HTTP_REQUEST_DURATION.bucket(...matches)
    .over(window)
    .rate()
    .sumBy(...SERVICE, 'le')
    .histogramQuantile(quantile);
}

/** Per second and service: of the metrics about spans. */
export function serviceRate(metric: Metric, window: Window, ...matches: Match[]): Query {
  return metric
    .where(...matches)
    .over(window)
    .rate()
    .sumBy(...SERVICE);
}

/** Memory that each container cannot give back, in bytes. cAdvisor has a sample per pod and one per cgroup too: those have no container. */
export function memoryWorkingSet(...matches: Match[]): Query {
  return NodeMetrics.MEMORY_WORKING_SET.where(Match.notEqual('container', ''), ...matches).maxBy(...CONTAINER);
}

/** The memory limit of each container in bytes, native sidecars included. */
export function memoryLimit(...matches: Match[]): Query {
  const memory = Match.equal('resource', 'memory');
  return KubernetesMetrics.CONTAINER_LIMIT.where(memory, ...matches)
    .maxBy(...CONTAINER)
    .or(KubernetesMetrics.INIT_CONTAINER_LIMIT.where(memory, ...matches).maxBy(...CONTAINER));
}

/** Share of its memory limit that each container uses. */
export function memoryRatio(...matches: Match[]): Query {
  return memoryWorkingSet(...matches).dividedBy(memoryLimit(...matches), Join.on(...CONTAINER));
}

/** Restarts of each container over a while, native sidecars included. */
export function restarts(window: Window, ...matches: Match[]): Query {
  const count = (metric: Metric): Query =>
    metric
      .where(...matches)
      .over(window)
      .increase()
      .sumBy(...CONTAINER);
  return count(KubernetesMetrics.CONTAINER_RESTARTS).or(count(KubernetesMetrics.INIT_CONTAINER_RESTARTS));
}

/** Share of each sending queue that is taken. */
export function queueRatio(...matches: Match[]): Query {
  const { queueSize, queueCapacity } = CollectorMetrics.DEFAULT;
  return queueSize
    .where(...matches)
    .maxBy(...QUEUE)
    .dividedBy(queueCapacity.where(...matches).maxBy(...QUEUE));
}

/**
 * The rates of one family of counters, one per signal, told apart by the label `signal`. Adding them up would give nothing at all as
 * soon as one signal is missing.
 */
export function ratePerSignal(family: (item: TelemetryItem) => Metric, by: string[], window: Window, ...matches: Match[]): Query {
  const rates = TelemetryItem.all().map((item) =>
    family(item)
      .where(...matches)
      .over(window)
      .rate()
      .sumBy(...by)
      .withLabel('signal', item.word),
  );
  return Query.anyOf(...rates);
}

/** Free share of each persistent volume. */
export function freeVolumeRatio(...matches: Match[]): Query {
  const claim = ['namespace', 'persistentvolumeclaim'];
  return NodeMetrics.VOLUME_AVAILABLE.where(...matches)
    .minBy(...claim)
    .dividedBy(NodeMetrics.VOLUME_CAPACITY.where(...matches).minBy(...claim));
}

export const FIVE_MINUTES = Window.of(Duration.minutes(5));
