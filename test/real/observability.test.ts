/**
 * Prometheus and Alertmanager as printed: discovery through a real API server, every target that can run here scraped at its printed
 * port and path, every query of every rule, runbook and dashboard run against it, and an alert fired and resolved into a webhook.
 */
import { App, Duration } from 'cdk8s';
import { Alertmanager, AlertmanagerConfig, AlertReceiver, Notification, OtlpStack, Profile, Topology } from 'otlp-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePromql } from '../lib/stack/observe/promql.ts';
import { type Manifest, PrintedStack } from '../support/printed-stack.ts';
import { METRIC_EXCEPTIONS } from './observability.exceptions.ts';
import { applyOverrides, type Change } from './overrides.ts';
import {
  type AlertmanagerServer,
  type ApiServer,
  describeReal,
  type KubeletStandIn,
  newFolder,
  POD_IP,
  PrintedPrograms,
  type PrometheusServer,
  type RunningProcess,
  startAlertmanager,
  startApiServer,
  startKubelet,
  startKubeStateMetrics,
  startPrometheus,
  WebhookReceiver,
  waitFor,
  writeConfig,
} from './support/index.ts';

const NAMESPACE = 'observability';
const SECOND = Duration.seconds(1);

/** The development profile with the override 'intervals': through props, not in the printed file. */
function printWithShortIntervals(): { stack: PrintedStack; model: OtlpStack; topology: Topology } {
  const app = new App();
  const model = new OtlpStack(app, 'otlp', {
    profile: Profile.DEVELOPMENT,
    // Development has no autoscaler; its queries are asked here too.
    gateway: { scaling: {} },
    prometheus: { scrapeInterval: SECOND, evaluationInterval: SECOND, rules: { holdFor: Duration.seconds(2) } },
    alertmanager: {
      config: AlertmanagerConfig.bySeverity({
        critical: AlertReceiver.of('webhook', Notification.webhookFromFile(`${Alertmanager.SECRETS}/webhook-url`)),
        groupWait: SECOND,
        groupInterval: SECOND,
      }),
    },
  });
  return { stack: new PrintedStack(app.charts.flatMap((chart) => chart.toJson())), model, topology: Topology.of(app) };
}

