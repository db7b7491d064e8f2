import { type ComponentIdentity, Connector } from '../component';
import { Signal } from '../signal';

/** Keys of the `forward` connector: it has none of its own. */
export interface ForwardProps extends ComponentIdentity {}

/** Joins or splits pipelines of one signal. */
export class ForwardConnector extends Connector {
  constructor(props: ForwardProps = {}) {
    super(
      'forward',
      props,
      Signal.stable().map((signal) => ({ from: signal, to: signal })),
    );
  }

  /** @internal */
  public override _render(): object {
    return {};
  }
}
