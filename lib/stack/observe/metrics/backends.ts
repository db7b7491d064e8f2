import { Metric, MetricType, Unit } from '../metric';
import { Program } from '../program';

/** Jaeger's metrics about its storage; those about its pipeline are {@link CollectorMetrics.JAEGER}. */
export class JaegerMetrics {
  private static readonly STORAGE = ['kind', 'name', 'role', 'operation', 'result'];

  public static readonly STORAGE_REQUESTS = new Metric({
    name: 'jaeger_storage_requests',
    type: MetricType.COUNTER,
    labels: JaegerMetrics.STORAGE,
    help: 'Queries to the storage by operation and result (ok, err).',
    program: Program.JAEGER,
  });
  public static readonly STORAGE_LATENCY = new Metric({
    name: 'jaeger_storage_latency',
    type: MetricType.HISTOGRAM,
    unit: Unit.SECONDS,
    labels: JaegerMetrics.STORAGE,
    help: 'Time that the storage took to answer.',
    program: Program.JAEGER,
  });

  public static all(): Metric[] {
    return [JaegerMetrics.STORAGE_REQUESTS, JaegerMetrics.STORAGE_LATENCY];
  }

  private constructor() {}
}

/**
 * Fluentd's buffers, by fluent-plugin-prometheus' output monitor.
 *
 * @see https://github.com/fluent/fluent-plugin-prometheus#prometheus_output_monitor-input-plugin
 */
export class FluentdMetrics {
  public static readonly BUFFER_FREE = new Metric({
    name: 'fluentd_output_status_buffer_available_space_ratio',
    type: MetricType.GAUGE,
    labels: ['plugin_id', 'type'],
    help: 'Free share of a buffer, in per cent.',
    program: Program.pod('fluentd'),
  });
  public static readonly RETRIES = new Metric({
    name: 'fluentd_output_status_retry_count',
    type: MetricType.GAUGE,
    labels: ['plugin_id', 'type'],
    help: 'Tries again since the start.',
    program: Program.pod('fluentd'),
  });

  public static all(): Metric[] {
    return [FluentdMetrics.BUFFER_FREE, FluentdMetrics.RETRIES];
  }

  private constructor() {}
}

function metric(program: Program, type: MetricType, name: string, labels: string[], help: string, unit = Unit.NONE): Metric {
  return new Metric({ name, type, unit, labels, help, program });
}

const counter = (name: string, labels: string[], help: string): Metric =>
  metric(Program.PROMETHEUS, MetricType.COUNTER, name, labels, help);
const gauge = (name: string, labels: string[], help: string, unit = Unit.NONE): Metric =>
  metric(Program.PROMETHEUS, MetricType.GAUGE, name, labels, help, unit);

/** Prometheus' metrics about itself. */
export class PrometheusMetrics {
  /** 1 after a scrape that succeeded, 0 otherwise. */
  public static readonly UP = metric(Program.SCRAPE, MetricType.GAUGE, 'up', [], 'Whether the last scrape of a target succeeded.');
  public static readonly RULE_FAILURES = counter(
    'prometheus_rule_evaluation_failures_total',
    ['rule_group'],
    'Rule evaluations that failed.',
  );
  public static readonly RULE_MISSED = counter(
    'prometheus_rule_group_iterations_missed_total',
    ['rule_group'],
    'Evaluations of a group that were left out because the one before was still running.',
  );
  public static readonly RELOAD_SUCCESSFUL = gauge('prometheus_config_last_reload_successful', [], 'Whether the configuration was loaded.');
  public static readonly WAL_CORRUPTIONS = counter('prometheus_tsdb_wal_corruptions_total', [], 'Corrupt records in the write-ahead log.');
  public static readonly COMPACTIONS_FAILED = counter('prometheus_tsdb_compactions_failed_total', [], 'Compactions of blocks that failed.');
  public static readonly BLOCK_RELOADS_FAILED = counter(
    'prometheus_tsdb_reloads_failures_total',
    [],
    'Blocks that could not be read again.',
  );
  public static readonly WAL_WRITES_FAILED = counter('prometheus_tsdb_wal_writes_failed_total', [], 'Writes to the log that failed.');
  public static readonly HEAD_SERIES = gauge('prometheus_tsdb_head_series', [], 'Series in memory.');
  public static readonly BLOCK_BYTES = gauge('prometheus_tsdb_storage_blocks_bytes', [], 'Size of all blocks on disk.', Unit.BYTES);
  public static readonly SAMPLES_APPENDED = counter('prometheus_tsdb_head_samples_appended_total', ['type'], 'Samples that were stored.');
  public static readonly RULE_DURATION = gauge(
    'prometheus_rule_group_last_duration_seconds',
    ['rule_group'],
    'How long the last evaluation of a group took.',
    Unit.SECONDS,
  );
  public static readonly ALERTMANAGERS = gauge('prometheus_notifications_alertmanagers_discovered', [], 'Alertmanagers that are known.');
  public static readonly NOTIFICATION_ERRORS = counter(
    'prometheus_notifications_errors_total',
    ['alertmanager'],
    'Alerts that an Alertmanager did not take.',
  );
  public static readonly NOTIFICATIONS_SENT = counter('prometheus_notifications_sent_total', ['alertmanager'], 'Alerts sent.');
  public static readonly MEMORY = gauge('process_resident_memory_bytes', [], 'Resident memory of Prometheus.', Unit.BYTES);

  public static all(): Metric[] {
    return [
      PrometheusMetrics.UP,
      PrometheusMetrics.RULE_FAILURES,
      PrometheusMetrics.RULE_MISSED,
      PrometheusMetrics.RELOAD_SUCCESSFUL,
      PrometheusMetrics.WAL_CORRUPTIONS,
      PrometheusMetrics.COMPACTIONS_FAILED,
      PrometheusMetrics.BLOCK_RELOADS_FAILED,
      PrometheusMetrics.WAL_WRITES_FAILED,
      PrometheusMetrics.HEAD_SERIES,
      PrometheusMetrics.BLOCK_BYTES,
      PrometheusMetrics.SAMPLES_APPENDED,
      PrometheusMetrics.RULE_DURATION,
      PrometheusMetrics.ALERTMANAGERS,
      PrometheusMetrics.NOTIFICATION_ERRORS,
      PrometheusMetrics.NOTIFICATIONS_SENT,
      PrometheusMetrics.MEMORY,
    ];
  }

  private constructor() {}
}

/** Alertmanager's metrics about itself. */
export class AlertmanagerMetrics {
  public static readonly NOTIFICATIONS = metric(
    Program.ALERTMANAGER,
    MetricType.COUNTER,
    'alertmanager_notifications_total',
    ['integration'],
    'Notifications that were tried.',
  );
  public static readonly NOTIFICATIONS_FAILED = metric(
    Program.ALERTMANAGER,
    MetricType.COUNTER,
    'alertmanager_notifications_failed_total',
    ['integration', 'reason'],
    'Notifications that failed.',
  );
  public static readonly RELOAD_SUCCESSFUL = metric(
    Program.ALERTMANAGER,
    MetricType.GAUGE,
    'alertmanager_config_last_reload_successful',
    [],
    'Whether the configuration was loaded.',
  );

  public static all(): Metric[] {
    return [AlertmanagerMetrics.NOTIFICATIONS, AlertmanagerMetrics.NOTIFICATIONS_FAILED, AlertmanagerMetrics.RELOAD_SUCCESSFUL];
  }

  private constructor() {}
}