describeReal(
  ['prometheus', 'alertmanager', 'otelcol', 'jaeger', 'kube-apiserver', 'etcd', 'kube-controller-manager', 'kwok', 'kube-state-metrics'],
  'Prometheus and Alertmanager of the development profile',
  () => {
    const { stack, model } = printWithShortIntervals();
    let api: ApiServer;
    let programs: PrintedPrograms;
    let prometheus: PrometheusServer;
    let alertmanager: AlertmanagerServer;
    let webhook: WebhookReceiver;
    let kubelet: KubeletStandIn;
    let jaeger: RunningProcess;
    /** Where the target of each scrape job listens on this machine. */
    let local: { [job: string]: number };

    beforeAll(async () => {
      api = await startApiServer({ controllers: true, kwok: true });
      await api.fakeNode();
      await applyAll(api, stack);
      await failJob(api);
      const pods = await runningPods(api);
      const servicePod = pods.find((pod) => pod.metadata.name.startsWith('otlp-service-'));
      programs = await PrintedPrograms.of(stack, {
        'metadata.name': servicePod?.metadata.name,
        'metadata.namespace': NAMESPACE,
        'spec.nodeName': servicePod?.spec.nodeName,
      });
      webhook = await WebhookReceiver.start();
      alertmanager = await startPrintedAlertmanager(stack, programs.ports.alertmanager, webhook.url);
      jaeger = await programs.startJaeger();
      const states = await startKubeStateMetrics({
        kubeconfig: await api.kubeconfigOf(NAMESPACE, 'kube-state-metrics'),
        args: (stack.container('Deployment', 'kube-state-metrics', 'kube-state-metrics').args as string[]).filter(
          (arg) => !/port=/.test(arg),
        ),
      });
      kubelet = await startKubelet(
        pods.map((pod) => ({
          namespace: pod.metadata.namespace,
          pod: pod.metadata.name,
          containers: [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }: Manifest) => name),
        })),
        api.certificate(),
      );
      local = {
        'observability/jaeger/http-metrics': programs.ports.jaegerMetrics,
        'observability/alertmanager/http': programs.ports.alertmanager,
        'observability/prometheus/http': programs.ports.prometheus,
        'observability/otel-collector/http-metrics': programs.ports.gatewayMetrics,
        'observability/otel-collector/http-spans': programs.ports.spanMetrics,
        'observability/otlp-service/http': programs.ports.service,
        'observability/otlp-service/http-agent': programs.ports.agentMetrics,
        'observability/kube-state-metrics/http-metrics': states.port,
        'observability/kube-state-metrics/http-self': states.telemetryPort,
        cadvisor: kubelet.port,
        kubelet: kubelet.port,
      };
      prometheus = await startPrintedPrometheus();
      await programs.startGateway(await api.kubeconfigOf(NAMESPACE, 'otel-collector'));
      await programs.startAgent();
      await programs.startService();
      for (let index = 0; index < 50; index++) await programs.ask(`/api/orders/${index}`);
      await programs.ask('/api/fail');
    }, 240_000);

    afterAll(async () => {
      await webhook?.stop();
      await kubelet?.stop();
    });

    async function startPrintedPrometheus(): Promise<PrometheusServer> {
      const folder = newFolder('prometheus-rules');
      writeConfig(folder, 'otlp-stack.yaml', stack.text('prometheus-rules', 'otlp-stack.yaml'));
      const printed = stack.config('prometheus-config', 'prometheus.yml');
      const kubeconfig = await api.kubeconfigOf(NAMESPACE, 'prometheus');
      const changes: Change[] = [
        { id: 'api-server', kubeconfig },
        { id: 'file-path', from: '/etc/prometheus-rules', to: folder },
        { id: 'peer-address', from: 'alertmanager.observability.svc.cluster.local:9093', to: `${POD_IP}:${programs.ports.alertmanager}` },
        ...credentials(printed, folder),
        ...(await podAddresses(api, printed, local)),
      ];
      const args = stack.container('StatefulSet', 'prometheus', 'prometheus').args as string[];
      return await startPrometheus({
        config: applyOverrides(printed, changes),
        args: args.filter((arg) => /^--(?:web\.enable|storage\.tsdb\.retention)/.test(arg)),
        port: programs.ports.prometheus,
      });
    }

    it('finds every target that runs here through the API server and scrapes it', async () => {
      for (const job of Object.keys(local)) {
        if (job === 'kubelet') continue; // The stand-in has the containers only; see observability.exceptions.ts.
        const up = async (): Promise<string> => {
          const target = (await prometheus.targets()).find(({ scrapePool }) => scrapePool === job);
          return target ? `${target.health} ${target.lastError}` : 'not discovered';
        };
        await expect.poll(up, { timeout: 150_000, interval: 500, message: job }).toBe('up ');
      }
    });

    it("gives every target the labels that the queries join on: those of the service's pod", async () => {
      const [sample] = await prometheus.waitForQuery('http_requests_total{job="otlp-service"}');
      expect(sample?.metric).toMatchObject({
        namespace: NAMESPACE,
        container: 'otlp-service',
        pod: expect.stringMatching(/^otlp-service-/),
      });
      const [agent] = await prometheus.waitForQuery('otelcol_receiver_accepted_spans{job="otlp-agent"} > 0');
      expect(agent?.metric).toMatchObject({ container: 'otlp-agent', pod: sample?.metric.pod });
    });

    it('receives the metrics that the service sends by OTLP', async () => {
      await prometheus.waitForQuery('target_info{service_name="otlp-service"} or target_info{job=~".*otlp-service"}', undefined, 150_000);
    });

    it('has every metric under exactly the name that a rule, a runbook or a dashboard asks for', async () => {
      const uses = model.prometheus.observability.allQueries();
      expect(uses.length).toBeGreaterThan(50);
      const asked = new Set(uses.flatMap(({ query }) => parsePromql(query.print()).metrics));
      for (const pattern of Object.keys(METRIC_EXCEPTIONS)) {
        expect(
          [...asked].some((name) => new RegExp(`^(?:${pattern})$`).test(name)),
          `exception ${pattern} is needed`,
        ).toBe(true);
      }
      // Rules have been evaluated and span metrics flushed once.
      await prometheus.waitForQuery('{__name__=~"traces_span_metrics_calls_total"}', undefined, 150_000);
      const excused = Object.keys(METRIC_EXCEPTIONS).map((pattern) => new RegExp(`^(?:${pattern})$`));
      const missing = async (): Promise<string[]> => {
        const names = new Set(await prometheus.metricNames());
        const lines = uses.flatMap(({ place, query }) =>
          parsePromql(query.print())
            .metrics.filter((name) => !names.has(name) && !excused.some((pattern) => pattern.test(name)))
            .map((name) => `${name} (${place})`),
        );
        return [...new Set(lines)];
      };
      await expect.poll(missing, { timeout: 150_000, interval: 1000 }).toEqual([]);
    });

    it('answers every query of every rule, runbook and dashboard', async () => {
      for (const { place, query } of model.prometheus.observability.allQueries()) {
        await expect(prometheus.query(query.print()), place).resolves.toBeDefined();
      }
    });

    it('answers the query of the KEDA trigger that production prints', async () => {
      const app = new App();
      new OtlpStack(app, 'otlp');
      const scaled = new PrintedStack(app.charts.flatMap((chart) => chart.toJson())).find('ScaledObject', 'otlp-service');
      const trigger = scaled.spec.triggers.find(({ type }: Manifest) => type === 'prometheus');
      const samples = await prometheus.waitForQuery(trigger.metadata.query);
      expect(samples).toHaveLength(1);
    });

    it('fires JaegerDown into the webhook when Jaeger stops, and resolves it when Jaeger is back', async () => {
      const names = async (): Promise<(string | undefined)[]> => (await alertmanager.alerts()).map(({ labels }) => labels.alertname);
      // It was down while the other programs started.
      await expect.poll(names, { timeout: 150_000, interval: 500 }).not.toContain('JaegerDown');
      webhook.received.length = 0;
      await jaeger.stop();
      const fired = await webhook.waitForAlert('JaegerDown', 'firing');
      const alert = fired.body.alerts.find(({ labels }) => labels.alertname === 'JaegerDown');
      expect(alert?.annotations.runbook_url).toMatch(/\/jaeger-down\.md$/);
      expect(await names()).toContain('JaegerDown');
      jaeger = await programs.startJaeger();
      await webhook.waitForAlert('JaegerDown', 'resolved');
    });
  },
);

