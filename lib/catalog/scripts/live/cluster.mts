import { type ApiServer, startApiServer } from '../../../../test/real/support/api-server.ts';

/** An API server with one of everything that the stack's programs look at. */
export async function startRepresentativeCluster(): Promise<ApiServer> {
  const api = await startApiServer({ controllers: true, kwok: true });
  await api.fakeNode();
  await api.apply(OBJECTS);
  await api.ok(['wait', '-n', 'shop', '--for=condition=Available', '--timeout=60s', 'deployment/web']);
  await api.ok(['wait', '-n', 'shop', '--for=jsonpath={.status.succeeded}=1', '--timeout=60s', 'job/migrate']);
  return api;
}

const namespace = 'shop';
const labels = { app: 'web' };
const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } };
const container = { name: 'web', image: 'web:1', resources, ports: [{ containerPort: 8080 }] };
const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];

function podTemplate(extra: object = {}): object {
  return {
    metadata: { labels },
    spec: { containers: [container], initContainers: [{ ...container, name: 'sidecar', restartPolicy: 'Always' }], ...extra },
  };
}

const OBJECTS: object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config', namespace }, data: { a: 'b' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret', namespace }, stringData: { a: 'b' } },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace },
    spec: { storageClassName: '', volumeName: 'data', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'data' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' }, storageClassName: '' },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: podTemplate() },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'store', namespace },
    spec: {
      replicas: 1,
      serviceName: 'store',
      selector: { matchLabels: { app: 'store' } },
      template: { ...podTemplate(), metadata: { labels: { app: 'store' } } },
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'logs', namespace },
    spec: { selector: { matchLabels: { app: 'logs' } }, template: { ...podTemplate(), metadata: { labels: { app: 'logs' } } } },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace },
    spec: { template: { metadata: { labels: { app: 'migrate' } }, spec: { containers: [container], restartPolicy: 'Never', volumes } } },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'nightly', namespace },
    spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } } } },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: 4,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
    },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web', namespace },
    spec: { podSelector: { matchLabels: labels }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
  },
  { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota', namespace }, spec: { hard: { pods: '100' } } },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'limits', namespace },
    spec: { limits: [{ type: 'Container', max: { cpu: '4' } }] },
  },
];
