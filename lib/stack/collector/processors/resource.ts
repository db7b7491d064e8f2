import { type ComponentIdentity, Processor } from '../component';
import { Signal } from '../signal';
import type { AttributeAction } from './attribute-action';

/** Keys of the `resource` processor. */
export interface ResourceProps extends ComponentIdentity {
  /** Applied in this order; at least one. */
  readonly attributes: AttributeAction[];
}

/** Changes attributes of the resource: of whoever sent the data. */
export class ResourceProcessor extends Processor {
  private readonly actions: AttributeAction[];

  constructor(props: ResourceProps) {
    super('resource', props, Signal.all());
    this.actions = [...props.attributes];
    if (this.actions.length === 0) {
      throw new Error(`${this._place}: 'attributes' is empty: the Collector refuses a resource processor without actions`);
    }
  }

  /** @internal */
  public override _render(): object {
    return { attributes: this.actions.map((action) => action._render()) };
  }
}
