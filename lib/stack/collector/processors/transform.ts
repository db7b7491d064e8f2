import { unlessEmpty } from '../../model/yaml';
import { type ComponentIdentity, Processor } from '../component';
import { Signal } from '../signal';
import { checkStatements, OttlErrorMode } from './ottl';

/** Keys of the `transform` processor. */
export interface TransformProps extends ComponentIdentity {
  /** @default OttlErrorMode.IGNORE */
  readonly errorMode?: OttlErrorMode;
  /**
   * OTTL: `set(span.attributes["team"], resource.attributes["team"])`.
   * @default - none
   */
  readonly traceStatements?: string[];
  /** @default - none */
  readonly metricStatements?: string[];
  /** @default - none */
  readonly logStatements?: string[];
}

/** Rewrites records by OTTL statements. */
export class TransformProcessor extends Processor {
  private readonly props: TransformProps;

  constructor(props: TransformProps) {
    super('transform', props, Signal.stable());
    this.props = props;
    checkStatements(this._place, 'traceStatements', props.traceStatements);
    checkStatements(this._place, 'metricStatements', props.metricStatements);
    checkStatements(this._place, 'logStatements', props.logStatements);
    if (![props.traceStatements, props.metricStatements, props.logStatements].some((list) => list && list.length > 0)) {
      throw new Error(`${this._place}: no statements for any signal: a transform processor without them does nothing, leave it out`);
    }
  }

  /** @internal */
  public override _render(): object {
    return {
      error_mode: (this.props.errorMode ?? OttlErrorMode.IGNORE).name,
      trace_statements: unlessEmpty(this.props.traceStatements),
      metric_statements: unlessEmpty(this.props.metricStatements),
      log_statements: unlessEmpty(this.props.logStatements),
    };
  }
}
