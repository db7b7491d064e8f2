import type { Duration } from 'cdk8s';
import { type Match, printPromDuration, QueryDialect } from '../observe/query';
import type { AlertReceiver } from './receiver';

export interface RouteProps {
  readonly receiver: AlertReceiver;
  /** All of them must hold. @default [] - every alert */
  readonly matches?: Match[];
  /** Alerts with the same values come in one notification. @default - that of the parent */
  readonly groupBy?: string[];
  /** How long a new group waits for more. @default - that of the parent */
  readonly groupWait?: Duration;
  /** How long until a group that has changed is told about again. @default - that of the parent */
  readonly groupInterval?: Duration;
  /** How long until a group that has not changed is told about again. @default - that of the parent */
  readonly repeatInterval?: Duration;
  /** Look at the routes behind this one, too. @default false */
  readonly continueMatching?: boolean;
  /** More particular ones, tried first. @default [] */
  readonly routes?: Route[];
}

/**
 * Which alerts go to whom. A route takes a receiver, so one that does not exist cannot be written.
 *
 * @see https://prometheus.io/docs/alerting/latest/configuration/#route
 */
export class Route {
  private readonly props: RouteProps;

  constructor(props: RouteProps) {
    this.props = props;
  }

  /** Every receiver in this route and below it. */
  public get receivers(): AlertReceiver[] {
    return [...new Set([this.props.receiver, ...(this.props.routes ?? []).flatMap((route) => route.receivers)])];
  }

  /** @internal */
  public get _matches(): Match[] {
    return [...(this.props.matches ?? [])];
  }

  /** @internal */
  public _render(): object {
    const { receiver, groupBy, groupWait, groupInterval, repeatInterval, continueMatching, routes = [] } = this.props;
    return {
      receiver: receiver.name,
      matchers: matchers(this._matches),
      group_by: groupBy,
      group_wait: groupWait && printPromDuration(groupWait),
      group_interval: groupInterval && printPromDuration(groupInterval),
      repeat_interval: repeatInterval && printPromDuration(repeatInterval),
      continue: continueMatching ? true : undefined,
      routes: routes.length > 0 ? routes.map((route) => route._render()) : undefined,
    };
  }
}

export interface InhibitionProps {
  /** While an alert like this fires ... */
  readonly source: Match[];
  /** ... alerts like these are not told ... */
  readonly target: Match[];
  /** ... as long as these labels have the same values on both. @default [] */
  readonly equal?: string[];
}

/** An alert that explains others: they are shown, but nobody is told about them. */
export class Inhibition {
  private readonly props: InhibitionProps;

  constructor(props: InhibitionProps) {
    this.props = props;
  }

  /** @internal */
  public _render(): object {
    const { source, target, equal = [] } = this.props;
    return {
      source_matchers: matchers(source),
      target_matchers: matchers(target),
      equal: equal.length > 0 ? equal : undefined,
    };
  }
}

/** Alertmanager's matchers are those of PromQL. */
function matchers(matches: Match[]): string[] | undefined {
  return matches.length > 0 ? matches.map((match) => match._print(QueryDialect.PROMETHEUS)) : undefined;
}
