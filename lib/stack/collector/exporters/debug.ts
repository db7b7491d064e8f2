import { type ComponentIdentity, Exporter } from '../component';
import { checkRange } from '../print';
import { Signal } from '../signal';

/** How much the `debug` exporter writes. */
export class DebugVerbosity {
  public static readonly BASIC = new DebugVerbosity('basic');
  public static readonly NORMAL = new DebugVerbosity('normal');
  public static readonly DETAILED = new DebugVerbosity('detailed');

  private constructor(public readonly name: string) {}
}

/** Keys of the `debug` exporter. */
export interface DebugProps extends ComponentIdentity {
  /** @default DebugVerbosity.BASIC */
  readonly verbosity?: DebugVerbosity;
  /** @default 2 */
  readonly samplingInitial?: number;
  /** @default 1 */
  readonly samplingThereafter?: number;
}

/** Writes what it gets to the program's log. Never a production destination. */
export class DebugExporter extends Exporter {
  private readonly props: DebugProps;

  constructor(props: DebugProps = {}) {
    super('debug', props, Signal.all(), false);
    this.props = props;
    checkRange(this._place, 'samplingInitial', props.samplingInitial, 0, Number.MAX_SAFE_INTEGER);
    checkRange(this._place, 'samplingThereafter', props.samplingThereafter, 0, Number.MAX_SAFE_INTEGER);
  }

  /** @internal */
  public override _render(): object {
    return {
      verbosity: this.props.verbosity?.name,
      sampling_initial: this.props.samplingInitial,
      sampling_thereafter: this.props.samplingThereafter,
    };
  }
}
