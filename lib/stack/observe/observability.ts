import type { Duration } from 'cdk8s';
import { type Alert, type AlertThresholds, type ObservedParts, StackAlerts } from './alerts';
import { type Dashboard, stackDashboards } from './dashboards';
import type { QueryUse } from './query-use';
import { RuleFile, RuleGroup, StackRules } from './rules';

export interface ObservabilityProps {
  /** What there is to watch. */
  readonly parts: ObservedParts;
  /** @default {} - those of the reference */
  readonly thresholds?: AlertThresholds;
  /**
   * Where the pages of `docs/runbooks` are published.
   * @default 'https://github.com/otlp-stack/otlp-stack/blob/main/docs/runbooks'
   */
  readonly runbookUrl?: string;
  /** Labels that every alert gets, for routing. @default {} */
  readonly alertLabels?: { [key: string]: string };
  /** How long every condition has to hold; for drills. @default - each alert's own */
  readonly holdFor?: Duration;
  /** Further alerts, of programs of your own. @default [] */
  readonly extraAlerts?: Alert[];
}

export const RUNBOOK_URL = 'https://github.com/otlp-stack/otlp-stack/blob/main/docs/runbooks';

/** Rules and dashboards of a stack: values without any Kubernetes in them. */
export class Observability {
  public readonly alerts: StackAlerts;
  public readonly rules: RuleFile;
  private readonly dashboardList: Dashboard[];

  constructor(props: ObservabilityProps) {
    const { parts } = props;
    this.alerts = new StackAlerts(parts, props.thresholds);
    const hasMemory = parts.cadvisorJob !== undefined && parts.kubeStateMetricsJob !== undefined;
    this.rules = new RuleFile(
      [
        new RuleGroup({
          name: 'otlp-stack.service',
          recordingRules: [...StackRules.service(), ...(parts.spanMetricsJob === undefined ? [] : [StackRules.SPAN_CALLS])],
          alerts: this.alerts.service,
        }),
        new RuleGroup({
          name: 'otlp-stack.pods',
          recordingRules: hasMemory ? [StackRules.MEMORY_RATIO] : [],
          alerts: this.alerts.pods,
        }),
        new RuleGroup({ name: 'otlp-stack.targets', alerts: this.alerts.targets }),
        new RuleGroup({ name: 'otlp-stack.collectors', alerts: this.alerts.collectors }),
        new RuleGroup({ name: 'otlp-stack.backends', alerts: this.alerts.backends }),
        new RuleGroup({ name: 'otlp-stack.monitoring', alerts: this.alerts.monitoring }),
        new RuleGroup({ name: 'otlp-stack.extra', alerts: props.extraAlerts ?? [] }),
      ],
      { runbookUrl: props.runbookUrl ?? RUNBOOK_URL, labels: props.alertLabels, holdFor: props.holdFor },
    );
    this.dashboardList = stackDashboards(parts);
  }

  public get dashboards(): Dashboard[] {
    return [...this.dashboardList];
  }

  /** Every query of every rule, alert, runbook and dashboard. */
  public allQueries(): QueryUse[] {
    const alerts = this.rules.groups.flatMap((group) => group.alerts);
    return [
      ...this.rules.groups.flatMap((group) => group.recordingRules).map(({ record, expr }) => ({ place: `rule ${record}`, query: expr })),
      ...alerts.map(({ name, expr }) => ({ place: `alert ${name}`, query: expr })),
      ...alerts.flatMap((alert) => alert.diagnosis.map(({ question, query }) => ({ place: `runbook ${alert.name}: ${question}`, query }))),
      ...this.dashboardList.flatMap((dashboard) => dashboard.queries()),
    ];
  }
}
