import { type ComponentIdentity, Processor } from '../component';
import { Signal } from '../signal';
import type { AttributeAction } from './attribute-action';

/** Keys of the `attributes` processor. */
export interface AttributesProps extends ComponentIdentity {
  /** Applied in this order; at least one. */
  readonly actions: AttributeAction[];
}

/** Changes attributes of spans, data points and log records. */
export class AttributesProcessor extends Processor {
  private readonly actions: AttributeAction[];

  constructor(props: AttributesProps) {
    super('attributes', props, Signal.stable());
    this.actions = [...props.actions];
    if (this.actions.length === 0) {
      throw new Error(`${this._place}: 'actions' is empty: the Collector refuses an attributes processor without actions`);
    }
  }

  /** @internal */
  public override _render(): object {
    return { actions: this.actions.map((action) => action._render()) };
  }
}
