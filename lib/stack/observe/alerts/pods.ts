import { Duration } from 'cdk8s';
import { KubernetesMetrics, NodeMetrics } from '../metrics';
import { freeVolumeRatio, memoryLimit, memoryRatio, memoryWorkingSet, restarts } from '../queries';
import { Join, Match, Window } from '../query';
import { Alert } from './alert';
import { anyName, type ObservedParts, type ResolvedThresholds } from './parts';
import { Segment, TestSeries } from './scenario';
import { Severity } from './severity';

const GIB = 1_073_741_824;
const RESTART_WINDOW = Window.of(Duration.minutes(15));

/** What Kubernetes says about the pods, whatever runs in them. */
export function podAlerts(parts: ObservedParts, thresholds: ResolvedThresholds): Alert[] {
  const alerts: Alert[] = [];
  const namespaces = parts.namespaces.length === 0 ? [] : [Match.matches('namespace', anyName(parts.namespaces))];
  const namespace = parts.namespaces[0] ?? 'shop';
  if (parts.kubeStateMetricsJob !== undefined) {
    if (parts.cadvisorJob !== undefined) {
      alerts.push(highMemoryUsage(namespaces, namespace, thresholds));
    }
    alerts.push(podRestarting(namespaces, namespace), podNotReady(namespaces, namespace));
    alerts.push(replicasMissing(namespaces, namespace), jobFailed(namespaces, namespace));
    alerts.push(autoscalerAtMaximum(parts, namespaces, namespace));
  }
  if (parts.kubeletJob !== undefined) {
    alerts.push(volumeFilling(namespaces, namespace, thresholds));
  }
  return alerts;
}

function highMemoryUsage(matches: Match[], namespace: string, { memoryRatio: limit }: ResolvedThresholds): Alert {
  const labels = { namespace, pod: 'checkout-0', container: 'app' };
  const used = (...segments: Segment[]): TestSeries =>
    TestSeries.of(NodeMetrics.MEMORY_WORKING_SET, { ...labels, node: 'node-1', job: 'cadvisor' }, ...segments);
  const limits = TestSeries.of(
    KubernetesMetrics.CONTAINER_LIMIT,
    { ...labels, node: 'node-1', resource: 'memory', unit: 'byte', uid: 'u1' },
    Segment.level(GIB, 60),
  );
  // A native sidecar's limit is in the metric of init containers.
  const sidecar = { ...labels, container: 'otlp-agent' };
  return new Alert({
    name: 'HighMemoryUsage',
    severity: Severity.WARNING,
    expr: memoryRatio(...matches).above(limit),
    holdFor: Duration.minutes(10),
    summary: '{{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} is short of memory',
    description: 'The working set is at {{ $value | humanizePercentage }} of the limit; at 100 % the kernel kills the container.',
    meaning: 'A container has used more than the allowed share of its memory limit for ten minutes. Page cache is not counted.',
    impact: 'The container will be killed when it needs more, and what it held in memory is lost.',
    diagnosis: [
      { question: 'How did it grow?', query: memoryWorkingSet(...matches) },
      { question: 'What is the limit?', query: memoryLimit(...matches) },
    ],
    remedy: [
      'A steady slope is a leak: take a heap profile, then delete the pod.',
      'A step together with the load: raise the limit, or let the autoscaler add pods earlier.',
      'In the agent or the gateway: see whether a queue is filling, as queues live in memory.',
    ],
    scenario: {
      failing: [
        used(Segment.level(GIB * 0.95, 30), Segment.level(GIB / 2, 30)),
        limits,
        TestSeries.of(
          NodeMetrics.MEMORY_WORKING_SET,
          { ...sidecar, node: 'node-1', job: 'cadvisor' },
          Segment.level(GIB, 30),
          Segment.level(GIB / 2, 30),
        ),
        TestSeries.of(
          KubernetesMetrics.INIT_CONTAINER_LIMIT,
          { ...sidecar, node: 'node-1', resource: 'memory', unit: 'byte', uid: 'u1' },
          Segment.level(GIB, 60),
        ),
      ],
      firesAt: Duration.minutes(20),
      firing: [
        { labels, value: '95%' },
        { labels: sidecar, value: '100%' },
      ],
      resolvedAt: Duration.minutes(40),
      healthy: [used(Segment.level(GIB * 0.89, 60)), limits],
    },
  });
}

