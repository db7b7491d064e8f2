import type { Duration } from 'cdk8s';
import type { IEndpoint } from '../model/endpoint';
import type { Observability } from '../observe/observability';

/** A Prometheus that can be asked, whoever runs it: what Grafana, autoscalers and the gateway need of it. */
export interface IPrometheus {
  /** The API, and `/api/v1/otlp` for metrics by OTLP. */
  readonly api: IEndpoint;
  /** How often targets are asked: the least step of a panel. */
  readonly scrapeInterval: Duration;
  /** Rules and dashboards for what the model has by now. */
  readonly observability: Observability;
}
