import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import {
  amtool,
  describeReal,
  freePorts,
  JaegerQuery,
  promtool,
  realPath,
  runProgram,
  startAlertmanager,
  startApiServer,
  startJaeger,
  startKubelet,
  startKubeStateMetrics,
  startOpenSearch,
  startPrometheus,
  WebhookReceiver,
  waitFor,
} from './support/index.ts';

describeReal(['prometheus', 'promtool', 'alertmanager', 'amtool'], 'Prometheus and Alertmanager', () => {
  it('fire an alert into a webhook and resolve it', async () => {
    const webhook = await WebhookReceiver.start();
    const alertmanager = await startAlertmanager({
      config: {
        route: { receiver: 'hook', group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
        receivers: [{ name: 'hook', webhook_configs: [{ url: webhook.url, send_resolved: true }] }],
      },
    });
    const prometheus = await startPrometheus({
      config: {
        global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
        alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager.port}`] }] }] },
        rule_files: ['rules/*.yaml'],
        scrape_configs: [{ job_name: 'alertmanager', static_configs: [{ targets: [`127.0.0.1:${alertmanager.port}`] }] }],
      },
      files: {
        'rules/test.yaml': {
          groups: [
            { name: 'test', rules: [{ alert: 'NotYetNotified', expr: 'alertmanager_notifications_total{integration="webhook"} == 0' }] },
          ],
        },
      },
    });
    expect((await prometheus.waitForQuery('up == 1'))[0]?.metric.job).toBe('alertmanager');
    // The newest scrape may have taken longer than its half second.
    await waitFor(async () => (await prometheus.targets())[0]?.health === 'up', { what: 'a target that is up' });
    await webhook.waitForAlert('NotYetNotified', 'firing');
    await webhook.waitForAlert('NotYetNotified', 'resolved');
    await expect(prometheus.query('up{')).rejects.toThrow(/Prometheus answered 400.*parse error/);
    await webhook.stop();
  });

  it('judge files', async () => {
    const rules = (expr: string): object => ({ groups: [{ name: 'g', rules: [{ record: 'a:b', expr }] }] });
    expect((await promtool({ 'r.yaml': rules('sum(up)') }, 'check', 'rules', 'r.yaml')).code).toBe(0);
    expect((await promtool({ 'r.yaml': rules('sum(up') }, 'check', 'rules', 'r.yaml')).code).toBe(1);
    expect((await amtool({ 'a.yml': { route: { receiver: 'x' }, receivers: [] } }, 'check-config', 'a.yml')).stdout).toContain('"x"');
  });
});

describeReal(['kube-apiserver', 'etcd', 'kubectl', 'kube-controller-manager', 'kwok', 'kube-state-metrics'], 'the API server', () => {
  it('runs pods of a Deployment, gives them addresses and judges a ServiceAccount by its rights', async () => {
    const api = await startApiServer({ controllers: true, kwok: true });
    await api.fakeNode();
    const labels = { app: 'web' };
    const pod = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 8080 }] }] } };
    await api.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'ksm', namespace: 'shop' } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { replicas: 2, selector: { matchLabels: labels }, template: pod },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
      },
    ]);
    await api.ok(['wait', '-n', 'shop', '--for=condition=Available', '--timeout=150s', 'deployment/web']);
    expect((await api.get('pods', '-n', 'shop')).items).toHaveLength(2);

    const refused = await api.dryRun([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'shop' }, datum: {} }]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('datum');

    const asNobody = await runProgram(realPath('kubectl'), [
      `--kubeconfig=${await api.kubeconfigOf('shop', 'ksm')}`,
      'get',
      'pods',
      '-n',
      'shop',
    ]);
    expect(asNobody.stderr).toContain('Forbidden');

    await using kubelet = await startKubelet([{ namespace: 'shop', pod: 'web-0', containers: ['web'] }], api.certificate());
    const [response] = (await once(get({ port: kubelet.port, path: '/metrics/cadvisor', rejectUnauthorized: false }), 'response')) as [
      IncomingMessage,
    ];
    expect(await text(response)).toContain('container_memory_working_set_bytes{container="web"');

    const metrics = await startKubeStateMetrics({ kubeconfig: api.kubeconfig, args: ['--resources=pods,deployments'] });
    // It answers before it has asked the API server for the first time.
    const replicas = 'kube_deployment_spec_replicas{namespace="shop",deployment="web"} 2';
    await waitFor(async () => (await (await fetch(metrics.url)).text()).includes(replicas), { what: replicas });
  });
});

describeReal(['opensearch', 'jaeger', 'telemetrygen'], 'Jaeger on OpenSearch', () => {
  it('writes and reads back the spans', async () => {
    const search = await startOpenSearch();
    const port = await freePorts('otlp', 'query', 'queryGrpc');
    await startJaeger({
      config: {
        service: {
          extensions: ['jaeger_storage', 'jaeger_query'],
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
        },
        extensions: {
          jaeger_storage: { backends: { os: { opensearch: { server_urls: [search.url], indices: { index_prefix: 'test' } } } } },
          jaeger_query: {
            storage: { traces: 'os' },
            http: { endpoint: `127.0.0.1:${port.query}` },
            grpc: { endpoint: `127.0.0.1:${port.queryGrpc}` },
          },
        },
        receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port.otlp}` } } } },
        exporters: { jaeger_storage_exporter: { trace_storage: 'os' } },
      },
    });
    const load = [
      'traces',
      '--otlp-insecure',
      '--otlp-endpoint',
      `127.0.0.1:${port.otlp}`,
      '--rate',
      '0',
      '--traces',
      '7',
      '--service',
      'checkout',
    ];
    expect((await runProgram(realPath('telemetrygen'), load)).code).toBe(0);
    expect(await new JaegerQuery(`http://127.0.0.1:${port.query}`).waitForSpans('checkout', 14)).toBe(14);
    expect(JSON.stringify(await search.request('GET', '/_cat/indices?format=json'))).toContain('test-jaeger-span');
  });
});
