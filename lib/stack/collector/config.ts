import { isDeepStrictEqual } from 'node:util';
import type { IConfig } from '../model/config-content';
import { compact, deepMerge } from '../model/yaml';
import { type CollectorComponent, Connector, type Extension } from './component';
import type { Pipeline } from './pipeline';
import { COLLECTOR_VERSION, ComponentKind, Spelling } from './spelling';
import { ServiceTelemetry } from './telemetry';

/** A whole configuration. */
export interface CollectorConfigProps {
  /** At least one. Components that they name are rendered, each once; nothing else is. */
  readonly pipelines: Pipeline[];
  /**
   * Beside those that components name by themselves (storage).
   * @default - none
   */
  readonly extensions?: Extension[];
  /** @default - metrics on the pod's address, port 8888; logs as JSON */
  readonly telemetry?: ServiceTelemetry;
  /**
   * The version that the configuration is spelled for.
   * @default - the pinned Collector
   */
  readonly version?: string;
  /**
   * The escape hatch: merged deeply over what is rendered; lists are replaced.
   * @default - none
   */
  readonly configOverrides?: object;
}

const SECTIONS = [
  ComponentKind.RECEIVER,
  ComponentKind.PROCESSOR,
  ComponentKind.CONNECTOR,
  ComponentKind.EXPORTER,
  ComponentKind.EXTENSION,
];

/** A configuration as the OpenTelemetry Collector and our agent read it. */
export class CollectorConfig implements IConfig {
  public readonly version: string;
  private readonly props: CollectorConfigProps;

  constructor(props: CollectorConfigProps) {
    this.props = props;
    this.version = props.version ?? COLLECTOR_VERSION;
    if (props.pipelines.length === 0) {
      throw new Error(`service.pipelines is empty: a configuration needs at least one pipeline`);
    }
    const ids = props.pipelines.map((pipeline) => pipeline.id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) {
      throw new Error(`service.pipelines: two pipelines are called '${twice}': give one of them a 'name'`);
    }
    this.checkConnectors();
    this.checkExtensions();
    this.renderConfig();
  }

  public get pipelines(): Pipeline[] {
    return [...this.props.pipelines];
  }

  /** Every component, connectors once, extensions included. */
  public get components(): CollectorComponent[] {
    const used = new Set(this.props.pipelines.flatMap((pipeline) => pipeline._components()));
    const named = [...used].flatMap((component) => component._extensions());
    return [...new Set([...used, ...(this.props.extensions ?? []), ...named])];
  }

  /** The port of the program's own metrics. */
  public get metricsPort(): number {
    return (this.props.telemetry ?? new ServiceTelemetry()).metricsPort;
  }

  /** The configuration as the program reads it. */
  public renderConfig(): object {
    const spelling = Spelling.of(this.version);
    const extensions = this.components.filter((component) => component.kind === ComponentKind.EXTENSION);
    const service = {
      extensions: extensions.length === 0 ? undefined : extensions.map((extension) => extension._id(spelling)),
      pipelines: Object.fromEntries(this.props.pipelines.map((pipeline) => [pipeline.id, pipeline._render(spelling)])),
      telemetry: (this.props.telemetry ?? new ServiceTelemetry())._render(),
    };
    const sections = SECTIONS.map((kind) => [kind.section, this.renderSection(kind, spelling)] as const).filter(
      ([, section]) => section !== undefined,
    );
    const config = compact({ ...Object.fromEntries(sections), service }) as object;
    return this.props.configOverrides ? deepMerge(config, this.props.configOverrides) : config;
  }

  private renderSection(kind: ComponentKind, spelling: Spelling): object | undefined {
    const section: { [id: string]: object } = {};
    for (const component of this.components.filter((candidate) => candidate.kind === kind)) {
      const id = component._id(spelling);
      const rendered = compact(component._render(spelling)) as object;
      const present = section[id];
      if (present !== undefined && !isDeepStrictEqual(present, rendered)) {
        throw new Error(
          `${kind.section}.${id} is defined twice with different keys: ${JSON.stringify(present)} and ${JSON.stringify(rendered)}; give one of them a 'name'`,
        );
      }
      section[id] = rendered;
    }
    return Object.keys(section).length === 0 ? undefined : section;
  }

  private checkConnectors(): void {
    const connectors = this.components.filter((component): component is Connector => component instanceof Connector);
    for (const connector of connectors) {
      const ends = this.props.pipelines.filter((pipeline) => pipeline.exporters.includes(connector));
      const starts = this.props.pipelines.filter((pipeline) => pipeline.receivers.includes(connector));
      const names = (pipelines: Pipeline[]): string => pipelines.map((pipeline) => `'${pipeline.id}'`).join(', ');
      if (ends.length === 0 || starts.length === 0) {
        const [has, misses] = ends.length === 0 ? [`receiver of ${names(starts)}`, 'exporter'] : [`exporter of ${names(ends)}`, 'receiver'];
        throw new Error(
          `${connector._place} is ${has} and ${misses} of none: a connector ends one pipeline and starts another, add it there`,
        );
      }
      const loose = [
        ...ends.filter((end) => !starts.some((start) => connector.connects(end.signal, start.signal))),
        ...starts.filter((start) => !ends.some((end) => connector.connects(end.signal, start.signal))),
      ];
      if (loose.length > 0) {
        throw new Error(
          `${connector._place} leads nowhere from or to ${names(loose)}: it turns ${connector._routeNames()}; use it between pipelines of these signals`,
        );
      }
    }
  }

  private checkExtensions(): void {
    const named = new Set(this.components.flatMap((component) => component._extensions()));
    const idle = (this.props.extensions ?? []).filter((extension) => extension.servesOthers && !named.has(extension));
    if (idle.length > 0) {
      throw new Error(
        `${idle.map((extension) => extension._place).join(', ')}: no component uses it: pass it to the queue that needs it (Queue.disk({ storage })), or leave it out`,
      );
    }
  }
}
