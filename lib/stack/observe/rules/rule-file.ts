import type { Duration } from 'cdk8s';
import type { IConfig } from '../../model/config-content';
import type { Alert, AlertRendering } from '../alerts';
import { printPromDuration } from '../query';
import type { RecordingRule } from './recording-rule';

export interface RuleGroupProps {
  /** Unique in its file, as in `otlp-stack.service`. */
  readonly name: string;
  /** Evaluated before the alerts. @default [] */
  readonly recordingRules?: RecordingRule[];
  /** @default [] */
  readonly alerts?: Alert[];
  /** @default - Prometheus' `evaluation_interval` */
  readonly interval?: Duration;
}

/** Rules that are evaluated together, one after the other. */
export class RuleGroup {
  public readonly name: string;
  private readonly props: RuleGroupProps;

  constructor(props: RuleGroupProps) {
    this.name = props.name;
    this.props = props;
  }

  public get alerts(): Alert[] {
    return [...(this.props.alerts ?? [])];
  }

  public get recordingRules(): RecordingRule[] {
    return [...(this.props.recordingRules ?? [])];
  }

  public get isEmpty(): boolean {
    return this.alerts.length + this.recordingRules.length === 0;
  }

  /** @internal */
  public _render(rendering: AlertRendering): object {
    return {
      name: this.name,
      interval: this.props.interval && printPromDuration(this.props.interval),
      rules: [...this.recordingRules.map((rule) => rule._render()), ...this.alerts.map((alert) => alert._render(rendering))],
    };
  }
}

/** One rule file: `groups:`, as Prometheus and the PrometheusRule resource read it. */
export class RuleFile implements IConfig {
  private readonly groupList: RuleGroup[];

  constructor(
    groups: RuleGroup[],
    private readonly rendering: AlertRendering,
  ) {
    this.groupList = groups.filter((group) => !group.isEmpty);
    const names = this.groupList.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) {
      throw new Error(`rule group '${twice}' occurs twice: names must be unique in a file`);
    }
  }

  public get groups(): RuleGroup[] {
    return [...this.groupList];
  }

  public renderConfig(): object {
    return { groups: this.groupList.map((group) => group._render(this.rendering)) };
  }

  /**
   * The unit tests of all alerts, as `promtool test rules` reads them.
   * @param ruleFile the rule file's path, relative to the test file
   */
  public unitTests(ruleFile: string): object {
    return {
      rule_files: [ruleFile],
      evaluation_interval: '30s',
      tests: this.groupList.flatMap((group) => group.alerts).flatMap((alert) => alert._tests(this.rendering)),
    };
  }
}
