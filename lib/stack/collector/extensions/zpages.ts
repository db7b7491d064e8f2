import { type ComponentIdentity, Extension } from '../component';
import { checkAddress } from '../print';

/** Keys of the `zpages` extension. */
export interface ZpagesProps extends ComponentIdentity {
  /** @default 'localhost:55679' */
  readonly endpoint?: string;
}

/** Pages about pipelines and recent spans of the Collector itself, for `kubectl port-forward`. */
export class ZpagesExtension extends Extension {
  private readonly endpoint: string;

  constructor(props: ZpagesProps = {}) {
    super('zpages', props);
    this.endpoint = props.endpoint ?? 'localhost:55679';
    checkAddress(this._place, 'endpoint', this.endpoint);
  }

  /** @internal */
  public override _render(): object {
    return { endpoint: this.endpoint };
  }
}
