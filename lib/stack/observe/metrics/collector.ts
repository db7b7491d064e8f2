import { Metric, MetricType, Unit } from '../metric';
import { Program } from '../program';

/** What a pipeline carries, as the Collector's own metrics name it. */
export class TelemetryItem {
  public static readonly SPANS = new TelemetryItem('spans');
  public static readonly METRIC_POINTS = new TelemetryItem('metric_points');
  public static readonly LOG_RECORDS = new TelemetryItem('log_records');

  public static all(): TelemetryItem[] {
    return [TelemetryItem.SPANS, TelemetryItem.METRIC_POINTS, TelemetryItem.LOG_RECORDS];
  }

  private constructor(
    /** The end of metric names. */
    public readonly word: string,
  ) {}
}

function counter(program: Program, name: string, labels: string[], help: string): Metric {
  return new Metric({ name, type: MetricType.COUNTER, unit: Unit.ITEMS, labels, help, program });
}

function gauge(program: Program, name: string, unit: Unit, labels: string[], help: string): Metric {
  return new Metric({ name, type: MetricType.GAUGE, unit, labels, help, program });
}

/**
 * The Collector's metrics about itself. The agent exposes the same under the same names, so each is one object for both.
 *
 * @see https://opentelemetry.io/docs/collector/internal-telemetry/
 */
export class CollectorMetrics {
  /** Those of the agent and of the gateway. */
  public static readonly DEFAULT = new CollectorMetrics(Program.COLLECTOR);
  /** Those of Jaeger, which is a Collector inside. */
  public static readonly JAEGER = new CollectorMetrics(Program.JAEGER);

  public readonly queueSize: Metric;
  public readonly queueCapacity: Metric;
  public readonly inFlight: Metric;
  public readonly memoryRss: Metric;
  public readonly cpuSeconds: Metric;
  public readonly uptime: Metric;

  private constructor(private readonly program: Program) {
    const queue = ['exporter', 'data_type'];
    this.queueSize = gauge(program, 'otelcol_exporter_queue_size', Unit.NONE, queue, 'What waits in the sending queue, in its sizer.');
    this.queueCapacity = gauge(program, 'otelcol_exporter_queue_capacity', Unit.NONE, queue, 'What the sending queue holds at most.');
    this.inFlight = gauge(program, 'otelcol_exporter_in_flight_requests', Unit.NONE, queue, 'Exports that wait for their answer.');
    this.memoryRss = gauge(program, 'otelcol_process_memory_rss', Unit.BYTES, [], 'Resident memory of the process.');
    this.cpuSeconds = new Metric({
      name: 'otelcol_process_cpu_seconds',
      type: MetricType.COUNTER,
      unit: Unit.SECONDS,
      help: 'CPU time of the process, user and system.',
      program,
    });
    this.uptime = new Metric({
      name: 'otelcol_process_uptime',
      type: MetricType.COUNTER,
      unit: Unit.SECONDS,
      help: 'Time since the process started.',
      program,
    });
  }

  /** What receivers took. */
  public accepted(item: TelemetryItem): Metric {
    return counter(this.program, `otelcol_receiver_accepted_${item.word}`, ['receiver', 'transport'], `${item.word} that a receiver took.`);
  }

  /** What receivers sent back because the pipeline did not take it: the sender may try again. */
  public refused(item: TelemetryItem): Metric {
    const help = `${item.word} that the pipeline did not take; the sender was told so.`;
    return counter(this.program, `otelcol_receiver_refused_${item.word}`, ['receiver', 'transport'], help);
  }

  /** What receivers could not process. */
  public failed(item: TelemetryItem): Metric {
    const help = `${item.word} that failed inside of the receiver.`;
    return counter(this.program, `otelcol_receiver_failed_${item.word}`, ['receiver', 'transport'], help);
  }

  /** What destinations acknowledged. */
  public sent(item: TelemetryItem): Metric {
    return counter(this.program, `otelcol_exporter_sent_${item.word}`, ['exporter'], `${item.word} that the destination took.`);
  }

  /** What an exporter gave up. */
  public sendFailed(item: TelemetryItem): Metric {
    return counter(this.program, `otelcol_exporter_send_failed_${item.word}`, ['exporter'], `${item.word} that an exporter gave up.`);
  }

