import { unlessEmpty } from '../../model/yaml';
import { type ComponentIdentity, Processor } from '../component';
import { Signal } from '../signal';
import { checkStatements, OttlErrorMode } from './ottl';

/** Keys of the `filter` processor: what matches any condition is dropped. */
export interface FilterProps extends ComponentIdentity {
  /** @default OttlErrorMode.IGNORE */
  readonly errorMode?: OttlErrorMode;
  /**
   * OTTL on spans: `attributes["http.route"] == "/health/live"`.
   * @default - none
   */
  readonly spans?: string[];
  /** @default - none */
  readonly spanEvents?: string[];
  /** @default - none */
  readonly metrics?: string[];
  /** @default - none */
  readonly dataPoints?: string[];
  /** @default - none */
  readonly logRecords?: string[];
}

/** Drops records by OTTL conditions. */
export class FilterProcessor extends Processor {
  private readonly props: FilterProps;

  constructor(props: FilterProps) {
    super('filter', props, Signal.stable());
    this.props = props;
    const lists = [props.spans, props.spanEvents, props.metrics, props.dataPoints, props.logRecords];
    const keys = ['spans', 'spanEvents', 'metrics', 'dataPoints', 'logRecords'];
    for (const [index, list] of lists.entries()) {
      checkStatements(this._place, keys[index] ?? '', list);
    }
    if (!lists.some((list) => list && list.length > 0)) {
      throw new Error(`${this._place}: no conditions for any signal: a filter without them drops nothing, leave it out`);
    }
  }

  /** @internal */
  public override _render(): object {
    const { spans, spanEvents, metrics, dataPoints, logRecords } = this.props;
    return {
      error_mode: (this.props.errorMode ?? OttlErrorMode.IGNORE).name,
      traces: section({ span: unlessEmpty(spans), spanevent: unlessEmpty(spanEvents) }),
      metrics: section({ metric: unlessEmpty(metrics), datapoint: unlessEmpty(dataPoints) }),
      logs: section({ log_record: unlessEmpty(logRecords) }),
    };
  }
}

function section(keys: { readonly [key: string]: string[] | undefined }): object | undefined {
  return Object.values(keys).some((value) => value !== undefined) ? keys : undefined;
}
