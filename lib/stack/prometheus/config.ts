import { Duration } from 'cdk8s';
import type { IConfig } from '../model/config-content';
import { deepMerge } from '../model/yaml';
import { printPromDuration } from '../observe/query';
import type { ScrapeJob } from './scrape-job';

/** How Prometheus names metrics that arrive by OTLP. */
export class OtlpTranslation {
  /** `http.server.duration` becomes `http_server_duration_seconds`; counters end in `_total`. */
  public static readonly WITH_SUFFIXES = new OtlpTranslation('UnderscoreEscapingWithSuffixes');
  /** Names keep their dots, and get the suffixes: PromQL needs quotes then. */
  public static readonly UTF8_WITH_SUFFIXES = new OtlpTranslation('NoUTF8EscapingWithSuffixes');
  /** Names stay as they are. */
  public static readonly NONE = new OtlpTranslation('NoTranslation');

  private constructor(public readonly name: string) {}
}

export interface PrometheusConfigProps {
  /** @default Duration.seconds(15) - four samples in the shortest rate of the rules */
  readonly scrapeInterval?: Duration;
  /** @default Duration.seconds(10) */
  readonly scrapeTimeout?: Duration;
  /** @default Duration.seconds(30) */
  readonly evaluationInterval?: Duration;
  /** Labels of everything that leaves this Prometheus. @default {} */
  readonly externalLabels?: { [key: string]: string };
  readonly scrapeJobs: ScrapeJob[];
  /** Paths or globs of rule files. @default [] */
  readonly ruleFiles?: string[];
  /** `host:port` of each Alertmanager. @default [] */
  readonly alertmanagers?: string[];
  /** @default OtlpTranslation.WITH_SUFFIXES */
  readonly otlpTranslation?: OtlpTranslation;
  /**
   * Resource attributes that become labels of metrics that arrive by OTLP; `service.name` and `service.instance.id` become `job` and
   * `instance` without being named here.
   * @default - environment, version, and the Kubernetes attributes that the gateway adds
   */
  readonly promoteResourceAttributes?: string[];
  /**
   * How much older than the newest a sample may be: metrics that arrive by OTLP take several ways and overtake each other.
   * @default Duration.minutes(30)
   */
  readonly outOfOrderWindow?: Duration;
  /** Merged over the printed configuration. @default {} */
  readonly configOverrides?: object;
}

/** Four samples in the shortest rate of the rules. */
export const SCRAPE_INTERVAL = Duration.seconds(15);

const RESOURCE_ATTRIBUTES = [
  'deployment.environment',
  'deployment.environment.name',
  'k8s.cluster.name',
  'k8s.container.name',
  'k8s.deployment.name',
  'k8s.namespace.name',
  'k8s.node.name',
  'k8s.pod.name',
  'service.version',
];

/**
 * prometheus.yml, typed.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/
 */
export class PrometheusConfig implements IConfig {
  private readonly props: PrometheusConfigProps;

  constructor(props: PrometheusConfigProps) {
    this.props = props;
    const names = props.scrapeJobs.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) {
      throw new Error(`scrape job '${twice}' occurs twice: names must be unique; the label of the samples is set with 'job'`);
    }
    const [interval, timeout] = [this.scrapeInterval, this.scrapeTimeout];
    if (timeout.toMilliseconds() > interval.toMilliseconds()) {
      throw new Error(
        `'scrapeTimeout' (${printPromDuration(timeout)}) must not exceed 'scrapeInterval' (${printPromDuration(interval)}): lower the timeout`,
      );
    }
  }

  public get scrapeInterval(): Duration {
    return this.props.scrapeInterval ?? SCRAPE_INTERVAL;
  }

  /** At most the interval. */
  public get scrapeTimeout(): Duration {
    const { scrapeTimeout } = this.props;
    return scrapeTimeout ?? (this.scrapeInterval.toMilliseconds() < 10_000 ? this.scrapeInterval : Duration.seconds(10));
  }

  public get evaluationInterval(): Duration {
    return this.props.evaluationInterval ?? Duration.seconds(30);
  }

  public renderConfig(): object {
    const { externalLabels, scrapeJobs, ruleFiles = [], alertmanagers = [], configOverrides } = this.props;
    const config = {
      global: {
        scrape_interval: printPromDuration(this.scrapeInterval),
        scrape_timeout: printPromDuration(this.scrapeTimeout),
        evaluation_interval: printPromDuration(this.evaluationInterval),
        external_labels: externalLabels && Object.keys(externalLabels).length > 0 ? externalLabels : undefined,
      },
      rule_files: ruleFiles.length > 0 ? ruleFiles : undefined,
      alerting: alertmanagers.length > 0 ? { alertmanagers: [{ static_configs: [{ targets: alertmanagers }] }] } : undefined,
      otlp: {
        translation_strategy: (this.props.otlpTranslation ?? OtlpTranslation.WITH_SUFFIXES).name,
        promote_resource_attributes: this.props.promoteResourceAttributes ?? RESOURCE_ATTRIBUTES,
      },
      storage: { tsdb: { out_of_order_time_window: printPromDuration(this.props.outOfOrderWindow ?? Duration.minutes(30)) } },
      scrape_configs: scrapeJobs.map((job) => job._render()),
    };
    return configOverrides ? deepMerge(config, configOverrides) : config;
  }
}
