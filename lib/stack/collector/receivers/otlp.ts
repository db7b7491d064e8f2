import { type ComponentIdentity, Receiver } from '../component';
import { type OtlpGrpcServerProps, type OtlpHttpServerProps, renderGrpcServer, renderHttpServer } from '../server';
import { Signal } from '../signal';

/** Keys of the `otlp` receiver. */
export interface OtlpReceiverProps extends ComponentIdentity {
  /** @default - on 'localhost:4317' when neither is given, otherwise not served */
  readonly grpc?: OtlpGrpcServerProps;
  /** @default - on 'localhost:4318' when neither is given, otherwise not served */
  readonly http?: OtlpHttpServerProps;
}

/** OTLP over gRPC and HTTP. */
export class OtlpReceiver extends Receiver {
  private readonly grpc: OtlpGrpcServerProps | undefined;
  private readonly http: OtlpHttpServerProps | undefined;

  constructor(props: OtlpReceiverProps = {}) {
    super('otlp', props, Signal.all());
    const both = props.grpc === undefined && props.http === undefined;
    this.grpc = both ? {} : props.grpc;
    this.http = both ? {} : props.http;
    const [grpc, http] = [this.grpc && (this.grpc.endpoint ?? 'localhost:4317'), this.http && (this.http.endpoint ?? 'localhost:4318')];
    if (grpc !== undefined && grpc === http) {
      throw new Error(
        `${this._place}: 'grpc.endpoint' and 'http.endpoint' are both '${grpc}': one port serves one protocol, change one of them`,
      );
    }
    this._render();
  }

  /** @internal */
  public override _render(): object {
    return {
      protocols: {
        grpc: this.grpc && renderGrpcServer(`${this._place}.protocols.grpc`, this.grpc),
        http: this.http && renderHttpServer(`${this._place}.protocols.http`, this.http),
      },
    };
  }
}
