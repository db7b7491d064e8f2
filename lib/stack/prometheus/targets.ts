import type { Component, MetricsTarget } from '../model/component';
import type { Topology } from '../model/topology';
import type { ObservedParts } from '../observe/alerts';
import { ScrapeJob } from './scrape-job';

/** The catalogue's name of our agent: all its sidecars are one job, whatever pod they sit in. */
const AGENT = 'otlp-agent';
/** The role of an agent that stands alone in the place of a gateway. */
const AGENT_GATEWAY = 'agent-gateway';
const COLLECTOR = 'otelcol';
const KUBE_STATE_METRICS = 'kube-state-metrics';

/** The jobs of the kubelets, which are no component of the model. */
export const CADVISOR_JOB = 'cadvisor';
export const KUBELET_JOB = 'kubelet';

/** One /metrics of the model, with the name of its job. */
export interface ScrapedTarget {
  readonly component: Component;
  readonly target: MetricsTarget;
  /** The label `job` of its samples. */
  readonly job: string;
}

/** Every /metrics that a component of the model exposes. */
export function scrapedTargets(topology: Topology): ScrapedTarget[] {
  return topology.components.flatMap((component) => {
    const own = component.metricsTargets.filter(({ program }) => program !== AGENT);
    return component.metricsTargets.map((target) => ({ component, target, job: jobOf(component, target, own) }));
  });
}

/** The job of a component's own /metrics has its name; a second one is told apart by its port. */
function jobOf(component: Component, target: MetricsTarget, own: MetricsTarget[]): string {
  if (target.program === AGENT) {
    return component.role === AGENT_GATEWAY ? component.name : AGENT;
  }
  return own[0] === target ? component.name : `${component.name}-${target.endpoint.name.replace(/^https?-/, '')}`;
}

/** One scrape job per target, with exactly the port that the component declared. */
export function scrapeJob({ component, target, job }: ScrapedTarget): ScrapeJob {
  const { endpoint, path } = target;
  const options = {
    name: `${component.namespace}/${component.name}/${endpoint.name}`,
    job,
    namespace: component.namespace,
    portName: endpoint.name,
    path,
    scheme: endpoint.protocol.scheme,
    // What it says about itself is on a port of its own.
    describesOthers: target.program === KUBE_STATE_METRICS && job === component.name,
  };
  // Where there is a Service its EndpointSlices say which pods there are; a port on the pod alone is found in the pod.
  return endpoint.expose.onService
    ? ScrapeJob.service({ ...options, service: component.serviceName })
    : ScrapeJob.pods({ ...options, podLabels: component.podLabels() });
}

/** What the kubelets are asked for. */
export interface KubeletScrape {
  readonly insecureSkipVerify: boolean;
}

/** cAdvisor in every kubelet, and the kubelet's own figures about volumes; only what queries use is stored. */
export function kubeletJobs(options: KubeletScrape): ScrapeJob[] {
  const containers = [
    'container_cpu_usage_seconds_total',
    'container_cpu_cfs_(throttled_)?periods_total',
    'container_memory_(working_set_bytes|rss)',
    'container_network_(receive|transmit)_bytes_total',
    'container_oom_events_total',
  ];
  return [
    ScrapeJob.nodes({ ...options, name: CADVISOR_JOB, path: '/metrics/cadvisor', keepMetrics: containers.join('|') }),
    ScrapeJob.nodes({ ...options, name: KUBELET_JOB, keepMetrics: 'kubelet_(volume_stats_.*|running_(pods|containers)|node_name)' }),
  ];
}

/** What a set of components gives to watch: alerts and dashboards follow the wiring, too. */
export function observedParts(topology: Topology, scrapesKubelets: boolean): ObservedParts {
  const targets = scrapedTargets(topology);
  const jobOfProgram = (program: string): string | undefined => targets.find(({ target }) => target.program === program)?.job;
  const gateway = targets.filter(({ component, target }) => component.role === 'gateway' && target.program === COLLECTOR);
  const workload = (role: string): { namespace: string; name: string } | undefined => {
    const found = topology.components.find((component) => component.role === role && component.kind.kind !== 'Job');
    return found && { namespace: found.namespace, name: found.name };
  };
  return {
    namespaces: [...new Set(topology.components.map(({ namespace }) => namespace))],
    agentJob: targets.find(({ job }) => job === AGENT)?.job,
    gatewayJob: gateway[0]?.job,
    spanMetricsJob: gateway[1]?.job,
    jaegerJob: jobOfProgram('jaeger'),
    prometheusJob: jobOfProgram('prometheus'),
    alertmanagerJob: jobOfProgram('alertmanager'),
    kubeStateMetricsJob: jobOfProgram(KUBE_STATE_METRICS),
    kubeStateMetricsSelfJob: targets.filter(({ target }) => target.program === KUBE_STATE_METRICS)[1]?.job,
    cadvisorJob: scrapesKubelets ? CADVISOR_JOB : undefined,
    kubeletJob: scrapesKubelets ? KUBELET_JOB : undefined,
    serviceJobs: targets.filter(({ target }) => target.program === 'sample-service').map(({ job }) => job),
    elasticsearch: workload('storage'),
    fluentd: workload('logging'),
    fluentdJob: jobOfProgram('fluentd'),
  };
}
