import { type ComponentIdentity, Extension } from '../component';
import { checkAddress } from '../print';

/** Keys of the `pprof` extension. */
export interface PprofProps extends ComponentIdentity {
  /** @default 'localhost:1777' */
  readonly endpoint?: string;
}

/** Go's profiles, for `kubectl port-forward`. */
export class PprofExtension extends Extension {
  private readonly endpoint: string;

  constructor(props: PprofProps = {}) {
    super('pprof', props);
    this.endpoint = props.endpoint ?? 'localhost:1777';
    checkAddress(this._place, 'endpoint', this.endpoint);
  }

  /** @internal */
  public override _render(): object {
    return { endpoint: this.endpoint };
  }
}
