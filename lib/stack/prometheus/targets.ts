import type { Component, MetricsTarget } from '../model/component';
import { Endpoint, type PodEndpoint } from '../model/endpoint';
import type { IPeer } from '../model/peer';
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

/** One /metrics, with the name of its job. */
export interface ScrapedTarget {
  /** Of the pods: a component's, or those of a workload that was instrumented. */
  readonly pods: IPeer;
  readonly endpoint: Endpoint | PodEndpoint;
  readonly path: string | undefined;
  readonly program: string;
  /** The label `job` of its samples. */
  readonly job: string;
}

/** Every /metrics of the model, and those of the agents beside workloads that are somebody else's. */
export function scrapedTargets(topology: Topology): ScrapedTarget[] {
  const components = topology.components.flatMap((component) => {
    const own = component.metricsTargets.filter(({ program }) => program !== AGENT);
    return component.metricsTargets.map((target) => ({
      pods: component,
      endpoint: target.endpoint,
      path: target.path,
      program: target.program,
      job: jobOf(component, target, own),
    }));
  });
  const foreign = topology.podMetrics.map(({ endpoint, program }) => ({
    pods: endpoint.peer,
    endpoint,
    path: undefined,
    program,
    job: program,
  }));
  return [...components, ...foreign];
}

/** Lets `scraper` connect to every /metrics, those that are declared later too: called whenever edges are read. */
export function connectScrapes(topology: Topology, scraper: IPeer): void {
  let connected = 0;
  topology._completeWith(() => {
    const targets = scrapedTargets(topology);
    // Both lists only grow, so the number says whether there is anything new.
    if (targets.length === connected) {
      return;
    }
    connected = targets.length;
    for (const { endpoint } of targets) {
      topology.connect(scraper, endpoint, 'scrape');
    }
  });
}

/** The job of a component's own /metrics has its name; a second one is told apart by its port. */
function jobOf(component: Component, target: MetricsTarget, own: MetricsTarget[]): string {
  if (target.program === AGENT) {
    return component.role === AGENT_GATEWAY ? component.name : AGENT;
  }
  return own[0] === target ? component.name : `${component.name}-${target.endpoint.name.replace(/^https?-/, '')}`;
}

/** One scrape job per target, with exactly the port that was declared. */
export function scrapeJob({ pods, endpoint, path, program, job }: ScrapedTarget): ScrapeJob {
  const options = {
    name: `${pods.namespace}/${pods.peerName}/${endpoint.name}`,
    job,
    namespace: pods.namespace,
    portName: endpoint.name,
    path,
    scheme: endpoint.protocol.scheme,
    // What it says about itself is on a port of its own.
    describesOthers: program === KUBE_STATE_METRICS && job === pods.peerName,
  };
  // Where there is a Service its EndpointSlices say which pods there are; a port on the pod alone is found in the pod.
  return endpoint instanceof Endpoint && endpoint.expose.onService
    ? ScrapeJob.service({ ...options, service: endpoint.component.serviceName })
    : ScrapeJob.pods({ ...options, podLabels: pods.podLabels() });
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
  const jobOfProgram = (program: string): string | undefined => targets.find((target) => target.program === program)?.job;
  const gateway = targets.filter(({ pods, program }) => program === COLLECTOR && roleOf(pods) === 'gateway');
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
    kubeStateMetricsSelfJob: targets.filter(({ program }) => program === KUBE_STATE_METRICS)[1]?.job,
    cadvisorJob: scrapesKubelets ? CADVISOR_JOB : undefined,
    kubeletJob: scrapesKubelets ? KUBELET_JOB : undefined,
    serviceJobs: targets.filter(({ program }) => program === 'sample-service').map(({ job }) => job),
    elasticsearch: workload('storage'),
    fluentd: workload('logging'),
    fluentdJob: jobOfProgram('fluentd'),
  };
}

function roleOf(pods: IPeer): string | undefined {
  return (pods as Partial<Component>).role;
}
