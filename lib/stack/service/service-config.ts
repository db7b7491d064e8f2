import { Duration } from 'cdk8s';
import { printDuration } from '../collector/print';
import type { IConfig } from '../model/config-content';
import { deepMerge } from '../model/yaml';

/** How an application sends its telemetry. */
export class ExportProtocol {
  /** OTLP/HTTP with protobuf bodies: the cheapest way to a sidecar, and the one whose errors SDKs retry. */
  public static readonly HTTP_PROTOBUF = new ExportProtocol('http/protobuf');
  /** OTLP/gRPC. The JavaScript SDK retries none of its errors. */
  public static readonly GRPC = new ExportProtocol('grpc');

  private constructor(
    /** As `OTEL_EXPORTER_OTLP_PROTOCOL` spells it. */
    public readonly name: string,
  ) {}
}

/** Compression of what an application sends. */
export class ExportCompression {
  /** Right over loopback, where compressing costs more than it saves. */
  public static readonly NONE = new ExportCompression('none');
  public static readonly GZIP = new ExportCompression('gzip');

  private constructor(public readonly name: string) {}
}

/** `production.yaml` of the application service. */
export interface ServiceConfigProps {
  /** @default ExportProtocol.HTTP_PROTOBUF */
  readonly exportProtocol?: ExportProtocol;
  /** @default ExportCompression.NONE */
  readonly exportCompression?: ExportCompression;
  /** How long one export may take. @default Duration.seconds(30) */
  readonly exportTimeout?: Duration;
  /** Spans that wait for export at most; more are dropped and counted. @default 8192 */
  readonly batchQueueSize?: number;
  /** Spans per export. @default 1024 */
  readonly exportBatchSize?: number;
  /** A batch that is not full is exported after this time. @default Duration.millis(100) */
  readonly batchDelay?: Duration;
  /** @default 20 */
  readonly concurrentExports?: number;
  /** Send logs by OTLP as well as to standard output. @default false */
  readonly exportLogs?: boolean;
  /** Merged over the printed file. @default {} */
  readonly configOverrides?: object;
}

/** What the file says about the place where the service runs. */
export interface ServiceIdentity {
  readonly name: string;
  readonly port: number;
  readonly endpoint: string;
  readonly clusterName: string;
}

/** Renders `production.yaml`; the service's own name, environment and instance come from its variables. */
export class ServiceConfig implements IConfig {
  constructor(
    private readonly identity: ServiceIdentity,
    private readonly props: ServiceConfigProps,
  ) {
    const queue = props.batchQueueSize ?? 8192;
    const batch = props.exportBatchSize ?? 1024;
    if (batch > queue) {
      throw new Error(
        `service '${identity.name}': 'exportBatchSize' (${batch}) must not exceed 'batchQueueSize' (${queue}): a batch is taken from the queue`,
      );
    }
  }

  public renderConfig(): object {
    const { identity, props } = this;
    const config = {
      service: { name: identity.name, port: identity.port },
      exporter: {
        protocol: (props.exportProtocol ?? ExportProtocol.HTTP_PROTOBUF).name,
        endpoint: identity.endpoint,
        compression: (props.exportCompression ?? ExportCompression.NONE).name,
        timeout: printDuration(props.exportTimeout ?? Duration.seconds(30)),
      },
      batch: {
        queue_size: props.batchQueueSize ?? 8192,
        export_size: props.exportBatchSize ?? 1024,
        delay: printDuration(props.batchDelay ?? Duration.millis(100)),
        concurrency: props.concurrentExports ?? 20,
      },
      logs: { export: props.exportLogs ?? false },
      resource: { attributes: { 'k8s.cluster.name': identity.clusterName } },
    };
    return deepMerge(config, props.configOverrides ?? {});
  }
}
