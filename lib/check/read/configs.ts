import type { Finding } from '../finding';
import { asList, asObject, asString, isObject, type JsonObject } from './json';
import type { KubeObject } from './objects';
import { parseYaml, Tree } from './tree';
import { type Mount, mountsOf, type Workload } from './workloads';

/** Whose grammar a configuration is written in. */
export type ConfigKind =
  /** The OpenTelemetry Collector's: the Collector, otlp-agent, Jaeger v2. */
  | 'collector'
  | 'prometheus'
  | 'prometheus-rules'
  | 'alertmanager'
  | 'grafana-datasources'
  | 'grafana-providers'
  | 'grafana-dashboard'
  | 'fluentd'
  /** YAML or JSON of a program that is not known here. */
  | 'structured'
  /** Neither: scripts, properties, certificates. */
  | 'text';

/** One configuration file that a ConfigMap (or a Secret's stringData) carries. */
export interface ConfigFile {
  readonly kind: ConfigKind;
  readonly carrier: KubeObject;
  readonly key: string;
  readonly text: string;
  /** The parsed content; the text itself for `fluentd` and `text`. */
  readonly tree: Tree;
  /** The containers that see it. */
  readonly mounts: readonly Mount[];
}

/** The configurations of an object, and what hinders reading them. */
export function configsOf(object: KubeObject, workloads: readonly Workload[]): { configs: ConfigFile[]; findings: Finding[] } {
  const field = object.kind === 'ConfigMap' ? 'data' : object.kind === 'Secret' ? 'stringData' : undefined;
  const configs: ConfigFile[] = [];
  const findings: Finding[] = [];
  if (field === undefined) return { configs, findings };
  const neighbours = workloads.filter(({ namespace }) => namespace === object.namespace);
  for (const [key, value] of Object.entries(asObject(object.manifest[field]))) {
    const text = asString(value);
    if (text === undefined) continue;
    const mounts = neighbours.flatMap((workload) => mountsOf(workload, object, key));
    const { documents, problems } = parseYaml(text);
    const lineOf = (line: number): number => object.lineInText([field, key], line);
    const problem = problems[0];
    if (problem !== undefined && /\.(ya?ml|json)$/.test(key)) {
      findings.push({
        ...object.tree.place([field, key]),
        rule: 'config-parses',
        level: 'error',
        line: lineOf(problem.line),
        problem: `not valid YAML: ${problem.problem}`,
        remedy: 'correct the configuration',
      });
      continue;
    }
    const document = documents.length === 1 ? documents[0] : undefined;
    const kind =
      document !== undefined && isObject(document.value)
        ? shapeOf(document.value)
        : /^\s*<(source|match|filter|label)\b/m.test(text)
          ? 'fluentd'
          : 'text';
    const tree =
      kind === 'fluentd' || kind === 'text' || document === undefined
        ? textTree(object, field, key, text, lineOf)
        : new Tree(document.value, object.tree.place([]).file, object.tree.place([]).object, [field, key], (path) =>
            lineOf(document.lineOf(path)),
          );
    configs.push({ kind, carrier: object, key, text, tree, mounts });
  }
  return { configs, findings };
}

/** A text's parts are its lines: the path of line 3 is `[3]`. */
function textTree(object: KubeObject, field: string, key: string, text: string, lineOf: (line: number) => number): Tree {
  const { file, object: name } = object.tree.place([]);
  return new Tree(text, file, name, [field, key], ([line]) => lineOf(Number(line ?? 1)));
}

function shapeOf(value: JsonObject): ConfigKind {
  const service = asObject(value.service);
  if (isObject(service.pipelines) || (isObject(value.receivers) && isObject(value.exporters))) return 'collector';
  if (Array.isArray(value.scrape_configs) || Array.isArray(value.rule_files) || isObject(value.alerting)) return 'prometheus';
  if (Array.isArray(value.groups) && asList(value.groups).every((group) => Array.isArray(asObject(group).rules))) return 'prometheus-rules';
  if (isObject(value.route) && Array.isArray(value.receivers)) return 'alertmanager';
  if (Array.isArray(value.datasources)) return 'grafana-datasources';
  if (value.apiVersion === 1 && Array.isArray(value.providers)) return 'grafana-providers';
  if (Array.isArray(value.panels) || (isObject(value.elements) && isObject(value.layout))) return 'grafana-dashboard';
  return 'structured';
}
