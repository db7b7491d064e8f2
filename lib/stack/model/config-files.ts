import { createHash } from 'node:crypto';
import { Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { ConfigContent } from './config-content';
import { checkName } from './labels';

/** A file of a component's configuration. */
export interface ConfigFile {
  /** Names the ConfigMap (`<component>-<config>`) and the volume. @default 'config' */
  readonly config?: string;
  /** Where the ConfigMap is mounted. */
  readonly directory: string;
  /** The file's name in that directory. */
  readonly file: string;
  readonly content: ConfigContent;
}

type Files = { [file: string]: ConfigContent };

/** The ConfigMaps of one component; each is created with its first file and printed at synth. */
export class ConfigFiles {
  private readonly configs: { [config: string]: Files } = {};

  constructor(
    private readonly scope: Construct,
    private readonly metadata: k8s.ObjectMeta,
  ) {}

  /** @returns the name of the ConfigMap */
  public add(config: string, { file, content }: ConfigFile): string {
    const configMapName = `${this.metadata.name}-${config}`;
    const files = this.configs[config] ?? this.create(config, configMapName);
    if (files[file]) {
      throw new Error(`${this.scope.node.path}: '${file}' is in ConfigMap '${configMapName}' already: choose another file name`);
    }
    files[file] = content;
    return configMapName;
  }

  /** Changes with the content of any file; empty without files. */
  public checksum(): string {
    const names = Object.keys(this.configs);
    if (names.length === 0) {
      return '';
    }
    return createHash('sha256')
      .update(JSON.stringify(names.map((name) => [name, this.print(name)])))
      .digest('hex')
      .slice(0, 32);
  }

  private create(config: string, configMapName: string): Files {
    checkName(this.scope.node.path, configMapName);
    const files: Files = {};
    this.configs[config] = files;
    new k8s.KubeConfigMap(this.scope, `ConfigMap-${config}`, {
      metadata: { ...this.metadata, name: configMapName },
      data: Lazy.any({ produce: () => this.print(config) }) as { [key: string]: string },
    });
    return files;
  }

  private print(config: string): { [file: string]: string } {
    return Object.fromEntries(Object.entries(this.configs[config] ?? {}).map(([file, content]) => [file, content._print()]));
  }
}
