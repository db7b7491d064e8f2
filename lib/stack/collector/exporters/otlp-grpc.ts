import { Duration } from 'cdk8s';
import { type GrpcClientProps, renderGrpcClient } from '../client';
import { type ComponentIdentity, Exporter, type Extension } from '../component';
import { checkAddress, printDuration } from '../print';
import type { Queue } from '../queue';
import type { Retry } from '../retry';
import { Signal } from '../signal';
import type { Spelling } from '../spelling';

/** Keys of the `otlp_grpc` exporter. */
export interface OtlpGrpcExporterProps extends ComponentIdentity, GrpcClientProps {
  /** `HOST:PORT` of the next hop. */
  readonly endpoint: string;
  /**
   * Of one attempt.
   * @default Duration.seconds(5)
   */
  readonly timeout?: Duration;
  /** @default - in memory, 1000 requests */
  readonly sendingQueue?: Queue;
  /** @default - exponential backoff for 5 minutes */
  readonly retryOnFailure?: Retry;
}

/** OTLP over gRPC (`otlp` before 0.144). */
export class OtlpGrpcExporter extends Exporter {
  /** Of one attempt. */
  public readonly timeout: Duration;
  private readonly props: OtlpGrpcExporterProps;

  constructor(props: OtlpGrpcExporterProps) {
    super('otlp_grpc', props, Signal.all());
    this.props = props;
    this.timeout = props.timeout ?? Duration.seconds(5);
    checkAddress(this._place, 'endpoint', props.endpoint.replace(/^(dns:\/{2,3}|https?:\/\/)/, ''));
  }

  /** @internal */
  public override _attemptTimeout(): Duration {
    return this.timeout;
  }

  /** @internal */
  public override _extensions(): Extension[] {
    const storage = this.props.sendingQueue?._storage();
    return storage ? [storage] : [];
  }

  /** @internal */
  public override _render(spelling: Spelling): object {
    return {
      endpoint: this.props.endpoint,
      ...renderGrpcClient(this.props),
      timeout: this.props.timeout && printDuration(this.props.timeout),
      sending_queue: this.props.sendingQueue?._render(this._place, spelling),
      retry_on_failure: this.props.retryOnFailure?._render(),
    };
  }
}
