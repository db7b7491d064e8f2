import type { Duration } from 'cdk8s';
import { printPromDuration, type Query } from '../query';
import type { AlertScenario, FiringAlert } from './scenario';
import type { Severity } from './severity';

/** A query that helps to find the cause. */
export interface Diagnosis {
  readonly question: string;
  readonly query: Query;
}

export interface AlertProps {
  /** PascalCase; also names the runbook page. */
  readonly name: string;
  readonly severity: Severity;
  /** Fires for each sample of the result. */
  readonly expr: Query;
  /** How long the condition has to hold. @default - it fires at once */
  readonly holdFor?: Duration;
  /** One line; may quote labels of the result as `{{ $labels.pod }}`. */
  readonly summary: string;
  /** Two or three sentences, with `{{ $value }}`. */
  readonly description: string;
  /** What has happened, for the runbook. */
  readonly meaning: string;
  /** What users notice. */
  readonly impact: string;
  readonly diagnosis: Diagnosis[];
  /** Steps, the likeliest first. */
  readonly remedy: string[];
  readonly scenario: AlertScenario;
}

/** Settings that a whole set of alerts shares. */
export interface AlertRendering {
  /** Where the runbook pages are published; the page's name is appended. */
  readonly runbookUrl: string;
  /** Labels that every alert gets. @default {} */
  readonly labels?: { [key: string]: string };
  /** Replaces the time that each condition has to hold. @default - each alert's own */
  readonly holdFor?: Duration;
}

const LABEL_REFERENCE = /\{\{\s*\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/g;
const VALUE_REFERENCE = /\{\{\s*\$value[^}]*\}\}/g;

/** An alert with everything that belongs to it: rule, runbook and test. */
export class Alert {
  public readonly name: string;
  public readonly severity: Severity;
  public readonly expr: Query;
  public readonly holdFor: Duration | undefined;
  public readonly meaning: string;
  public readonly impact: string;
  public readonly scenario: AlertScenario;
  private readonly props: AlertProps;

  constructor(props: AlertProps) {
    this.props = props;
    this.name = props.name;
    this.severity = props.severity;
    this.expr = props.expr;
    this.holdFor = props.holdFor;
    this.meaning = props.meaning;
    this.impact = props.impact;
    this.scenario = props.scenario;
    if (!/^[A-Z][A-Za-z0-9]+$/.test(props.name)) {
      throw new Error(`alert '${props.name}': the name must be PascalCase, as it names the runbook page`);
    }
    for (const text of [props.summary, props.description]) {
      for (const [, label] of text.matchAll(LABEL_REFERENCE)) {
        if (label !== undefined && !props.expr.labels.includes(label)) {
          throw new Error(
            `alert '${props.name}': the text quotes label '${label}', the result has only ${props.expr.labels.map((known) => `'${known}'`).join(', ') || 'no labels'}: aggregate by it or leave it out`,
          );
        }
      }
    }
  }

  public get summary(): string {
    return this.props.summary;
  }

  public get description(): string {
    return this.props.description;
  }

  public get diagnosis(): Diagnosis[] {
    return [...this.props.diagnosis];
  }

  public get remedy(): string[] {
    return [...this.props.remedy];
  }

  /** The file of the runbook, as in `high-error-rate.md`. */
  public get runbook(): string {
    return `${this.name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}.md`;
  }

  /** The rule as Prometheus reads it. @internal */
  public _render(rendering: AlertRendering): object {
    const holdFor = this.holdFor && (rendering.holdFor ?? this.holdFor);
    return {
      alert: this.name,
      expr: this.expr.print(),
      for: holdFor && printPromDuration(holdFor),
      labels: this.labels(rendering),
      annotations: this.annotations(rendering),
    };
  }

  /** The rule's unit tests as promtool reads them: fires and resolves, then stays quiet. @internal */
  public _tests(rendering: AlertRendering): object[] {
    const { failing, firesAt, firing, resolvedAt, healthy } = this.scenario;
    const at = (time: Duration, expected: FiringAlert[]): object => ({
      eval_time: printPromDuration(time),
      alertname: this.name,
      exp_alerts: expected.map((alert) => this.expected(alert, rendering)),
    });
    const fires = {
      name: `${this.name} fires${resolvedAt ? ' and resolves' : ''}`,
      interval: '1m',
      input_series: failing.map((series) => series._render()),
      alert_rule_test: [at(firesAt, firing), ...(resolvedAt ? [at(resolvedAt, [])] : [])],
    };
    const quiet = healthy && {
      name: `${this.name} stays quiet`,
      interval: '1m',
      input_series: healthy.map((series) => series._render()),
      alert_rule_test: [at(firesAt, [])],
    };
    return quiet ? [fires, quiet] : [fires];
  }

  private labels({ labels }: AlertRendering): { [key: string]: string } {
    return { severity: this.severity.name, ...labels };
  }

  private annotations({ runbookUrl }: AlertRendering): { [key: string]: string } {
    return {
      summary: this.props.summary,
      description: this.props.description,
      runbook_url: `${runbookUrl.replace(/\/$/, '')}/${this.runbook}`,
    };
  }

  private expected(alert: FiringAlert, rendering: AlertRendering): object {
    const fill = (text: string): string =>
      text.replace(LABEL_REFERENCE, (_, label: string) => alert.labels[label] ?? '').replace(VALUE_REFERENCE, alert.value ?? '');
    return {
      exp_labels: { ...alert.labels, ...this.labels(rendering) },
      exp_annotations: Object.fromEntries(Object.entries(this.annotations(rendering)).map(([key, text]) => [key, fill(text)])),
    };
  }
}
