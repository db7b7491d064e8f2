import { Duration, Size } from 'cdk8s';
import { Profile } from '../model/profile';
import type { Exporter, Extension, IExporter, Processor } from './component';
import { CollectorConfig } from './config';
import { ForwardConnector } from './connectors/forward';
import type { SpanMetricsConnector } from './connectors/span-metrics';
import type { Destination, DestinationSettings } from './destination';
import { PrometheusExporter } from './exporters/prometheus';
import { FileStorageExtension } from './extensions/file-storage';
import { HealthCheckExtension } from './extensions/health-check';
import type { CollectorMemory } from './memory';
import { Pipeline } from './pipeline';
import { envReference, printDuration, quoted } from './print';
import type { K8sAttributesProcessor } from './processors/k8s-attributes';
import { Queue, QueueSizer } from './queue';
import { OtlpReceiver } from './receivers/otlp';
import { Retry } from './retry';
import { Signal } from './signal';
import { ServiceTelemetry } from './telemetry';
import type { Timeouts } from './timeouts';

/** The ports that a gateway listens on. */
export interface GatewayPorts {
  readonly grpc: number;
  readonly http: number;
  readonly metrics: number;
  readonly spanMetrics: number;
  readonly health: number;
}

/** Everything that decides the configuration of a gateway. */
export interface GatewayConfigProps {
  /** Without any destination a signal has no pipeline and is refused. */
  readonly traces: Destination[];
  readonly metrics: Destination[];
  readonly logs: Destination[];
  readonly ports: GatewayPorts;
  readonly memory: CollectorMemory;
  readonly timeouts: Timeouts;
  readonly profile: Profile;
  readonly version: string;
  /** @default - {@link waitingQueue} */
  readonly queue?: Queue;
  /** @default - no span metrics */
  readonly spanMetrics?: SpanMetricsConnector;
  /** @default - nothing is added about Kubernetes */
  readonly kubernetes?: K8sAttributesProcessor;
  /** After the memory limiter and Kubernetes' attributes. @default [] */
  readonly processors?: Processor[];
  /** @default [] */
  readonly extensions?: Extension[];
  readonly configOverrides?: object;
}

/** Where a queue on disk lies in the container. */
export const QUEUE_DIRECTORY = '/var/lib/otelcol/queue';

/** What our agent accepts at most, so the gateway should not refuse it. */
const LARGEST_REQUEST_MEBIBYTES = 64;

/** gRPC servers in Go, Jaeger's among them, refuse messages above 4 MiB unless told otherwise. */
const LARGEST_BATCH_BYTES = 3 * 1024 * 1024;

const MEBIBYTE = 1024 * 1024;

/**
 * The gateway's queue of one exporter: the sender waits until the backend has the data, so what is in memory here is still kept there.
 * Everything is counted in bytes, as only bytes can be compared with limits.
 */
export function waitingQueue(timeouts: Timeouts, memory: CollectorMemory, exporters: number): Queue {
  // Half of the memory below the soft limit for all queues together; more than one request of the largest size is not needed.
  const share = Math.floor(memory.softLimit.toMebibytes() / 2 / Math.max(1, exporters));
  return Queue.memory({
    numConsumers: 10,
    queueSize: Math.max(4, Math.min(LARGEST_REQUEST_MEBIBYTES, share)) * MEBIBYTE,
    sizer: QueueSizer.BYTES,
    waitForResult: true,
    batch: { flushTimeout: timeouts.flushTimeout, minSize: MEBIBYTE, maxSize: LARGEST_BATCH_BYTES, sizer: QueueSizer.BYTES },
  });
}

/** The configuration of a Collector gateway: OTLP in, one exporter per destination out, span metrics beside. */
export function gatewayConfig(place: string, props: GatewayConfigProps): CollectorConfig {
  const { ports, timeouts } = props;
  const settings = destinationSettings(place, props);
  // A request that no queue could ever hold would be refused and sent again until it is given up: refuse it at the door, for good.
  const bound = settings.queue._boundBytes() ?? LARGEST_REQUEST_MEBIBYTES * MEBIBYTE;
  const largest = Size.mebibytes(Math.min(LARGEST_REQUEST_MEBIBYTES, Math.max(1, Math.floor(bound / MEBIBYTE))));
  const on = (port: number): string => `${envReference('MY_POD_IP')}:${port}`;
  const otlp = new OtlpReceiver({
    grpc: {
      endpoint: on(ports.grpc),
      maxRecvMsgSize: largest,
      // Connections are asked to come back now and then: otherwise a pod that the autoscaler adds would stay idle.
      keepalive: { maxConnectionAge: Duration.minutes(5), maxConnectionAgeGrace: Duration.seconds(30) },
    },
    http: { endpoint: on(ports.http), maxRequestBodySize: largest, writeTimeout: timeouts.receiverWriteTimeout },
  });
  const processors = [props.memory.limiter(), ...(props.kubernetes ? [props.kubernetes] : []), ...(props.processors ?? [])];
  const exporters = (destinations: Destination[]): Exporter[] => destinations.map((destination) => shared(settings, destination));
  const all = { traces: exporters(props.traces), metrics: exporters(props.metrics), logs: exporters(props.logs) };
  checkProduction(place, props.profile, [...all.traces, ...all.metrics, ...all.logs]);
  if (settings.queue.waitsForResult) {
    checkTimeouts(place, timeouts, [...all.traces, ...all.metrics, ...all.logs]);
  }

  const pipelines = [
    ...tracePipelines(otlp, processors, all.traces, props.spanMetrics),
    ...signalPipeline(Signal.METRICS, otlp, processors, all.metrics),
    ...signalPipeline(Signal.LOGS, otlp, processors, all.logs),
  ];
  if (props.spanMetrics) {
    const scraped = new PrometheusExporter({ endpoint: on(ports.spanMetrics) });
    pipelines.push(Pipeline.metrics({ name: 'span-metrics', receivers: [props.spanMetrics], exporters: [scraped] }));
  }
  if (pipelines.length === 0) {
    throw new Error(`${place}: no destination for any signal: pass at least one of 'traces', 'metrics' and 'logs'`);
  }
  return new CollectorConfig({
    version: props.version,
    pipelines,
    extensions: [new HealthCheckExtension({ endpoint: on(ports.health) }), ...(props.extensions ?? [])],
    telemetry: new ServiceTelemetry({ metricsPort: ports.metrics }),
    configOverrides: props.configOverrides,
  });
}

