import { checkRange, envReference } from './print';

/** Which log lines a program writes. */
export class LogLevel {
  public static readonly DEBUG = new LogLevel('debug');
  public static readonly INFO = new LogLevel('info');
  public static readonly WARN = new LogLevel('warn');
  public static readonly ERROR = new LogLevel('error');

  private constructor(public readonly name: string) {}
}

/** How detailed a program's own metrics are. */
export class MetricsLevel {
  public static readonly NONE = new MetricsLevel('none');
  public static readonly BASIC = new MetricsLevel('basic');
  public static readonly NORMAL = new MetricsLevel('normal');
  public static readonly DETAILED = new MetricsLevel('detailed');

  private constructor(public readonly name: string) {}
}

/** What the program says about itself. */
export interface ServiceTelemetryProps {
  /**
   * The address of its own metrics; Prometheus scrapes the pod's address.
   * @default '${env:MY_POD_IP}'
   */
  readonly metricsHost?: string;
  /** @default 8888 */
  readonly metricsPort?: number;
  /** @default MetricsLevel.NORMAL */
  readonly metricsLevel?: MetricsLevel;
  /** @default LogLevel.INFO */
  readonly logLevel?: LogLevel;
  /**
   * Attributes of the program itself on its own telemetry.
   * @default - those that the program adds by itself
   */
  readonly resource?: { [key: string]: string };
}

/** `service.telemetry`: its own metrics to be scraped, its own logs as JSON. */
export class ServiceTelemetry {
  public readonly metricsPort: number;
  private readonly props: ServiceTelemetryProps;

  constructor(props: ServiceTelemetryProps = {}) {
    this.props = props;
    this.metricsPort = props.metricsPort ?? 8888;
    checkRange('service.telemetry', 'metricsPort', this.metricsPort, 1, 65_535);
  }

  /** @internal */
  public _render(): object {
    const level = this.props.metricsLevel ?? MetricsLevel.NORMAL;
    const reader = { pull: { exporter: { prometheus: this.renderPrometheus() } } };
    return {
      metrics: { level: level.name, readers: level === MetricsLevel.NONE ? undefined : [reader] },
      logs: { level: (this.props.logLevel ?? LogLevel.INFO).name, encoding: 'json' },
      resource: this.props.resource,
    };
  }

  private renderPrometheus(): object {
    return {
      host: this.props.metricsHost ?? envReference('MY_POD_IP'),
      port: this.metricsPort,
    };
  }
}
