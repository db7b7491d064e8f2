import { App } from 'cdk8s';
import { OtlpStack, type OtlpStackProps, Profile } from 'otlp-stack';
import { parse } from 'yaml';

/** A printed Kubernetes object: plain JSON. */
// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON, and tests reach deep into them
export type Manifest = any;

/** What the reference stack prints, found by name. */
export class PrintedStack {
  readonly objects: Manifest[];

  constructor(objects: Manifest[]) {
    this.objects = objects;
  }

  /** The one object of that kind and name. */
  find(kind: string, name: string): Manifest {
    const found = this.objects.filter((object) => object.kind === kind && object.metadata.name === name);
    if (found.length !== 1) throw new Error(`${found.length} objects ${kind}/${name} are printed`);
    return found[0];
  }

  /** A file of a ConfigMap, as text. */
  text(configMap: string, file: string): string {
    const text = this.find('ConfigMap', configMap).data[file];
    if (typeof text !== 'string') throw new Error(`ConfigMap ${configMap} holds no ${file}`);
    return text;
  }

  /** A YAML file of a ConfigMap, parsed. */
  config(configMap: string, file: string): Manifest {
    return parse(this.text(configMap, file));
  }

  /** A container of a workload, native sidecars included. */
  container(kind: string, workload: string, name: string): Manifest {
    const { spec } = this.find(kind, workload).spec.template;
    const container = [...(spec.initContainers ?? []), ...spec.containers].find((one: Manifest) => one.name === name);
    if (!container) throw new Error(`${kind}/${workload} has no container ${name}`);
    return container;
  }

  /** The environment of a container as the kubelet would set it; `fields` are the values of the downward API, `secrets` by `name/key`. */
  environment(container: Manifest, fields: Record<string, string>, secrets: Record<string, string> = {}): Record<string, string> {
    const env: Record<string, string> = {};
    for (const { name, value, valueFrom } of container.env ?? []) {
      const reference = valueFrom?.secretKeyRef;
      const given = reference ? secrets[`${reference.name}/${reference.key}`] : fields[valueFrom?.fieldRef?.fieldPath];
      if (value === undefined && given === undefined) throw new Error(`no value for ${name}: ${JSON.stringify(valueFrom)}`);
      env[name] = value === undefined ? (given as string) : value.replace(/\$\((\w+)\)/g, (_: string, other: string) => env[other] ?? '');
    }
    return env;
  }
}

/** Prints the reference stack in this process. */
export function printStack(props: OtlpStackProps = {}): PrintedStack {
  const app = new App();
  new OtlpStack(app, 'otlp', props);
  return new PrintedStack(app.charts.flatMap((chart) => chart.toJson()));
}

/** One small node. */
export function printDevelopment(props: OtlpStackProps = {}): PrintedStack {
  return printStack({ ...props, profile: Profile.DEVELOPMENT });
}
