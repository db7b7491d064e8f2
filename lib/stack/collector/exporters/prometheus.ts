import type { Duration } from 'cdk8s';
import { unlessEmpty } from '../../model/yaml';
import { type ComponentIdentity, Exporter } from '../component';
import { checkAddress, checkLabels, optionalDuration } from '../print';
import { Signal } from '../signal';

/** Keys of the `prometheus` exporter. */
export interface PrometheusExporterProps extends ComponentIdentity {
  /** `HOST:PORT` that Prometheus scrapes. */
  readonly endpoint: string;
  /** @default '' */
  readonly namespace?: string;
  /** @default - none */
  readonly constLabels?: { [name: string]: string };
  /** @default false */
  readonly sendTimestamps?: boolean;
  /**
   * A series without new values for this long is no longer shown.
   * @default Duration.minutes(5)
   */
  readonly metricExpiration?: Duration;
  /**
   * Needed for exemplars.
   * @default false
   */
  readonly enableOpenMetrics?: boolean;
  /**
   * Every resource attribute becomes a label.
   * @default false
   */
  readonly resourceToTelemetryConversion?: boolean;
}

/** Shows metrics on a port of its own, to be scraped on every pod. */
export class PrometheusExporter extends Exporter {
  private readonly props: PrometheusExporterProps;

  constructor(props: PrometheusExporterProps) {
    super('prometheus', props, [Signal.METRICS]);
    this.props = props;
    checkAddress(this._place, 'endpoint', props.endpoint);
    checkLabels(this._place, 'constLabels', props.constLabels);
  }

  /** @internal */
  public override _render(): object {
    const conversion = this.props.resourceToTelemetryConversion;
    return {
      endpoint: this.props.endpoint,
      namespace: this.props.namespace,
      const_labels: unlessEmpty(this.props.constLabels),
      send_timestamps: this.props.sendTimestamps,
      metric_expiration: optionalDuration(this.props.metricExpiration),
      enable_open_metrics: this.props.enableOpenMetrics,
      resource_to_telemetry_conversion: conversion === undefined ? undefined : { enabled: conversion },
    };
  }
}
