import { type ComponentIdentity, Extension } from '../component';
import { checkAddress } from '../print';

/** Keys of the `health_check` extension. */
export interface HealthCheckProps extends ComponentIdentity {
  /**
   * `HOST:PORT`; the kubelet probes the pod's address, so not localhost in a pod.
   * @default 'localhost:13133'
   */
  readonly endpoint?: string;
  /** @default '/' */
  readonly path?: string;
}

/** Answers probes. */
export class HealthCheckExtension extends Extension {
  private readonly props: HealthCheckProps;

  constructor(props: HealthCheckProps = {}) {
    super('health_check', props);
    this.props = props;
    checkAddress(this._place, 'endpoint', props.endpoint ?? 'localhost:13133');
  }

  /** @internal */
  public override _render(): object {
    return { endpoint: this.props.endpoint ?? 'localhost:13133', path: this.props.path };
  }
}
