/**
 * Prometheus with the printed scrape configuration, against a real API server with the pods that the printed Deployments make: it finds
 * exactly the ports that the model declares, with the labels that rules and dashboards ask for, and the printed ServiceAccount suffices.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'cdk8s';
import { beforeAll, describe, expect, it } from 'vitest';
import { printDevelopment } from '../support/printed-stack.ts';
import { applyOverrides } from './overrides.ts';
import {
  type ApiServer,
  describeReal,
  newFolder,
  type PrometheusServer,
  startApiServer,
  startPrometheus,
  type Target,
  waitFor,
} from './support/index.ts';

const NAMESPACE = 'observability';
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** By scrape job: the labels of its one target, `job` and the pod's controller and container among them. */
const EXPECTED: {
  readonly [scrapePool: string]: { readonly job: string; readonly pod: RegExp; readonly container: string; readonly port: number };
} = {
  'observability/jaeger/http-metrics': { job: 'jaeger', pod: /^jaeger-/, container: 'jaeger', port: 8888 },
  'observability/otel-collector/http-metrics': { job: 'otel-collector', pod: /^otel-collector-/, container: 'otel-collector', port: 8888 },
  'observability/otel-collector/http-spans': {
    job: 'otel-collector-spans',
    pod: /^otel-collector-/,
    container: 'otel-collector',
    port: 8889,
  },
  'observability/kube-state-metrics/http-self': {
    job: 'kube-state-metrics-self',
    pod: /^kube-state-metrics-/,
    container: 'kube-state-metrics',
    port: 8081,
  },
  'observability/prometheus/http': { job: 'prometheus', pod: /^prometheus-0$/, container: 'prometheus', port: 9090 },
  'observability/alertmanager/http': { job: 'alertmanager', pod: /^alertmanager-0$/, container: 'alertmanager', port: 9093 },
  'observability/otlp-service/http': { job: 'otlp-service', pod: /^otlp-service-/, container: 'otlp-service', port: 8080 },
  'observability/otlp-service/http-agent': { job: 'otlp-agent', pod: /^otlp-service-/, container: 'otlp-agent', port: 8888 },
  'otlp-stack-logs/fluentd/http-metrics': { job: 'fluentd', pod: /^fluentd-/, container: 'fluentd', port: 24231 },
};

describeReal(
  ['prometheus', 'kube-apiserver', 'etcd', 'kubectl', 'kube-controller-manager', 'kube-scheduler', 'kwok'],
  'the printed scrape configuration against a real API server',
  () => {
    const stack = printDevelopment({ prometheus: { evaluationInterval: Duration.seconds(2) } });
    let api: ApiServer;
    let prometheus: PrometheusServer;
    let targets: Target[];

    beforeAll(async () => {
      api = await startApiServer({ controllers: true, kwok: true });
      await api.fakeNode('node-1');
      await api.apply(stack.objects.filter(({ kind }) => kind === 'Namespace'));
      await api.apply(stack.objects.filter(({ kind }) => kind !== 'Namespace'));
      const folder = newFolder('service-account');
      writeFileSync(join(folder, 'token'), await api.token(NAMESPACE, 'prometheus'));
      writeFileSync(join(folder, 'ca.crt'), api.certificate().cert);
      const config = applyOverrides(stack.config('prometheus-config', 'prometheus.yml'), [
        { id: 'api-server', kubeconfig: await api.kubeconfigOf(NAMESPACE, 'prometheus') },
        { id: 'file-path', from: SERVICE_ACCOUNT, to: folder },
        { id: 'file-path', from: '/etc/prometheus-rules', to: 'rules' },
      ]);
      prometheus = await startPrometheus({
        config,
        files: { 'rules/otlp-stack.yaml': stack.text('prometheus-rules', 'otlp-stack.yaml') },
      });
      targets = await waitFor(
        async () => {
          const found = await prometheus.targets();
          const pools = new Set(found.map(({ scrapePool }) => scrapePool));
          return [...Object.keys(EXPECTED), 'cadvisor', 'kubelet'].every((pool) => pools.has(pool)) && found;
        },
        { what: 'a target in every scrape job', timeoutMs: 150_000, intervalMs: 500 },
      );
    }, 180_000);

    it.each(Object.entries(EXPECTED))('%s has its one target, with the labels of queries', (pool, { job, pod, container, port }) => {
      const found = targets.filter(({ scrapePool }) => scrapePool === pool);
      expect(found.map(({ labels }) => labels)).toEqual([
        { job, namespace: pool.split('/')[0], pod: expect.stringMatching(pod), container, instance: expect.stringMatching(`:${port}$`) },
      ]);
      expect(new URL(found[0]?.scrapeUrl ?? '').pathname).toBe('/metrics');
    });

    it('leaves to kube-state-metrics the labels of what it describes', () => {
      const [target, ...others] = targets.filter(({ scrapePool }) => scrapePool === 'observability/kube-state-metrics/http-metrics');
      expect(Object.keys(target?.labels ?? {}).sort()).toEqual(['instance', 'job']);
      expect(target?.labels.job).toBe('kube-state-metrics');
      expect(others).toEqual([]);
    });

    describe('every node', () => {
      it.each([
        ['cadvisor', '/metrics/cadvisor'],
        ['kubelet', '/metrics'],
      ])('is a target of %s', (pool, path) => {
        const [target] = targets.filter(({ scrapePool }) => scrapePool === pool);
        expect(target?.labels).toEqual({ job: pool, instance: 'node-1', node: 'node-1' });
        expect(new URL(target?.scrapeUrl ?? '')).toMatchObject({ protocol: 'https:', pathname: path });
      });
    });

    it('finds no port that the model does not declare, and is refused nothing', async () => {
      const pools = new Set(targets.map(({ scrapePool }) => scrapePool));
      expect([...pools].sort()).toEqual(
        [...Object.keys(EXPECTED), 'observability/kube-state-metrics/http-metrics', 'cadvisor', 'kubelet'].sort(),
      );
      expect(prometheus.process.log()).not.toMatch(/is forbidden|failed to list/);
    });

    it('evaluates every rule without an error', async () => {
      type Rule = { readonly name: string; readonly health: string; readonly lastError?: string };
      const rules = await waitFor(
        async () => {
          const all = ((await prometheus.rules()) as { rules: Rule[] }[]).flatMap((group) => group.rules);
          return all.length > 0 && all.every(({ health }) => health !== 'unknown') && all;
        },
        { what: 'the first evaluation of every rule', timeoutMs: 150_000, intervalMs: 200 },
      );
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    });
  },
);
