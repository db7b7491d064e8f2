import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ComponentFact, ComponentKind, MetricFact, MetricKind } from '../../model.ts';
import { type PartialFacts, readFacts } from '../store.mts';
import { readDistributions } from './distributions.mts';
import { moduleFolder } from './go-module.mts';

const CORE = 'go.opentelemetry.io/collector';
const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib';

/** A component's metadata.yaml, from which upstream generates its own documents. */
interface Metadata {
  readonly type: string;
  readonly deprecated_type?: string;
  readonly status?: {
    readonly class: string;
    readonly stability: { readonly [level: string]: readonly string[] };
    readonly distributions?: readonly string[];
  };
  readonly attributes?: { readonly [id: string]: { readonly name_override?: string } | null };
  readonly telemetry?: { readonly metrics?: { readonly [name: string]: TelemetryMetric } };
}

interface TelemetryMetric {
  readonly enabled: boolean;
  readonly description: string;
  readonly unit?: string;
  readonly prefix?: string;
  readonly attributes?: readonly string[];
  readonly sum?: { readonly monotonic?: boolean };
  readonly gauge?: object;
  readonly histogram?: object;
}

/** Parts of the Collector itself that count what passes. */
const HELPERS = ['service', 'exporter/exporterhelper', 'receiver/receiverhelper', 'processor/processorhelper', 'scraper/scraperhelper'];

/** What the reference stack and its neighbours use, where no running program lists it. */
const CORE_COMPONENTS = [
  'receiver/otlpreceiver',
  'receiver/nopreceiver',
  'processor/memorylimiterprocessor',
  'processor/batchprocessor',
  'exporter/otlpexporter',
  'exporter/otlphttpexporter',
  'exporter/debugexporter',
  'exporter/nopexporter',
  'connector/forwardconnector',
  'extension/zpagesextension',
];
const CONTRIB_COMPONENTS = [
  'receiver/prometheusreceiver',
  'receiver/hostmetricsreceiver',
  'receiver/kubeletstatsreceiver',
  'receiver/k8sclusterreceiver',
  'receiver/filelogreceiver',
  'processor/k8sattributesprocessor',
  'processor/resourceprocessor',
  'processor/attributesprocessor',
  'processor/transformprocessor',
  'processor/filterprocessor',
  'processor/redactionprocessor',
  'processor/tailsamplingprocessor',
  'processor/probabilisticsamplerprocessor',
  'processor/resourcedetectionprocessor',
  'exporter/elasticsearchexporter',
  'exporter/loadbalancingexporter',
  'exporter/kafkaexporter',
  'exporter/fileexporter',
  'exporter/prometheusexporter',
  'exporter/prometheusremotewriteexporter',
  'connector/spanmetricsconnector',
  'connector/countconnector',
  'connector/routingconnector',
  'connector/servicegraphconnector',
  'extension/healthcheckextension',
  'extension/healthcheckv2extension',
  'extension/storage/filestorage',
  'extension/bearertokenauthextension',
  'extension/basicauthextension',
  'extension/oauth2clientauthextension',
  'extension/oidcauthextension',
  'extension/pprofextension',
];

/**
 * Components whose module the Go proxy lacks at every version that is recorded. Read in the contrib repository at the commit: the type
 * has one spelling there and no deprecated one.
 */
const CONTRIB_COMMIT = '081fceadc7dce840498ff68bb5293968c2ca7511';
const READ_IN_REPOSITORY: readonly ComponentFact[] = [
  {
    kind: 'exporter',
    type: 'elasticsearch',
    stability: { logs: 'beta', metrics: 'development', profiles: 'development', traces: 'beta' },
    module: `${CONTRIB}/exporter/elasticsearchexporter`,
    distributions: ['contrib'],
    source: `upstream@${CONTRIB_COMMIT}`,
  },
];

