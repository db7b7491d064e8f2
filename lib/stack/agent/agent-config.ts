import { Duration } from 'cdk8s';
import { Compression } from '../collector/client';
import type { Processor } from '../collector/component';
import { CollectorConfig } from '../collector/config';
import { OtlpGrpcExporter } from '../collector/exporters/otlp-grpc';
import { HealthCheckExtension } from '../collector/extensions/health-check';
import { Pipeline } from '../collector/pipeline';
import { envReference, printDuration } from '../collector/print';
import { AttributeAction, AttributeValue } from '../collector/processors/attribute-action';
import { MemoryLimiterProcessor } from '../collector/processors/memory-limiter';
import { ResourceProcessor } from '../collector/processors/resource';
import { Queue } from '../collector/queue';
import { OtlpReceiver } from '../collector/receivers/otlp';
import { Retry } from '../collector/retry';
import { Signal } from '../collector/signal';
import { COLLECTOR_VERSION } from '../collector/spelling';
import { LogLevel, ServiceTelemetry } from '../collector/telemetry';
import { Timeouts } from '../collector/timeouts';
import type { IConfig } from '../model/config-content';
import { deepMerge } from '../model/yaml';
import type { AgentMemory } from './agent-memory';

/** What every way of running the agent can be told. */
export interface AgentOptions {
  /** @default - traces, metrics and logs */
  readonly signals?: Signal[];
  /** @default - 5000 requests, 10 at a time, merged to 1024..2048 items or 100 ms */
  readonly queue?: Queue;
  /** @default - 5 s to 30 s apart, given up after 5 minutes */
  readonly retry?: Retry;
  /** Of one attempt. @default - derived from the gateway's timeouts */
  readonly exportTimeout?: Duration;
  /** @default Compression.GZIP */
  readonly compression?: Compression;
  /** After the memory limiter. @default - `service.instance.id` from the pod's name */
  readonly processors?: Processor[];
  /** From SIGTERM until what is left is given up and counted. @default - the agent's own, 25 s */
  readonly drainDeadline?: Duration;
  /** @default LogLevel.INFO */
  readonly logLevel?: LogLevel;
  /** Merged over the printed configuration. @default {} */
  readonly configOverrides?: object;
}

/** The ports of an agent. */
export interface AgentPorts {
  readonly grpc: number;
  readonly http: number;
  readonly health: number;
  readonly metrics: number;
}

/** Everything that decides an agent's configuration. */
export interface AgentConfigProps extends AgentOptions {
  /** `HOST:PORT` of the next hop, OTLP over gRPC. */
  readonly upstream: string;
  /** `localhost` beside an application; the pod's address for senders outside of the pod. */
  readonly listenHost: string;
  readonly ports: AgentPorts;
  readonly memory: AgentMemory;
  /** The gateway's, which the export timeout is derived from. @default new Timeouts() */
  readonly timeouts?: Timeouts;
  /**
   * The next hop is a Collector, which reads gzip of many members: where the agent compresses with gzip and has a pipeline without
   * processors, what came as gzip travels as it came (`gzip_members`, a key of the agent alone).
   * @default false
   */
  readonly upstreamIsCollector?: boolean;
}

/** The agent's own default for `drain_deadline`; a contract test compares the two. */
export const DRAIN_DEADLINE = Duration.seconds(25);

/**
 * The configuration of our agent, in the Collector's grammar: an image of the Collector could read the same file, unless
 * `drainDeadline` is set or gzip travels as it came, which only the agent has.
 */
export class AgentConfig implements IConfig {
  /** Of one attempt to export. */
  public readonly exportTimeout: Duration;
  /** How long data is gathered before it is exported. */
  public readonly flushTimeout: Duration;
  public readonly drainDeadline: Duration;
  /** In the Collector's grammar. */
  public readonly config: CollectorConfig;
  private readonly ownSection: object;
  private readonly mayPassGzip: boolean;
  private readonly upstream: string;

