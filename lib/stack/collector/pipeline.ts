import { CollectorComponent, type IExporter, type IReceiver, type Processor } from './component';
import { Signal } from './signal';
import type { Spelling } from './spelling';

/** A pipeline of one signal. */
export interface PipelineProps {
  /**
   * Tells pipelines of one signal apart: `metrics/span-metrics`.
   * @default - none
   */
  readonly name?: string;
  /** Receivers or connectors that the data comes from; at least one. */
  readonly receivers: IReceiver[];
  /**
   * In the order in which they act; a memory limiter stands first.
   * @default - none
   */
  readonly processors?: Processor[];
  /** Exporters or connectors that the data goes to; at least one. */
  readonly exporters: IExporter[];
}

/**
 * The way of one signal through the Collector. It takes values, not names, so whatever it names exists; a component that does not handle
 * the signal is an error here.
 *
 * @example Pipeline.traces({ receivers: [otlp], processors: [limiter], exporters: [jaeger] })
 */
export class Pipeline {
  /** Spans. */
  public static traces(props: PipelineProps): Pipeline {
    return new Pipeline(Signal.TRACES, props);
  }

  /** Data points. */
  public static metrics(props: PipelineProps): Pipeline {
    return new Pipeline(Signal.METRICS, props);
  }

  /** Log records. */
  public static logs(props: PipelineProps): Pipeline {
    return new Pipeline(Signal.LOGS, props);
  }

  /** Any signal. */
  public static of(signal: Signal, props: PipelineProps): Pipeline {
    return new Pipeline(signal, props);
  }

  /** As in `service.pipelines`: `traces`, `metrics/span-metrics`. */
  public readonly id: string;
  private readonly receiverValues: IReceiver[];
  private readonly processorValues: Processor[];
  private readonly exporterValues: IExporter[];

  private constructor(
    public readonly signal: Signal,
    props: PipelineProps,
  ) {
    this.id = props.name === undefined ? signal.name : `${signal.name}/${props.name}`;
    this.receiverValues = [...props.receivers];
    this.processorValues = [...(props.processors ?? [])];
    this.exporterValues = [...props.exporters];
    if (props.name !== undefined && !/^[0-9a-zA-Z._-]+$/.test(props.name)) {
      throw new Error(`${this._place}: 'name' must consist of letters, digits, '.', '_' and '-', got '${props.name}'`);
    }
    this.check();
  }

  public get receivers(): IReceiver[] {
    return [...this.receiverValues];
  }

  public get processors(): Processor[] {
    return [...this.processorValues];
  }

  public get exporters(): IExporter[] {
    return [...this.exporterValues];
  }

  /** Every component that it names, each once. @internal */
  public _components(): CollectorComponent[] {
    const all = [...this.receiverValues, ...this.processorValues, ...this.exporterValues];
    return [...new Set(all.map((component) => asComponent(this._place, component)))];
  }

  /** `service.pipelines.traces`: the place that errors name. @internal */
  public get _place(): string {
    return `service.pipelines.${this.id}`;
  }

  /** @internal */
  public _render(spelling: Spelling): object {
    const ids = (values: object[]): string[] => values.map((value) => asComponent(this._place, value)._id(spelling));
    const processors = ids(this.processorValues);
    return {
      receivers: ids(this.receiverValues),
      processors: processors.length === 0 ? undefined : processors,
      exporters: ids(this.exporterValues),
    };
  }

  private check(): void {
    for (const [key, values] of [
      ['receivers', this.receiverValues],
      ['exporters', this.exporterValues],
    ] as const) {
      if (values.length === 0) {
        throw new Error(`${this._place}: '${key}' is empty: a pipeline needs at least one of them`);
      }
    }
    for (const [key, values] of [
      ['receivers', this.receiverValues],
      ['processors', this.processorValues],
      ['exporters', this.exporterValues],
    ] as const) {
      const ids = values.map((value) => value.id);
      const twice = ids.find((id, index) => ids.indexOf(id) !== index);
      if (twice !== undefined) {
        throw new Error(`${this._place}: '${key}' names '${twice}' twice: the Collector takes each once per pipeline`);
      }
    }
    this.checkSignals();
    const limiter = this.processorValues.findIndex((processor) => processor.type === 'memory_limiter');
    if (limiter > 0) {
      throw new Error(
        `${this._place}: 'memory_limiter' is processor ${limiter + 1}, after '${this.processorValues[0]?.id}': put it first, so that data is refused before work is done on it`,
      );
    }
  }

  private checkSignals(): void {
    const wrong = [
      ...this.receiverValues.filter((receiver) => !receiver.emits(this.signal)),
      ...this.processorValues.filter((processor) => !processor.processes(this.signal)),
      ...this.exporterValues.filter((exporter) => !exporter.accepts(this.signal)),
    ];
    if (wrong.length > 0) {
      const names = wrong.map((value) => `'${asComponent(this._place, value)._place}'`).join(', ');
      throw new Error(
        `${this._place}: ${names} cannot handle '${this.signal.name}' here: use it in a pipeline of a signal that it supports`,
      );
    }
  }
}

/** Interfaces come in, classes are inside: only our own components can render themselves. */
function asComponent(place: string, value: object): CollectorComponent {
  if (value instanceof CollectorComponent) {
    return value;
  }
  throw new Error(`${place}: a component is not one of ours: use Receiver.custom, Processor.custom, Exporter.custom or Connector.custom`);
}