  /** What did not fit into a queue. */
  public enqueueFailed(item: TelemetryItem): Metric {
    const help = `${item.word} that did not fit into the sending queue.`;
    return counter(this.program, `otelcol_exporter_enqueue_failed_${item.word}`, ['exporter'], help);
  }

  /** What the memory limiter refused. */
  public memoryLimiterRefused(item: TelemetryItem): Metric {
    const name = `otelcol_processor_memory_limiter_refused_${item.word}`;
    return counter(this.program, name, ['processor'], `${item.word} that were refused because memory was short.`);
  }

  public all(): Metric[] {
    const perItem = TelemetryItem.all().flatMap((item) => [
      this.accepted(item),
      this.refused(item),
      this.failed(item),
      this.sent(item),
      this.sendFailed(item),
      this.enqueueFailed(item),
      this.memoryLimiterRefused(item),
    ]);
    return [this.queueSize, this.queueCapacity, this.inFlight, this.memoryRss, this.cpuSeconds, this.uptime, ...perItem];
  }
}

/** What only our agent says about itself, beside {@link CollectorMetrics.DEFAULT}. */
export class AgentMetrics {
  /** What was accepted and then given up to make room, or at the end of a drain. */
  public static evicted(item: TelemetryItem): Metric {
    const help = `${item.word} that were accepted and given up later: dropped as the oldest, or left at the end of a drain.`;
    return counter(Program.AGENT, `otelcol_exporter_evicted_${item.word}`, ['exporter'], help);
  }

  /** How requests were answered. Those refused before their body was read have no known items and are counted only here. */
  public static readonly REQUESTS = counter(
    Program.AGENT,
    'otlp_agent_receiver_requests',
    ['receiver', 'transport', 'data_type', 'code'],
    'Requests by how they were answered: ok, or a code of the error table.',
  );
  public static readonly RETRIES = counter(
    Program.AGENT,
    'otlp_agent_exporter_retries',
    ['exporter', 'data_type'],
    'Exports that were tried again.',
  );
  public static readonly HELD_BYTES = gauge(
    Program.AGENT,
    'otlp_agent_held_bytes',
    Unit.BYTES,
    [],
    'Bytes of telemetry in the process, as the memory limiter counts them.',
  );

  public static readonly CONFIG_RELOADS = counter(
    Program.AGENT,
    'otlp_agent_config_reloads',
    ['result'],
    'Reloads of the configuration: success, or failure, after which the old one runs on.',
  );
  public static readonly CONFIG_LOADED = gauge(
    Program.AGENT,
    'otlp_agent_config_last_reload_success_timestamp_seconds',
    Unit.SECONDS,
    [],
    'When the running configuration was taken, in seconds since 1970.',
  );
  public static readonly MEMORY_PRESSED = gauge(
    Program.AGENT,
    'otlp_agent_memory_pressed',
    Unit.NONE,
    [],
    '1 while the process is above its memory limit in spite of collections.',
  );

  public static all(): Metric[] {
    return [
      AgentMetrics.REQUESTS,
      AgentMetrics.RETRIES,
      AgentMetrics.HELD_BYTES,
      AgentMetrics.CONFIG_RELOADS,
      AgentMetrics.CONFIG_LOADED,
      AgentMetrics.MEMORY_PRESSED,
      ...TelemetryItem.all().map((item) => AgentMetrics.evicted(item)),
    ];
  }

  private constructor() {}
}

const SPAN_LABELS = ['service_name', 'span_name', 'span_kind', 'status_code'];

/** What the span_metrics connector makes of traces, as the gateway's prometheus exporter serves it. */
export class SpanMetrics {
  public static readonly CALLS = new Metric({
    name: 'traces_span_metrics_calls',
    type: MetricType.COUNTER,
    unit: Unit.SPANS,
    labels: SPAN_LABELS,
    help: 'Spans, by service, name, kind and status.',
    program: Program.SPAN_METRICS,
  });
  public static readonly DURATION = new Metric({
    name: 'traces_span_metrics_duration',
    type: MetricType.HISTOGRAM,
    // The connector's own default; another unit would be another name.
    unit: Unit.MILLISECONDS,
    labels: SPAN_LABELS,
    help: 'Durations of spans, by service, name, kind and status.',
    program: Program.SPAN_METRICS,
  });

  public static all(): Metric[] {
    return [SpanMetrics.CALLS, SpanMetrics.DURATION];
  }

  private constructor() {}
}