/** Namespaces and ServiceAccounts first, as `kubectl apply -f dist/` would; claims and Secrets are nobody's here. */
async function applyAll(api: ApiServer, stack: PrintedStack): Promise<void> {
  await api.apply(stack.objects.filter(({ kind }) => kind === 'Namespace'));
  await api.apply(stack.objects.filter(({ kind }) => kind !== 'Namespace'));
}

/** A Job whose condition says that it failed: kube-state-metrics has `kube_job_failed` only then. */
async function failJob(api: ApiServer): Promise<void> {
  const metadata = { name: 'fails', namespace: NAMESPACE };
  const security = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const template = {
    spec: { restartPolicy: 'Never', containers: [{ name: 'fails', image: 'example.com/fails:1', securityContext: security }] },
  };
  // Over before it starts: the Job controller writes the condition itself.
  await api.apply([{ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { activeDeadlineSeconds: 1, template } }]);
}

/** The pods that run: kwok needs no Secret and no ConfigMap. */
async function runningPods(api: ApiServer): Promise<Manifest[]> {
  const wanted = ['otlp-service', 'otel-collector', 'jaeger', 'prometheus', 'alertmanager', 'kube-state-metrics'];
  return await waitFor(
    async () => {
      const { items = [] } = await api.get('pods', '-A');
      const running = (items as Manifest[]).filter(({ status }) => status?.phase === 'Running' && status.podIP);
      const all = wanted.every((name) => running.some((pod) => pod.metadata.labels?.['app.kubernetes.io/name'] === name));
      return all && running;
    },
    { what: `running pods of ${wanted.join(', ')}`, timeoutMs: 150_000 },
  );
}

async function startPrintedAlertmanager(stack: PrintedStack, port: number, url: string): Promise<AlertmanagerServer> {
  const secrets = newFolder('alertmanager-secrets');
  writeConfig(secrets, 'webhook-url', url);
  const printed = stack.config('alertmanager-config', 'alertmanager.yml');
  return await startAlertmanager({ config: applyOverrides(printed, [{ id: 'file-path', from: Alertmanager.SECRETS, to: secrets }]), port });
}

/** The mounted token of the kubelet jobs: a file of its own here. */
function credentials(printed: Manifest, folder: string): Change[] {
  const token = writeConfig(folder, 'token', 'unused');
  return (printed.scrape_configs as Manifest[]).flatMap((job, index) =>
    job.authorization
      ? [
          { id: 'credentials', at: ['scrape_configs', index, 'authorization', 'credentials_file'], to: token } as const,
          { id: 'credentials', at: ['scrape_configs', index, 'tls_config', 'ca_file'], to: undefined } as const,
        ]
      : [],
  );
}

/** One appended rule per target: the address that the printed job discovers becomes the port of the real program. */
async function podAddresses(api: ApiServer, printed: Manifest, local: { readonly [job: string]: number }): Promise<Change[]> {
  const { items = [] } = await api.get('pods', '-A');
  const nodes = (await api.get('nodes')).items as Manifest[];
  const changes: Change[] = [];
  for (const job of printed.scrape_configs as Manifest[]) {
    const port = local[job.job_name];
    if (port === undefined) continue;
    const to = `${POD_IP}:${port}`;
    if (job.kubernetes_sd_configs[0].role === 'node') {
      const { addresses, daemonEndpoints } = nodes[0].status;
      const host = addresses.find(({ type }: Manifest) => type === 'InternalIP').address;
      changes.push({ id: 'pod-address', job: job.job_name, from: `${host}:${daemonEndpoints?.kubeletEndpoint?.Port ?? 0}`, to });
      continue;
    }
    const [, component, portName] = job.job_name.split('/') as [string, string, string];
    const pod = (items as Manifest[]).find(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === component);
    const ports = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((one: Manifest) => one.ports ?? []);
    const { containerPort } = ports.find(({ name }: Manifest) => name === portName);
    changes.push({ id: 'pod-address', job: job.job_name, from: `${pod.status.podIP}:${containerPort}`, to });
  }
  return changes;
}
