import { type ComponentIdentity, Exporter } from '../component';
import { Signal } from '../signal';

/** Keys of the `nop` exporter: it has none of its own. */
export interface NopProps extends ComponentIdentity {}

/** Throws away what it gets. Never a production destination. */
export class NopExporter extends Exporter {
  constructor(props: NopProps = {}) {
    super('nop', props, Signal.stable(), false);
  }

  /** @internal */
  public override _render(): object {
    return {};
  }
}