function podRestarting(matches: Match[], namespace: string): Alert {
  const labels = { namespace, pod: 'checkout-0', container: 'app' };
  const count = (...segments: Segment[]): TestSeries =>
    TestSeries.of(KubernetesMetrics.CONTAINER_RESTARTS, { ...labels, uid: 'u1' }, ...segments);
  return new Alert({
    name: 'PodRestarting',
    severity: Severity.WARNING,
    expr: restarts(RESTART_WINDOW, ...matches).above(0),
    holdFor: Duration.minutes(5),
    summary: '{{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} restarts',
    description: 'About {{ $value | humanize }} restarts in the last 15 minutes.',
    meaning: 'A container, or a native sidecar, has ended and was started again within the last 15 minutes.',
    impact: 'Requests in flight failed, and what the container held in memory is lost.',
    diagnosis: [
      { question: 'Which containers?', query: restarts(RESTART_WINDOW, ...matches) },
      { question: 'Was memory short?', query: memoryRatio(...matches) },
    ],
    remedy: [
      '`kubectl describe pod`: the last state of the container has its reason and exit code.',
      '`OOMKilled`: see HighMemoryUsage. `Error`: `kubectl logs --previous`.',
      'A failing liveness probe is in the events of the pod: look for a dependency that the probe should not test.',
    ],
    scenario: {
      failing: [count(Segment.level(0, 10), Segment.level(2, 50))],
      firesAt: Duration.minutes(20),
      firing: [{ labels, value: '2' }],
      resolvedAt: Duration.minutes(30),
      healthy: [count(Segment.level(7, 60))],
    },
  });
}

function podNotReady(matches: Match[], namespace: string): Alert {
  const labels = { namespace, pod: 'checkout-0' };
  const ready = (...segments: Segment[]): TestSeries =>
    TestSeries.of(KubernetesMetrics.POD_READY, { ...labels, uid: 'u1', condition: 'true' }, ...segments);
  const ended = KubernetesMetrics.POD_PHASE.where(Match.matches('phase', 'Succeeded|Failed'), ...matches)
    .maxBy('namespace', 'pod')
    .equalTo(1);
  const isReady = KubernetesMetrics.POD_READY.where(Match.equal('condition', 'true'), ...matches).maxBy('namespace', 'pod');
  return new Alert({
    name: 'PodNotReady',
    severity: Severity.WARNING,
    expr: isReady.equalTo(0).unless(ended, Join.on('namespace', 'pod')),
    holdFor: Duration.minutes(15),
    summary: '{{ $labels.namespace }}/{{ $labels.pod }} is not ready',
    description: 'The pod has not been ready for 15 minutes.',
    meaning: 'A pod that should run is waiting for a node or a volume, fails to start, or fails its readiness probe.',
    impact: 'Its share of the load is on the other pods; a roll-out stands still.',
    diagnosis: [{ question: 'Which pods?', query: isReady.equalTo(0) }],
    remedy: [
      '`kubectl describe pod`: the events at the end say what it waits for.',
      '`Pending` without a node: requests are greater than what is free; add nodes or lower the requests.',
      '`ImagePullBackOff`: the image or its pull secret is missing. `CreateContainerConfigError`: a Secret is missing, see `otlp-stack secrets`.',
      'Running but not ready: read the logs of the container that the readiness probe belongs to.',
    ],
    scenario: {
      failing: [ready(Segment.level(0, 30), Segment.level(1, 30))],
      firesAt: Duration.minutes(20),
      firing: [{ labels }],
      resolvedAt: Duration.minutes(40),
      healthy: [
        // A Job's pod that is done is never ready again.
        ready(Segment.level(0, 60)),
        TestSeries.of(KubernetesMetrics.POD_PHASE, { ...labels, uid: 'u1', phase: 'Succeeded' }, Segment.level(1, 60)),
      ],
    },
  });
}

