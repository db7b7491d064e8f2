import type { Duration } from 'cdk8s';
import { Signal, signalNames } from './signal';
import { COLLECTOR_VERSION, ComponentKind, Spelling } from './spelling';

/** What tells one component from another of the same type. */
export interface ComponentIdentity {
  /**
   * The part of the identifier after the slash: `otlp_grpc/jaeger`.
   * @default - none: the identifier is the type alone
   */
  readonly name?: string;
}

/** Options of the open doors {@link Receiver.custom} and its like. */
export interface CustomComponentOptions extends ComponentIdentity {
  /**
   * The signals that the component handles.
   * @default - traces, metrics and logs
   */
  readonly signals?: Signal[];
}

/** One direction through a connector. */
export interface SignalRoute {
  /** What the connector takes at the end of a pipeline. */
  readonly from: Signal;
  /** What it gives at the start of another. */
  readonly to: Signal;
}

/** Something a pipeline can start with: a receiver, or the outgoing side of a connector. */
export interface IReceiver {
  /** As pipelines name it: `otlp`, `span_metrics/web`. */
  readonly id: string;
  /** Whether a pipeline of this signal may start with it. */
  emits(signal: Signal): boolean;
}

/** Something a pipeline can end with: an exporter, or the incoming side of a connector. */
export interface IExporter {
  /** As pipelines name it. */
  readonly id: string;
  /** Whether data is kept or passed on; false for `debug` and `nop`, which a production gateway must not end in. */
  readonly isProductionDestination: boolean;
  /** Whether a pipeline of this signal may end with it. */
  accepts(signal: Signal): boolean;
}

/** What every part of a Collector configuration has in common. Values never change after construction. */
export abstract class CollectorComponent {
  /** The part of the identifier after the slash, or empty. */
  public readonly name: string;

  protected constructor(
    /** The section that the component stands in. */
    public readonly kind: ComponentKind,
    /** The type by its newest name. */
    public readonly type: string,
    identity: ComponentIdentity,
  ) {
    this.name = identity.name ?? '';
    if (!/^[a-zA-Z][0-9a-zA-Z_]{0,62}$/.test(type)) {
      throw new Error(`${kind.section}: type '${type}' must start with a letter and have at most 63 letters, digits or '_'`);
    }
    if (identity.name !== undefined && !/^[0-9a-zA-Z._-]+$/.test(identity.name)) {
      throw new Error(`${kind.section}.${type}: 'name' must consist of letters, digits, '.', '_' and '-', got '${identity.name}'`);
    }
  }

  /** The identifier by its newest name: `otlp_grpc/jaeger`. */
  public get id(): string {
    return this._id(Spelling.of(COLLECTOR_VERSION));
  }

  /** The identifier as a pinned version spells it. @internal */
  public _id(spelling: Spelling): string {
    const type = spelling.typeOf(this.kind, this.type);
    return this.name === '' ? type : `${type}/${this.name}`;
  }

  /** `exporters.otlp_grpc/jaeger`: the place that errors name. @internal */
  public get _place(): string {
    return `${this.kind.section}.${this.name === '' ? this.type : `${this.type}/${this.name}`}`;
  }

  /** Extensions that the keys of this component name; the configuration adds them. @internal */
  public _extensions(): Extension[] {
    return [];
  }

  /** The keys below the identifier. @internal */
  public abstract _render(spelling: Spelling): object;
}

/** Where data comes in. */
export abstract class Receiver extends CollectorComponent implements IReceiver {
  /** The open door: any receiver of any distribution. Nothing below it is checked before `otelcol validate` reads it. */
  public static custom(type: string, config: object = {}, options: CustomComponentOptions = {}): Receiver {
    return new CustomReceiver(type, config, options);
  }

  protected constructor(
    type: string,
    identity: ComponentIdentity,
    private readonly signals: Signal[],
  ) {
    super(ComponentKind.RECEIVER, type, identity);
  }

  public emits(signal: Signal): boolean {
    return this.signals.includes(signal);
  }
}

/** What happens to data on its way, in the order of the pipeline. */
export abstract class Processor extends CollectorComponent {
  /** The open door: any processor of any distribution. */
  public static custom(type: string, config: object = {}, options: CustomComponentOptions = {}): Processor {
    return new CustomProcessor(type, config, options);
  }

