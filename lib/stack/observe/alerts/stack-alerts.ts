import type { Alert } from './alert';
import { backendAlerts } from './backends';
import { collectorAlerts } from './collector';
import { downAlerts } from './down';
import { monitoringAlerts } from './monitoring';
import { type AlertThresholds, type ObservedParts, resolveThresholds } from './parts';
import { podAlerts } from './pods';
import { serviceAlerts } from './service';

/** The alerts of a stack, by the part that they are about. */
export class StackAlerts {
  /** What users of services notice. */
  public readonly service: Alert[];
  /** Pods, volumes and autoscalers. */
  public readonly pods: Alert[];
  /** Targets that are down or missing. */
  public readonly targets: Alert[];
  /** Agents and gateway. */
  public readonly collectors: Alert[];
  /** Jaeger, Elasticsearch and Fluentd. */
  public readonly backends: Alert[];
  /** Prometheus and Alertmanager. */
  public readonly monitoring: Alert[];

  constructor(parts: ObservedParts, thresholds: AlertThresholds = {}) {
    const resolved = resolveThresholds(thresholds);
    this.service = serviceAlerts(resolved);
    this.pods = podAlerts(parts, resolved);
    this.targets = downAlerts(parts);
    this.collectors = collectorAlerts(parts, resolved);
    this.backends = backendAlerts(parts, resolved);
    this.monitoring = monitoringAlerts(parts, resolved);
  }

  public all(): Alert[] {
    return [...this.service, ...this.pods, ...this.targets, ...this.collectors, ...this.backends, ...this.monitoring];
  }
}