function replicasMissing(matches: Match[], namespace: string): Alert {
  const named = (label: string): string[] => ['namespace', label];
  const deployments = KubernetesMetrics.DEPLOYMENT_AVAILABLE.where(...matches)
    .maxBy(...named('deployment'))
    .belowOf(KubernetesMetrics.DEPLOYMENT_WANTED.where(...matches).maxBy(...named('deployment')));
  const sets = KubernetesMetrics.STATEFUL_SET_READY.where(...matches)
    .maxBy(...named('statefulset'))
    .belowOf(KubernetesMetrics.STATEFUL_SET_WANTED.where(...matches).maxBy(...named('statefulset')));
  const labels = { namespace, deployment: 'otel-gateway' };
  const available = (...segments: Segment[]): TestSeries => TestSeries.of(KubernetesMetrics.DEPLOYMENT_AVAILABLE, labels, ...segments);
  const wanted = TestSeries.of(KubernetesMetrics.DEPLOYMENT_WANTED, labels, Segment.level(3, 60));
  return new Alert({
    name: 'ReplicasMissing',
    severity: Severity.WARNING,
    expr: deployments.or(sets),
    holdFor: Duration.minutes(15),
    summary: 'Replicas are missing in {{ $labels.namespace }}',
    description: 'Only {{ $value | humanize }} replicas of a workload have been available for 15 minutes; its name is in the labels.',
    meaning: 'A Deployment or StatefulSet has had fewer available pods than it wants for 15 minutes.',
    impact: 'Less room for load and for the next failure.',
    diagnosis: [
      { question: 'Which Deployments?', query: deployments },
      { question: 'Which StatefulSets?', query: sets },
    ],
    remedy: [
      'The pods that are missing have the alert PodNotReady, or do not exist: `kubectl describe replicaset` says why (quota, admission).',
      'A StatefulSet may wait for its volume: `kubectl get pvc`.',
    ],
    scenario: {
      failing: [available(Segment.level(2, 30), Segment.level(3, 30)), wanted],
      firesAt: Duration.minutes(20),
      firing: [{ labels, value: '2' }],
      resolvedAt: Duration.minutes(40),
      healthy: [available(Segment.level(3, 60)), wanted],
    },
  });
}

function jobFailed(matches: Match[], namespace: string): Alert {
  const labels = { namespace, job_name: 'elasticsearch-setup' };
  const failed = (...segments: Segment[]): TestSeries =>
    TestSeries.of(KubernetesMetrics.JOB_FAILED, { ...labels, condition: 'true' }, ...segments);
  const expr = KubernetesMetrics.JOB_FAILED.where(Match.equal('condition', 'true'), ...matches)
    .maxBy('namespace', 'job_name')
    .above(0);
  return new Alert({
    name: 'JobFailed',
    severity: Severity.WARNING,
    expr,
    holdFor: Duration.minutes(5),
    summary: 'Job {{ $labels.job_name }} in {{ $labels.namespace }} has failed',
    description: 'All tries of the Job have failed.',
    meaning: 'A Job has used all its tries. The Job that installs index templates and policies is the one of this stack.',
    impact: 'What the Job sets up is missing: indices may be created without their template or are never rolled over.',
    diagnosis: [{ question: 'Which Jobs?', query: expr }],
    remedy: ['`kubectl logs job/NAME` says what failed.', 'Repair the cause, delete the Job and apply it again: it is safe to run twice.'],
    scenario: {
      failing: [failed(Segment.level(1, 20), Segment.level(0, 20))],
      firesAt: Duration.minutes(10),
      firing: [{ labels }],
      resolvedAt: Duration.minutes(30),
      healthy: [failed(Segment.level(0, 40))],
    },
  });
}