  constructor(place: string, props: AgentConfigProps) {
    const timeouts = props.timeouts ?? new Timeouts();
    this.exportTimeout = props.exportTimeout ?? timeouts.agentTimeout;
    this.drainDeadline = props.drainDeadline ?? DRAIN_DEADLINE;
    timeouts.checkAgent(place, this.exportTimeout);
    if (props.compression === Compression.SNAPPY) {
      throw new Error(
        `${place}: 'compression' is '${props.compression.name}', which the agent does not have: use Compression.GZIP, ZSTD or NONE`,
      );
    }
    const queue = props.queue ?? defaultQueue();
    if (queue.onDisk) {
      throw new Error(`${place}: 'queue' is on disk, which the agent does not have yet: use Queue.memory()`);
    }
    this.flushTimeout = queue.flushTimeout.toMilliseconds() > 0 ? queue.flushTimeout : Duration.millis(1);
    props.memory.checkQueue(place, queue);
    this.config = collectorConfig(props, this.exportTimeout, queue);
    this.mayPassGzip = props.upstreamIsCollector === true && hasBarePipeline(props);
    this.upstream = props.upstream;
    const own = props.drainDeadline && { agent: { drain_deadline: printDuration(props.drainDeadline) } };
    this.ownSection = deepMerge(own ?? {}, props.configOverrides ?? {});
  }

  /** The configuration as the agent reads it. */
  public renderConfig(): object {
    const config = deepMerge(this.config.renderConfig(), this.ownSection);
    return this.mayPassGzip ? passingGzip(config, this.upstream) : config;
  }
}

/** Looks at the exporter as it is after the overrides: they may have led it elsewhere, or decided by themselves. */
function passingGzip(config: object, upstream: string): object {
  const { exporters } = config as { exporters?: { otlp_grpc?: { [key: string]: unknown } } };
  const exporter = exporters?.otlp_grpc;
  if (exporter?.compression !== Compression.GZIP.name || exporter.endpoint !== upstream || 'gzip_members' in exporter) return config;
  return deepMerge(config, { exporters: { otlp_grpc: { gzip_members: true } } });
}

/** @param waitForResult leave the data with the sender until the next hop has it */
export function defaultQueue(waitForResult?: boolean): Queue {
  return Queue.memory({
    waitForResult,
    numConsumers: 10,
    queueSize: 5000,
    batch: { flushTimeout: Duration.millis(100), minSize: 1024, maxSize: 2048 },
  });
}

function collectorConfig(props: AgentConfigProps, timeout: Duration, queue: Queue): CollectorConfig {
  const { ports, memory } = props;
  const otlp = new OtlpReceiver({
    grpc: { endpoint: `${props.listenHost}:${ports.grpc}` },
    http: { endpoint: `${props.listenHost}:${ports.http}` },
  });
  const limiter = new MemoryLimiterProcessor({ checkInterval: Duration.seconds(5), limit: memory.limit, spikeLimit: memory.spikeLimit });
  const processors = processorsOf(props);
  const gateway = new OtlpGrpcExporter({
    endpoint: props.upstream,
    compression: props.compression ?? Compression.GZIP,
    timeout,
    sendingQueue: queue,
    retryOnFailure: props.retry ?? defaultRetry(),
  });
  const signals = props.signals ?? Signal.stable();
  return new CollectorConfig({
    version: COLLECTOR_VERSION,
    pipelines: signals.map((signal) =>
      Pipeline.of(signal, {
        receivers: [otlp],
        processors: [limiter, ...processors.filter((processor) => processor.processes(signal))],
        exporters: [gateway],
      }),
    ),
    // The kubelet and Prometheus come from outside of the pod.
    extensions: [new HealthCheckExtension({ endpoint: `${envReference('MY_POD_IP')}:${ports.health}` })],
    telemetry: new ServiceTelemetry({ metricsPort: ports.metrics, logLevel: props.logLevel ?? LogLevel.INFO }),
  });
}

function processorsOf(props: AgentConfigProps): Processor[] {
  return (
    props.processors ?? [
      new ResourceProcessor({
        attributes: [AttributeAction.upsert('service.instance.id', AttributeValue.text(envReference('K8S_POD_NAME')))],
      }),
    ]
  );
}

/** One that has nothing but the memory limiter. */
function hasBarePipeline(props: AgentConfigProps): boolean {
  const processors = processorsOf(props);
  return (props.signals ?? Signal.stable()).some((signal) => !processors.some((processor) => processor.processes(signal)));
}

function defaultRetry(): Retry {
  return Retry.backoff({
    initialInterval: Duration.seconds(5),
    maxInterval: Duration.seconds(30),
    maxElapsedTime: Duration.seconds(300),
  });
}
