import type { Duration } from 'cdk8s';
import { type ComponentIdentity, Processor } from '../component';
import { checkRange, optionalDuration } from '../print';
import { Signal } from '../signal';
import type { Spelling } from '../spelling';

/** Keys of the `batch` processor. */
export interface BatchProps extends ComponentIdentity {
  /** @default - 200 ms */
  readonly timeout?: Duration;
  /** @default - 8192 items */
  readonly sendBatchSize?: number;
  /** @default - 0: batches are not split */
  readonly sendBatchMaxSize?: number;
}

/**
 * Legacy: what it holds is acknowledged and lost with the process. Use the `batch` of an exporter's queue ({@link Queue}).
 * Upstream deprecated it in 0.160 and removes it in 0.172.
 */
export class BatchProcessor extends Processor {
  private readonly props: BatchProps;

  constructor(props: BatchProps = {}) {
    super('batch', props, [Signal.TRACES, Signal.METRICS, Signal.LOGS]);
    this.props = props;
    const { sendBatchSize = 8192, sendBatchMaxSize = 0 } = props;
    checkRange(this._place, 'sendBatchSize', sendBatchSize, 0, 0xffff_ffff);
    checkRange(this._place, 'sendBatchMaxSize', sendBatchMaxSize, 0, 0xffff_ffff);
    if (sendBatchMaxSize > 0 && sendBatchMaxSize < sendBatchSize) {
      throw new Error(
        `${this._place}: 'sendBatchMaxSize' (${sendBatchMaxSize}) must not be below 'sendBatchSize' (${sendBatchSize}): raise the one or lower the other`,
      );
    }
  }

  /** @internal */
  public override _render(spelling: Spelling): object {
    if (spelling.atLeast(172)) {
      throw new Error(
        `${this._place}: Collector ${spelling.version} has no 'batch' processor any more: use Queue.memory({ batch: {} }) on the exporter`,
      );
    }
    return {
      timeout: optionalDuration(this.props.timeout),
      send_batch_size: this.props.sendBatchSize,
      send_batch_max_size: this.props.sendBatchMaxSize,
    };
  }
}
