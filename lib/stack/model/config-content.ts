import { printJson, printYaml } from './yaml';

/** A typed configuration that knows how to become a plain object, once, at synth. */
export interface IConfig {
  /** The configuration as the program reads it. */
  renderConfig(): object;
}

/** The text of one file in a ConfigMap. */
export class ConfigContent {
  /** Printed as YAML at synth. */
  public static yaml(config: IConfig): ConfigContent {
    return new ConfigContent(() => printYaml(config.renderConfig()));
  }

  /** Printed as JSON at synth. */
  public static json(config: IConfig): ConfigContent {
    return new ConfigContent(() => printJson(config.renderConfig()));
  }

  /** A plain object, printed as YAML. */
  public static yamlOf(value: object): ConfigContent {
    return new ConfigContent(() => printYaml(value));
  }

  /** A plain object, printed as JSON. */
  public static jsonOf(value: object): ConfigContent {
    return new ConfigContent(() => printJson(value));
  }

  /** Text of a format that has a printer of its own. */
  public static text(text: string): ConfigContent {
    return new ConfigContent(() => text);
  }

  private constructor(private readonly print: () => string) {}

  /** @internal */
  public _print(): string {
    return this.print();
  }
}
