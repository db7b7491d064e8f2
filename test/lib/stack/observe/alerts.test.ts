import { Duration } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { Alert, type AlertProps, Observability, Query, Severity, StackAlerts } from '../../../../lib/stack/observe/index';
import { EVERYTHING } from './parts';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
}

const rulesOf = (observability: Observability): Rule[] =>
  (observability.rules.renderConfig() as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
const stack = new Observability({ parts: EVERYTHING });
const rule = (name: string): Rule | undefined => rulesOf(stack).find(({ alert }) => alert === name);

describe('the alerts that were asked for', () => {
  it.each([
    ['HighErrorRate', 'critical', '5m', /status=~"5\.\."\}\[5m\].* \/ .* > 0\.05$/],
    ['HighLatency', 'warning', '5m', /^histogram_quantile\(0\.95, .*http_request_duration_seconds_bucket\[5m\].*> 1$/],
    ['HighSpanDropRate', 'warning', '5m', /otlp_spans_dropped_total\[5m\].* > 100$/],
    ['HighMemoryUsage', 'warning', '10m', /container_memory_working_set_bytes.*resource_limits.* > 0\.9$/],
    ['PodRestarting', 'warning', '5m', /restarts_total.*\[15m\].* > 0$/],
  ])('%s is %s after %s', (name, severity, holdFor, expr) => {
    expect(rule(name)?.labels.severity).toBe(severity);
    expect(rule(name)?.for).toBe(holdFor);
    expect(rule(name)?.expr).toMatch(expr);
  });

  it('count native sidecars among containers, as their limits and restarts are in metrics of init containers', () => {
    expect(rule('HighMemoryUsage')?.expr).toContain('kube_pod_init_container_resource_limits');
    expect(rule('PodRestarting')?.expr).toContain('kube_pod_init_container_status_restarts_total');
  });
});

describe('every alert', () => {
  const alerts = new StackAlerts(EVERYTHING).all();

  it('has a name of its own', () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  it.each(alerts.map((alert) => [alert.name, alert] as const))('%s has texts, a runbook, steps and a scenario', (_, alert) => {
    expect(alert.summary.length).toBeGreaterThan(5);
    expect(alert.meaning).toMatch(/\.$/);
    expect(alert.impact).toMatch(/\.$/);
    expect(alert.diagnosis.length).toBeGreaterThan(0);
    expect(alert.remedy.length).toBeGreaterThan(0);
    expect(alert.scenario.firing.length).toBeGreaterThan(0);
    expect(rule(alert.name)?.annotations.runbook_url).toBe(
      `https://github.com/otlp-stack/otlp-stack/blob/main/docs/runbooks/${alert.runbook}`,
    );
    if (alert.severity !== Severity.NONE) {
      expect(alert.scenario.resolvedAt).toBeDefined();
      expect(alert.scenario.healthy?.length).toBeGreaterThan(0);
      expect(alert.holdFor).toBeDefined();
    }
  });
});

describe('the set of alerts', () => {
  it('leaves out what is not deployed', () => {
    const names = new StackAlerts({ namespaces: ['shop'] }).all().map(({ name }) => name);
    expect(names).toEqual([
      'HighErrorRate',
      'HighLatency',
      'HighSpanDropRate',
      'TargetDown',
      'Watchdog',
      'PrometheusRuleFailures',
      'PrometheusStorage',
      'PrometheusConfigReloadFailed',
    ]);
  });

  it('takes thresholds, labels and times for drills', () => {
    const drill = new Observability({
      parts: EVERYTHING,
      thresholds: { errorRatio: 0.01, latency: Duration.millis(250), window: Duration.seconds(20) },
      holdFor: Duration.seconds(5),
      alertLabels: { team: 'platform' },
      runbookUrl: 'https://wiki.example.com/runbooks/',
    });
    const [errors, latency] = ['HighErrorRate', 'HighLatency'].map((name) => rulesOf(drill).find(({ alert }) => alert === name));
    expect(errors?.expr).toMatch(/\[20s\].* > 0\.01$/);
    expect(errors?.for).toBe('5s');
    expect(errors?.labels).toEqual({ severity: 'critical', team: 'platform' });
    expect(errors?.annotations.runbook_url).toBe('https://wiki.example.com/runbooks/high-error-rate.md');
    expect(latency?.expr).toMatch(/> 0\.25$/);
    // The heartbeat waits for nothing.
    expect(rulesOf(drill).find(({ alert }) => alert === 'Watchdog')?.for).toBeUndefined();
  });

  it('fails on a ratio that is written in per cent', () => {
    expect(() => new StackAlerts(EVERYTHING, { errorRatio: 5 })).toThrow("'errorRatio' must be between 0 and 1 (0.05 is 5 %), got 5");
  });
});

describe('an alert', () => {
  const props: AlertProps = {
    name: 'Own',
    severity: Severity.INFO,
    expr: Query.vector(1),
    summary: 'x',
    description: 'y',
    meaning: 'm.',
    impact: 'i.',
    diagnosis: [],
    remedy: [],
    scenario: { failing: [], firesAt: Duration.minutes(1), firing: [{ labels: {} }] },
  };

  it('fails when its text quotes a label that the result does not have', () => {
    expect(() => new Alert({ ...props, summary: '{{ $labels.pod }} is down' })).toThrow(
      "alert 'Own': the text quotes label 'pod', the result has only no labels",
    );
  });

  it('fails when its name is no PascalCase', () => {
    expect(() => new Alert({ ...props, name: 'own alert' })).toThrow("alert 'own alert': the name must be PascalCase");
  });

  it('of your own joins the stack, once', () => {
    const own = new Alert(props);
    const names = rulesOf(new Observability({ parts: EVERYTHING, extraAlerts: [own] })).map(({ alert }) => alert);
    expect(names.at(-1)).toBe('Own');
  });
});