const SAMPLERS = ['tail_sampling', 'probabilistic_sampler'];

/** Spans are measured before they are sampled: otherwise rates would be those of the sample. */
function tracePipelines(
  receiver: OtlpReceiver,
  processors: Processor[],
  exporters: Exporter[],
  measure: SpanMetricsConnector | undefined,
): Pipeline[] {
  const sampler = processors.findIndex((processor) => SAMPLERS.includes(processor.type));
  if (!measure || sampler < 0 || exporters.length === 0) {
    return signalPipeline(Signal.TRACES, receiver, processors, [...exporters, ...(measure ? [measure] : [])]);
  }
  const forward = new ForwardConnector({ name: 'sampling' });
  const kept = processors.slice(sampler).filter((processor) => processor.processes(Signal.TRACES));
  return [
    ...signalPipeline(Signal.TRACES, receiver, processors.slice(0, sampler), [measure, forward]),
    Pipeline.traces({ name: 'sampled', receivers: [forward], processors: kept, exporters }),
  ];
}

function signalPipeline(signal: Signal, receiver: OtlpReceiver, processors: Processor[], exporters: IExporter[]): Pipeline[] {
  // A sampler could take logs too; nobody who thins out traces wants to lose log lines.
  const usable = processors.filter(
    (processor) => processor.processes(signal) && (signal === Signal.TRACES || !SAMPLERS.includes(processor.type)),
  );
  return exporters.length === 0 ? [] : [Pipeline.of(signal, { receivers: [receiver], processors: usable, exporters })];
}

interface SharedSettings extends DestinationSettings {
  readonly made: Map<Destination, Exporter>;
}

/** One destination in two pipelines is one exporter. */
function shared(settings: SharedSettings, destination: Destination): Exporter {
  const exporter = settings.made.get(destination) ?? destination._exporter(settings);
  settings.made.set(destination, exporter);
  return exporter;
}

function destinationSettings(place: string, props: GatewayConfigProps): SharedSettings {
  const destinations = new Set([...props.traces, ...props.metrics, ...props.logs]).size;
  const made = new Map<Destination, Exporter>();
  const timeout = props.timeouts.exporterTimeout;
  if (props.queue?.onDisk) {
    const storage = new FileStorageExtension({ directory: QUEUE_DIRECTORY, createDirectory: true });
    // What is on disk was acknowledged: nobody else has it any more, so it is never given up.
    return { made, timeout, queue: props.queue._withStorage(storage), retry: Retry.backoff({ maxElapsedTime: Duration.seconds(0) }) };
  }
  const queue = props.queue ?? waitingQueue(props.timeouts, props.memory, destinations);
  if (queue.flushTimeout.toMilliseconds() > props.timeouts.flushTimeout.toMilliseconds()) {
    throw new Error(
      `${place}: the queue's flush timeout (${queue.flushTimeout.toMilliseconds()} ms) exceeds that of 'timeouts' (${props.timeouts.flushTimeout.toMilliseconds()} ms), which the agent's timeout is derived from: pass new Timeouts({ flushTimeout }) with it`,
    );
  }
  props.memory.checkQueues(
    place,
    Array.from({ length: destinations }, () => queue),
  );
  // The agent keeps the data until it is answered and is the only one that sends again: a second retry here could outlive its patience.
  return { made, timeout, queue, retry: queue.waitsForResult ? Retry.disabled() : Retry.backoff() };
}

/** Of exporters that came ready made: those made here have the right one. */
function checkTimeouts(place: string, timeouts: Timeouts, exporters: Exporter[]): void {
  for (const exporter of exporters) {
    const attempt = exporter._attemptTimeout();
    if (attempt && attempt.toMilliseconds() > timeouts.exporterTimeout.toMilliseconds()) {
      throw new Error(
        `${place}: '${exporter.id}' may take ${printDuration(attempt)} for one attempt, the agent's timeout is derived from ${printDuration(timeouts.exporterTimeout)}: lower its 'timeout', or pass new Timeouts({ exporterTimeout })`,
      );
    }
  }
}

function checkProduction(place: string, profile: Profile, exporters: Exporter[]): void {
  const idle = exporters.filter((exporter) => !exporter.isProductionDestination).map((exporter) => exporter.id);
  if (profile !== Profile.DEVELOPMENT && idle.length > 0) {
    throw new Error(
      `${place}: ${quoted([...new Set(idle)])} keeps nothing and is no destination in profile '${profile.name}': name a backend, or use Profile.DEVELOPMENT`,
    );
  }
}
