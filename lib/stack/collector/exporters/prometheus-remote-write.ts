import { Duration } from 'cdk8s';
import { unlessEmpty } from '../../model/yaml';
import { ClientTls } from '../client';
import { type ComponentIdentity, Exporter } from '../component';
import { checkLabels, checkRange, checkUrl, optionalDuration } from '../print';
import type { Retry } from '../retry';
import { Signal } from '../signal';

/** Keys of the `prometheus_remote_write` exporter. */
export interface PrometheusRemoteWriteProps extends ComponentIdentity {
  /** The URL: `http://prometheus:9090/api/v1/write`. */
  readonly endpoint: string;
  /** @default '' */
  readonly namespace?: string;
  /** @default - none */
  readonly externalLabels?: { [name: string]: string };
  /** @default - none */
  readonly headers?: { [name: string]: string };
  /** @default Duration.seconds(5) */
  readonly timeout?: Duration;
  /**
   * Batches of metrics that may wait.
   * @default 10000
   */
  readonly queueSize?: number;
  /** @default 5 */
  readonly numConsumers?: number;
  /**
   * Every resource attribute becomes a label.
   * @default false
   */
  readonly resourceToTelemetryConversion?: boolean;
  /** @default - exponential backoff from 50 ms, for 5 minutes */
  readonly retryOnFailure?: Retry;
}

/** Sends metrics as Prometheus' remote write (`prometheusremotewrite` before 0.154). It has a queue of its own kind, always in memory. */
export class PrometheusRemoteWriteExporter extends Exporter {
  /** Of one attempt. */
  public readonly timeout: Duration;
  private readonly props: PrometheusRemoteWriteProps;

  constructor(props: PrometheusRemoteWriteProps) {
    super('prometheus_remote_write', props, [Signal.METRICS]);
    this.props = props;
    this.timeout = props.timeout ?? Duration.seconds(5);
    checkUrl(this._place, 'endpoint', props.endpoint);
    checkLabels(this._place, 'externalLabels', props.externalLabels);
    checkRange(this._place, 'queueSize', props.queueSize, 1, Number.MAX_SAFE_INTEGER);
    checkRange(this._place, 'numConsumers', props.numConsumers, 1, Number.MAX_SAFE_INTEGER);
  }

  /** @internal */
  public override _attemptTimeout(): Duration {
    return this.timeout;
  }

  /** @internal */
  public override _render(): object {
    const { queueSize, numConsumers, resourceToTelemetryConversion: conversion } = this.props;
    return {
      endpoint: this.props.endpoint,
      namespace: this.props.namespace,
      external_labels: unlessEmpty(this.props.externalLabels),
      headers: unlessEmpty(this.props.headers),
      tls: ClientTls.insecure()._render(),
      timeout: optionalDuration(this.props.timeout),
      remote_write_queue: queueSize || numConsumers ? { queue_size: queueSize, num_consumers: numConsumers } : undefined,
      resource_to_telemetry_conversion: conversion === undefined ? undefined : { enabled: conversion },
      retry_on_failure: this.props.retryOnFailure?._render(),
    };
  }
}
