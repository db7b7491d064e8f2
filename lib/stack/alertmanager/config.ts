import { Duration } from 'cdk8s';
import type { IConfig } from '../model/config-content';
import { deepMerge } from '../model/yaml';
import { Severity } from '../observe/alerts';
import { Match, printPromDuration } from '../observe/query';
import { AlertReceiver } from './receiver';
import { Inhibition, Route } from './route';

export interface AlertmanagerConfigProps {
  /** The route that takes everything; more particular ones stand in it. */
  readonly route: Route;
  /** @default [] */
  readonly inhibitions?: Inhibition[];
  /** An alert is over when Prometheus has not sent it for this long. @default Duration.minutes(5) */
  readonly resolveTimeout?: Duration;
  /** Merged over the printed configuration. @default {} */
  readonly configOverrides?: object;
}

/** Who is told about what, by severity. */
export interface SeverityRouting {
  /** Told at once. */
  readonly critical: AlertReceiver;
  /** Told by day. @default - the receiver of `critical` */
  readonly warning?: AlertReceiver;
  /** Shown only. @default - nobody is told */
  readonly info?: AlertReceiver;
  /** Called all the time by the alert Watchdog, and notices when it stops. @default - nobody does */
  readonly heartbeat?: AlertReceiver;
  /** How long a new group waits for more alerts. @default Duration.seconds(30) */
  readonly groupWait?: Duration;
  /** @default Duration.minutes(5) */
  readonly groupInterval?: Duration;
  /** For drills. @default - 1 h for critical, 12 h for the rest */
  readonly repeatInterval?: Duration;
}

/**
 * alertmanager.yml, typed.
 *
 * @example
 * const config = AlertmanagerConfig.bySeverity({
 *   critical: AlertReceiver.of('pager', Notification.pagerDuty({ routingKeyFile: '/etc/alertmanager/secrets/pagerduty' })),
 *   warning: AlertReceiver.of('chat', Notification.slack({ channel: '#alerts', urlFile: '/etc/alertmanager/secrets/slack' })),
 * });
 * @see https://prometheus.io/docs/alerting/latest/configuration/
 */
export class AlertmanagerConfig implements IConfig {
  /** Routes by the label `severity`; the heartbeat goes its own way, and what is critical silences what is less so. */
  public static bySeverity(routing: SeverityRouting): AlertmanagerConfig {
    const groupWait = routing.groupWait ?? Duration.seconds(30);
    const none = AlertReceiver.NOBODY;
    const to = (severity: Severity, receiver: AlertReceiver, repeat: Duration): Route =>
      new Route({ receiver, matches: [Match.equal('severity', severity.name)], repeatInterval: routing.repeatInterval ?? repeat });
    return new AlertmanagerConfig({
      route: new Route({
        // An alert without a severity that is known goes to people: better a call too many than one too few.
        receiver: routing.critical,
        groupBy: ['alertname', 'namespace', 'job'],
        groupWait,
        groupInterval: routing.groupInterval ?? Duration.minutes(5),
        repeatInterval: routing.repeatInterval ?? Duration.hours(12),
        routes: [
          new Route({
            receiver: routing.heartbeat ?? none,
            matches: [Match.equal('alertname', 'Watchdog')],
            groupWait: Duration.seconds(0),
            groupInterval: Duration.minutes(1),
            repeatInterval: Duration.minutes(1),
          }),
          to(Severity.CRITICAL, routing.critical, Duration.hours(1)),
          to(Severity.WARNING, routing.warning ?? routing.critical, Duration.hours(12)),
          to(Severity.INFO, routing.info ?? none, Duration.hours(24)),
          to(Severity.NONE, none, Duration.hours(24)),
        ],
      }),
      inhibitions: AlertmanagerConfig.standardInhibitions(),
    });
  }

  /** A more urgent alert of the same name silences a less urgent one; a backend that is down explains what cannot reach it. */
  public static standardInhibitions(): Inhibition[] {
    const ranked = Severity.all().filter((severity) => severity.rank > 0);
    const byRank = ranked.slice(0, -1).map((severity) => {
      const lower = ranked.filter(({ rank }) => rank < severity.rank).map(({ name }) => name);
      return new Inhibition({
        source: [Match.equal('severity', severity.name)],
        target: [Match.matches('severity', lower.join('|'))],
        equal: ['alertname', 'namespace', 'job', 'pod'],
      });
    });
    const explains = (source: string, ...targets: string[]): Inhibition =>
      new Inhibition({ source: [Match.equal('alertname', source)], target: [Match.matches('alertname', targets.join('|'))] });
    return [
      ...byRank,
      explains('ElasticsearchDown', 'JaegerStorageErrors', 'FluentdBufferFilling'),
      explains('JaegerDown', 'JaegerStorageErrors', 'GatewayExportFailures'),
    ];
  }

  private readonly props: AlertmanagerConfigProps;

  constructor(props: AlertmanagerConfigProps) {
    this.props = props;
    if (props.route._matches.length > 0) {
      throw new Error("the outermost route must take every alert: move its 'matches' into a route below it");
    }
    const names = this.receivers.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) {
      throw new Error(`two different receivers are called '${twice}': give one of them another name, or use the same object`);
    }
  }

  /** Everybody who may be told. */
  public get receivers(): AlertReceiver[] {
    return this.props.route.receivers;
  }

  public renderConfig(): object {
    const { route, inhibitions = [], resolveTimeout, configOverrides } = this.props;
    const config = {
      global: { resolve_timeout: printPromDuration(resolveTimeout ?? Duration.minutes(5)) },
      route: route._render(),
      inhibit_rules: inhibitions.length > 0 ? inhibitions.map((inhibition) => inhibition._render()) : undefined,
      receivers: this.receivers.map((receiver) => receiver._render()),
    };
    return configOverrides ? deepMerge(config, configOverrides) : config;
  }
}