function autoscalerAtMaximum(parts: ObservedParts, matches: Match[], namespace: string): Alert {
  // KEDA puts `keda-hpa-` before the name of its ScaledObject. The gateway has an alert of its own.
  const others = parts.gatewayJob === undefined ? [] : [Match.notMatches('horizontalpodautoscaler', gatewayAutoscaler(parts.gatewayJob))];
  const labels = { namespace, horizontalpodautoscaler: 'keda-hpa-checkout' };
  const wanted = (...segments: Segment[]): TestSeries => TestSeries.of(KubernetesMetrics.AUTOSCALER_WANTED, labels, ...segments);
  const maximum = TestSeries.of(KubernetesMetrics.AUTOSCALER_MAXIMUM, labels, Segment.level(20, 60));
  return new Alert({
    name: 'AutoscalerAtMaximum',
    severity: Severity.WARNING,
    expr: autoscalersAtMaximum([...others, ...matches]),
    holdFor: Duration.minutes(15),
    summary: '{{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} is at its maximum',
    description: 'It has wanted {{ $value | humanize }} replicas, all that it may have, for 15 minutes.',
    meaning: 'An autoscaler cannot add pods any more.',
    impact: 'More load will make the service slower instead of larger.',
    diagnosis: [{ question: 'Since when?', query: KubernetesMetrics.AUTOSCALER_WANTED.where(...matches) }],
    remedy: [
      'Raise `maxReplicas` if the cluster has room.',
      'See whether the load is wanted: retries of a failing caller look like users.',
    ],
    scenario: {
      failing: [wanted(Segment.level(20, 30), Segment.level(12, 30)), maximum],
      firesAt: Duration.minutes(20),
      firing: [{ labels, value: '20' }],
      resolvedAt: Duration.minutes(40),
      healthy: [wanted(Segment.level(19, 60)), maximum],
    },
  });
}

/** The autoscaler of the gateway: its own HorizontalPodAutoscaler, or that of KEDA. */
export function gatewayAutoscaler(gateway: string): string {
  return `(keda-hpa-)?${anyName([gateway])}`;
}

/** Autoscalers that want all they may have. */
export function autoscalersAtMaximum(matches: Match[]): Alert['expr'] {
  const by = ['namespace', 'horizontalpodautoscaler'];
  return KubernetesMetrics.AUTOSCALER_WANTED.where(...matches)
    .maxBy(...by)
    .atLeastOf(KubernetesMetrics.AUTOSCALER_MAXIMUM.where(...matches).maxBy(...by));
}

function volumeFilling(matches: Match[], namespace: string, { freeVolumeRatio: least }: ResolvedThresholds): Alert {
  const labels = { namespace, persistentvolumeclaim: 'data-elasticsearch-0' };
  const available = (...segments: Segment[]): TestSeries =>
    TestSeries.of(NodeMetrics.VOLUME_AVAILABLE, { ...labels, node: 'node-1', job: 'kubelet' }, ...segments);
  const capacity = TestSeries.of(NodeMetrics.VOLUME_CAPACITY, { ...labels, node: 'node-1', job: 'kubelet' }, Segment.level(100 * GIB, 60));
  return new Alert({
    name: 'VolumeFilling',
    severity: Severity.CRITICAL,
    expr: freeVolumeRatio(...matches).below(least),
    holdFor: Duration.minutes(10),
    summary: 'Volume {{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} is nearly full',
    description: 'Only {{ $value | humanizePercentage }} are free.',
    meaning: 'A persistent volume (Elasticsearch, Prometheus, a queue on disk) has little room left.',
    impact: 'Elasticsearch refuses writes from 95 % on and Jaeger with it; Prometheus stops when its log cannot be written.',
    diagnosis: [{ question: 'How fast does it fill?', query: NodeMetrics.VOLUME_AVAILABLE.where(...matches) }],
    remedy: [
      'Grow the claim, if its StorageClass allows expansion.',
      'Elasticsearch: delete the oldest indices, then shorten the retention in the lifecycle policy.',
      'Prometheus: shorten the retention or set a limit by size.',
    ],
    scenario: {
      failing: [available(Segment.level(5 * GIB, 30), Segment.level(50 * GIB, 30)), capacity],
      firesAt: Duration.minutes(20),
      firing: [{ labels, value: '5%' }],
      resolvedAt: Duration.minutes(40),
      healthy: [available(Segment.level(10 * GIB, 60)), capacity],
    },
  });
}