  protected constructor(
    type: string,
    identity: ComponentIdentity,
    private readonly signals: Signal[],
  ) {
    super(ComponentKind.PROCESSOR, type, identity);
  }

  /** Whether a pipeline of this signal may hold it. */
  public processes(signal: Signal): boolean {
    return this.signals.includes(signal);
  }
}

/** Where data goes. */
export abstract class Exporter extends CollectorComponent implements IExporter {
  /** The open door: any exporter of any distribution. */
  public static custom(type: string, config: object = {}, options: CustomComponentOptions = {}): Exporter {
    return new CustomExporter(type, config, options);
  }

  protected constructor(
    type: string,
    identity: ComponentIdentity,
    private readonly signals: Signal[],
    public readonly isProductionDestination: boolean = true,
  ) {
    super(ComponentKind.EXPORTER, type, identity);
  }

  public accepts(signal: Signal): boolean {
    return this.signals.includes(signal);
  }

  /** How long one attempt may take, where the keys say it. @internal */
  public _attemptTimeout(): Duration | undefined {
    return undefined;
  }
}

/** The end of one pipeline and the start of another. */
export abstract class Connector extends CollectorComponent implements IReceiver, IExporter {
  public readonly isProductionDestination = true;

  /** The open door: any connector; `routes` say what it turns into what. */
  public static custom(type: string, routes: SignalRoute[], config: object = {}, options: ComponentIdentity = {}): Connector {
    return new CustomConnector(type, routes, config, options);
  }

  protected constructor(
    type: string,
    identity: ComponentIdentity,
    private readonly routes: SignalRoute[],
  ) {
    super(ComponentKind.CONNECTOR, type, identity);
  }

  public accepts(signal: Signal): boolean {
    return this.routes.some((route) => route.from === signal);
  }

  public emits(signal: Signal): boolean {
    return this.routes.some((route) => route.to === signal);
  }

  /** Whether what ends in it as `from` may start again as `to`. */
  public connects(from: Signal, to: Signal): boolean {
    return this.routes.some((route) => route.from === from && route.to === to);
  }

  /** `traces -> metrics`: for messages. @internal */
  public _routeNames(): string {
    return this.routes.map((route) => `${signalNames([route.from])} -> ${signalNames([route.to])}`).join(', ');
  }
}

/** Something beside the data path: health, storage, diagnosis. */
export abstract class Extension extends CollectorComponent {
  /** The open door: any extension of any distribution. */
  public static custom(type: string, config: object = {}, options: ComponentIdentity = {}): Extension {
    return new CustomExtension(type, config, options);
  }

  protected constructor(
    type: string,
    identity: ComponentIdentity,
    /** Whether it does nothing until another component names it: file storage, authenticators. */
    public readonly servesOthers: boolean = false,
  ) {
    super(ComponentKind.EXTENSION, type, identity);
  }
}

class CustomReceiver extends Receiver {
  constructor(
    type: string,
    private readonly config: object,
    options: CustomComponentOptions,
  ) {
    super(type, options, options.signals ?? Signal.stable());
  }

  public override _render(): object {
    return this.config;
  }
}

class CustomProcessor extends Processor {
  constructor(
    type: string,
    private readonly config: object,
    options: CustomComponentOptions,
  ) {
    super(type, options, options.signals ?? Signal.stable());
  }

  public override _render(): object {
    return this.config;
  }
}

class CustomExporter extends Exporter {
  constructor(
    type: string,
    private readonly config: object,
    options: CustomComponentOptions,
  ) {
    super(type, options, options.signals ?? Signal.stable());
  }

  public override _render(): object {
    return this.config;
  }
}

class CustomConnector extends Connector {
  constructor(
    type: string,
    routes: SignalRoute[],
    private readonly config: object,
    options: ComponentIdentity,
  ) {
    super(type, options, routes);
  }

  public override _render(): object {
    return this.config;
  }
}

class CustomExtension extends Extension {
  constructor(
    type: string,
    private readonly config: object,
    options: ComponentIdentity,
  ) {
    super(type, options);
  }

  public override _render(): object {
    return this.config;
  }
}