/** What the modules' metadata.yaml files say of one version of the Collector. */
export function recordCollector(version: string, run: boolean, note: string): PartialFacts {
  const live = readFacts('otelcol', version).components;
  const components: ComponentFact[] = [...READ_IN_REPOSITORY];
  const metrics: MetricFact[] = [];
  const missing: string[] = [];
  const wanted = [...CORE_COMPONENTS.map((path) => `${CORE}/${path}`), ...CONTRIB_COMPONENTS.map((path) => `${CONTRIB}/${path}`)];
  for (const module of wanted) {
    const metadata = readMetadata(module, `v${version}`);
    if (metadata === undefined) {
      missing.push(module);
      continue;
    }
    components.push(component(module, version, metadata));
    metrics.push(...telemetry(module, version, metadata));
  }
  // Parts that are linked at another version than the program's: their own metadata speaks for them.
  for (const { module = '' } of live) {
    const [path = '', at = ''] = module.split(' ');
    if (wanted.includes(path) && !missing.includes(path)) continue;
    const metadata = readMetadata(path, at);
    if (metadata !== undefined) components.push(component(path, at.replace(/^v/, ''), metadata));
  }
  for (const helper of HELPERS) {
    const metadata = readMetadata(`${CORE}/${helper}`, `v${version}`);
    if (metadata !== undefined) metrics.push(...telemetry(`${CORE}/${helper}`, version, metadata));
  }
  const { complete, listed } = readDistributions(version);
  for (const fact of listed) if (!components.some(({ kind, type }) => kind === fact.kind && type === fact.type)) components.push(fact);
  const known = new Set([...components, ...live].map(({ type, kind }) => `${kind}/${type}`));
  console.log(
    `otelcol ${version}: not in the proxy: ${missing.map((module) => module.replace(CONTRIB, 'contrib')).join(', ') || 'nothing'}; ${known.size} components`,
  );
  return { program: 'otelcol', version, title: 'OpenTelemetry Collector', run, note, completeDistributions: complete, components, metrics };
}

function readMetadata(module: string, version: string): Metadata | undefined {
  const folder = moduleFolder(module, version);
  const file = join(folder ?? '', 'metadata.yaml');
  return folder !== undefined && existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Metadata) : undefined;
}

function component(module: string, version: string, metadata: Metadata): ComponentFact {
  const stability = Object.entries(metadata.status?.stability ?? {}).flatMap(([level, signals]) =>
    signals.map((signal) => [signal, level] as const),
  );
  return {
    kind: metadata.status?.class as ComponentKind,
    type: metadata.type,
    ...(metadata.deprecated_type === undefined ? {} : { formerType: metadata.deprecated_type }),
    stability: Object.fromEntries(stability.sort()),
    module: `${module} v${version}`,
    ...(metadata.status?.distributions === undefined ? {} : { distributions: metadata.status.distributions }),
    source: `upstream@v${version}`,
  };
}

/**
 * Internal telemetry in the spelling of 0.152 and later: `otelcol_` and the name, without unit and `_total`
 * (https://github.com/open-telemetry/opentelemetry-collector/issues/13867). Metrics with a prefix of their own belong to the pipeline
 * instrumentation behind a feature gate and are left out.
 */
function telemetry(module: string, version: string, metadata: Metadata): MetricFact[] {
  return Object.entries(metadata.telemetry?.metrics ?? {})
    .filter(([, metric]) => metric.enabled && metric.prefix === undefined)
    .map(([name, metric]) => ({
      name: `otelcol_${name.replaceAll('.', '_')}`,
      type: typeOf(metric),
      help: metric.description.trim(),
      ...(metric.unit === undefined ? {} : { unit: metric.unit }),
      labels: (metric.attributes ?? []).map((id) => (metadata.attributes?.[id]?.name_override ?? id).replaceAll('.', '_')).sort(),
      endpoint: 'self',
      when: `${metadata.type} is in use; not seen in the recorded run`,
      source: `upstream@v${version}`,
      where: `${module.replace(/^[^/]+\//, '')}/metadata.yaml`,
    }));
}

function typeOf(metric: TelemetryMetric): MetricKind {
  if (metric.histogram !== undefined) return 'histogram';
  return metric.sum?.monotonic ? 'counter' : 'gauge';
}
