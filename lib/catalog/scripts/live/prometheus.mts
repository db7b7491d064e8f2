import { startAlertmanager } from '../../../../test/real/support/alertmanager.ts';
import type { ApiServer } from '../../../../test/real/support/api-server.ts';
import { scrapeSettled } from '../../../../test/real/support/exposition.ts';
import { freePorts } from '../../../../test/real/support/ports.ts';
import { startPrometheus } from '../../../../test/real/support/prometheus.ts';
import { WebhookReceiver } from '../../../../test/real/support/webhook.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts } from './facts.mts';
import { send } from './load.mts';

/** Prometheus with discovery, rules, an alert under way, remote write and OTLP; and the Alertmanager that gets the alert. */
export async function harvestPrometheus(api: ApiServer): Promise<PartialFacts[]> {
  const webhook = await WebhookReceiver.start();
  const port = await freePorts('prometheus', 'dead');
  await using alertmanager = await startAlertmanager({
    config: {
      route: {
        receiver: 'hook',
        group_wait: '0s',
        group_interval: '1s',
        routes: [{ receiver: 'dead', matchers: ['alertname="Always"'], continue: true }, { receiver: 'hook' }],
      },
      receivers: [
        { name: 'hook', webhook_configs: [{ url: webhook.url }] },
        { name: 'dead', webhook_configs: [{ url: `http://127.0.0.1:${port.dead}/` }] },
      ],
    },
  });
  const kubernetes = { kubeconfig_file: api.kubeconfig };
  await using prometheus = await startPrometheus({
    port: port.prometheus,
    args: ['--web.enable-otlp-receiver', '--web.enable-remote-write-receiver'],
    config: {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager.port}`] }] }] },
      rule_files: ['rules.yaml'],
      remote_write: [{ url: `http://127.0.0.1:${port.dead}/api/v1/write` }],
      scrape_configs: [
        { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port.prometheus}`, `127.0.0.1:${port.dead}`] }] },
        {
          job_name: 'pods',
          kubernetes_sd_configs: [{ role: 'pod', ...kubernetes }],
          relabel_configs: [{ action: 'drop', regex: '.*', source_labels: ['__address__'] }],
        },
        {
          job_name: 'endpoints',
          kubernetes_sd_configs: [{ role: 'endpointslice', ...kubernetes }],
          relabel_configs: [{ action: 'drop', regex: '.*', source_labels: ['__address__'] }],
        },
      ],
    },
    files: {
      'rules.yaml': {
        groups: [
          {
            name: 'group',
            rules: [
              { alert: 'Always', expr: 'vector(1)' },
              { record: 'job:up:sum', expr: 'sum by (job) (up)' },
            ],
          },
        ],
      },
    },
  });
  await prometheus.waitForQuery('sum(scrape_samples_scraped) > 0');
  await send('metrics', port.prometheus, { http: true, count: 1 });
  await webhook.waitForAlert('Always', 'firing');
  const self = await scrapeSettled(`${prometheus.url}/metrics`, [
    'prometheus_rule_group_last_duration_seconds',
    'prometheus_target_interval_length_seconds',
  ]);
  const alerts = await scrapeSettled(`${alertmanager.url}/metrics`, ['alertmanager_notifications_failed_total']);
  // What Prometheus itself writes about each target: no program exposes it.
  const written = (await prometheus.query('{__name__=~"up|scrape_.*|ALERTS|ALERTS_FOR_STATE"}')).map(({ metric }) => metric);
  await prometheus.stop();
  await alertmanager.stop();
  await webhook.stop();
  const names = [...new Set(written.map((metric) => metric.__name__ ?? ''))].sort();
  const families = names.map((name) => {
    const series = written.filter((metric) => metric.__name__ === name);
    // The rule's own labels, not those of the test's targets and alerts.
    const labels = name.startsWith('ALERTS') ? ['alertname', ...(name === 'ALERTS' ? ['alertstate'] : [])] : [];
    if (!labels.every((label) => series.every((metric) => label in metric))) throw new Error(`${name} lacks one of ${labels.join(', ')}`);
    return { name, type: 'gauge', help: '', labels };
  });
  return [
    {
      program: 'prometheus',
      version: '3.15.0',
      title: 'Prometheus',
      run: true,
      metrics: metricFacts('3.15.0', [
        { endpoint: 'self', families: self },
        { endpoint: 'written', families },
      ]),
    },
    {
      program: 'alertmanager',
      version: '0.34.2',
      title: 'Alertmanager',
      run: true,
      metrics: metricFacts('0.34.2', [{ endpoint: 'self', families: alerts }]),
    },
  ];
}
