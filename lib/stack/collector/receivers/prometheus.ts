import type { Duration } from 'cdk8s';
import { type ComponentIdentity, Receiver } from '../component';
import { optionalDuration } from '../print';
import { Signal } from '../signal';

/** One scrape job with fixed targets; discovery goes through `scrapeConfigs`. */
export interface PrometheusScrapeJob {
  readonly jobName: string;
  /** `host:port` each. */
  readonly targets: string[];
  /** @default - 1 minute, Prometheus' own */
  readonly scrapeInterval?: Duration;
  /** @default '/metrics' */
  readonly metricsPath?: string;
}

/** Keys of the `prometheus` receiver. */
export interface PrometheusReceiverProps extends ComponentIdentity {
  /** @default - none */
  readonly jobs?: PrometheusScrapeJob[];
  /**
   * Further entries of `scrape_configs` in Prometheus' own grammar, printed as they are.
   * @default - none
   */
  readonly scrapeConfigs?: object[];
}

/** Scrapes as Prometheus does. */
export class PrometheusReceiver extends Receiver {
  private readonly jobs: PrometheusScrapeJob[];
  private readonly scrapeConfigs: object[];

  constructor(props: PrometheusReceiverProps) {
    super('prometheus', props, [Signal.METRICS]);
    this.jobs = [...(props.jobs ?? [])];
    this.scrapeConfigs = [...(props.scrapeConfigs ?? [])];
    if (this.jobs.length + this.scrapeConfigs.length === 0) {
      throw new Error(`${this._place}: neither 'jobs' nor 'scrapeConfigs' holds anything to scrape: name at least one target`);
    }
    const twice = this.jobs.map((job) => job.jobName).find((name, index, names) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new Error(`${this._place}: two jobs are named '${twice}': Prometheus wants each name once`);
    }
  }

  /** @internal */
  public override _render(): object {
    const jobs = this.jobs.map((job) => ({
      job_name: job.jobName,
      scrape_interval: optionalDuration(job.scrapeInterval),
      metrics_path: job.metricsPath,
      static_configs: [{ targets: [...job.targets] }],
    }));
    return { config: { scrape_configs: [...jobs, ...this.scrapeConfigs] } };
  }
}
