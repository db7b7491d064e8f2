import { Duration } from 'cdk8s';
import { expect, it } from 'vitest';
import { AlertmanagerConfig } from '../../lib/stack/alertmanager/config.ts';
import { AlertReceiver, Notification } from '../../lib/stack/alertmanager/receiver.ts';
import { printYaml } from '../../lib/stack/model/yaml.ts';
import { Observability } from '../../lib/stack/observe/index.ts';
import { PrometheusConfig } from '../../lib/stack/prometheus/config.ts';
import { ScrapeJob } from '../../lib/stack/prometheus/scrape-job.ts';
import { EVERYTHING } from '../lib/stack/observe/parts.ts';
import { printStack } from '../support/printed-stack.ts';
import { amtool, describeReal, PROMTOOL_MS, promtool } from './support/index.ts';

const RULES = 'rules.yaml';

const rulesOf = (observability: Observability): { [file: string]: string } => ({ [RULES]: printYaml(observability.rules.renderConfig()) });
const testsOf = (observability: Observability): { [file: string]: string } => ({
  'tests.yaml': printYaml(observability.rules.unitTests(RULES)),
});

describeReal(['promtool'], 'the printed rules, by promtool', () => {
  const stack = new Observability({ parts: EVERYTHING });

  it('are rules', async () => {
    const { code, stderr } = await promtool(rulesOf(stack), 'check', 'rules', '--lint=all', '--lint-fatal', RULES);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('fire, stay quiet and resolve as their scenarios say, with texts as people read them', { timeout: PROMTOOL_MS }, async () => {
    const { code, stdout, stderr } = await promtool({ ...rulesOf(stack), ...testsOf(stack) }, 'test', 'rules', 'tests.yaml');
    expect(`${stdout}${stderr}`).not.toContain('FAILED');
    expect(code).toBe(0);
  });

  it('fail their scenarios as soon as a threshold is another one: the scenarios are tests', { timeout: PROMTOOL_MS }, async () => {
    const thresholds = {
      errorRatio: 0.2,
      latency: Duration.seconds(10),
      droppedSpansPerSecond: 1000,
      memoryRatio: 0.999,
      queueRatio: 0.95,
      freeVolumeRatio: 0.01,
    };
    const lax = new Observability({ parts: EVERYTHING, thresholds });
    const { code, stdout, stderr } = await promtool({ ...rulesOf(lax), ...testsOf(stack) }, 'test', 'rules', 'tests.yaml');
    expect(code).toBe(1);
    for (const name of ['HighErrorRate', 'HighLatency', 'HighSpanDropRate', 'HighMemoryUsage', 'AgentQueueFilling', 'VolumeFilling']) {
      expect(`${stdout}${stderr}`).toContain(`alertname: ${name}, time`);
    }
  });

  it('fire too early for their scenarios when a threshold is stricter', { timeout: PROMTOOL_MS }, async () => {
    const strict = new Observability({
      parts: EVERYTHING,
      thresholds: { errorRatio: 0.01, droppedSpansPerSecond: 10, memoryRatio: 0.5, queueRatio: 0.5, freeVolumeRatio: 0.2 },
    });
    const { code, stdout, stderr } = await promtool({ ...rulesOf(strict), ...testsOf(stack) }, 'test', 'rules', 'tests.yaml');
    expect(code).toBe(1);
    for (const name of ['HighErrorRate', 'HighSpanDropRate', 'HighMemoryUsage', 'GatewayQueueFilling', 'VolumeFilling']) {
      expect(`${stdout}${stderr}`).toContain(`name: ${name} stays quiet`);
    }
  });

  it('of a stack with nothing but services are rules, too', { timeout: PROMTOOL_MS }, async () => {
    const bare = new Observability({ parts: { namespaces: ['shop'] } });
    const { code, stderr } = await promtool({ ...rulesOf(bare), ...testsOf(bare) }, 'test', 'rules', 'tests.yaml');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});

describeReal(['promtool'], 'the printed prometheus.yml, by promtool', () => {
  it('is a configuration, with every kind of job', async () => {
    const config = new PrometheusConfig({
      ruleFiles: [RULES],
      alertmanagers: ['alertmanager.observability.svc.cluster.local:9093'],
      externalLabels: { cluster: 'test' },
      scrapeJobs: [
        ScrapeJob.pods({
          name: 'agents',
          namespace: 'shop',
          podLabels: { 'app.kubernetes.io/name': 'checkout' },
          portName: 'agent-metrics',
        }),
        ScrapeJob.service({ name: 'ksm', namespace: 'observability', service: 'ksm', portName: 'http-metrics', describesOthers: true }),
      ],
    });
    const files = { ...rulesOf(new Observability({ parts: EVERYTHING })), 'prometheus.yml': printYaml(config.renderConfig()) };
    const { code, stderr, stdout } = await promtool(files, 'check', 'config', 'prometheus.yml');
    expect(stderr).toBe('');
    expect(stdout).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  it('is one with jobs of nodes, whose token is read when it is used', async () => {
    const config = new PrometheusConfig({ scrapeJobs: [ScrapeJob.nodes({ name: 'cadvisor', path: '/metrics/cadvisor' })] });
    const { code, stderr } = await promtool(
      { 'prometheus.yml': printYaml(config.renderConfig()) },
      'check',
      'config',
      '--syntax-only',
      'prometheus.yml',
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});

describeReal(['amtool'], 'the printed alertmanager.yml, by amtool', () => {
  const config = AlertmanagerConfig.bySeverity({
    critical: AlertReceiver.of(
      'pager',
      Notification.pagerDuty({ routingKeyFile: '/etc/alertmanager/secrets/pagerduty' }),
      Notification.email({
        to: ['ops@example.com'],
        from: 'otlp@example.com',
        smarthost: 'mail.example.com:587',
        username: 'otlp',
        passwordFile: '/etc/alertmanager/secrets/smtp',
      }),
    ),
    warning: AlertReceiver.of('chat', Notification.slack({ channel: '#alerts', urlFile: '/etc/alertmanager/secrets/slack' })),
    heartbeat: AlertReceiver.of('heartbeat', Notification.webhook('http://heartbeat.example.com/ping')),
  });
  const files = { 'alertmanager.yml': printYaml(config.renderConfig()) };

  it('is a configuration', async () => {
    const { code, stdout, stderr } = await amtool(files, 'check-config', 'alertmanager.yml');
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(`${stdout}${stderr}`).toContain('4 receivers');
    expect(code).toBe(0);
  });

  it.each([
    ['the pager', ['severity=critical', 'alertname=HighErrorRate'], 'pager'],
    ['the chat', ['severity=warning', 'alertname=HighLatency'], 'chat'],
    ['nobody', ['severity=info', 'alertname=Own'], 'nobody'],
    ['the heartbeat', ['severity=none', 'alertname=Watchdog'], 'heartbeat'],
    ['the pager, when the severity is unknown', ['severity=catastrophe', 'alertname=Own'], 'pager'],
  ])('routes to %s', async (_, labels, receiver) => {
    const { code, stdout } = await amtool(files, 'config', 'routes', 'test', '--config.file=alertmanager.yml', ...labels);
    expect(stdout.trim()).toBe(receiver);
    expect(code).toBe(0);
  });
});

describeReal(['promtool', 'amtool'], 'the files of the printed reference stack', () => {
  const stack = printStack();

  it('are a configuration of Prometheus, whose files are looked for in its pod', async () => {
    const files = { 'prometheus.yml': stack.text('prometheus-config', 'prometheus.yml') };
    const { code, stderr } = await promtool(files, 'check', 'config', '--syntax-only', 'prometheus.yml');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('are rules', async () => {
    const files = { [RULES]: stack.text('prometheus-rules', 'otlp-stack.yaml') };
    const { code, stderr } = await promtool(files, 'check', 'rules', '--lint=all', '--lint-fatal', RULES);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('are a configuration of Alertmanager', async () => {
    const files = { 'alertmanager.yml': stack.text('alertmanager-config', 'alertmanager.yml') };
    const { code, stdout, stderr } = await amtool(files, 'check-config', 'alertmanager.yml');
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(code).toBe(0);
  });
});
