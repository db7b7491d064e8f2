import { totalmem } from 'node:os';
import { TELEMETRY_CONFIG, telemetrySettings } from '../telemetry/config.ts';
import { batchesBehindForwards, noteSharedBatches } from './batches.ts';
import type { BuildContext } from './component.ts';
import type { Configured, ConfiguredMap } from './components.ts';
import { readComponents } from './components.ts';
import { checkConnectors } from './connectors.ts';
import { expandTree } from './expand.ts';
import type { Findings } from './parse.ts';
import { parseAt, unknownKey } from './parse.ts';
import type { PipelinePlan } from './pipelines.ts';
import { readExtensions, readPipelines, resolvePipelines } from './pipelines.ts';
import type { Notice, Problem } from './problems.ts';
import { ConfigError } from './problems.ts';
import { PROCESS_CONFIG, processSettings } from './process-config.ts';
import { CONNECTORS, EXPORTERS, EXTENSIONS, PROCESSORS, RECEIVERS } from './registry.ts';
import type { AgentSettings, Signal } from './settings.ts';
import type { ConfigSources } from './sources.ts';
import { readSources } from './sources.ts';
import type { MapNode, PathStep } from './tree.ts';
import { nodeAt, originAt } from './tree.ts';
import { checkWorkers } from './workers.ts';

/** A configuration that may run. */
export interface LoadedConfig {
  readonly settings: AgentSettings;
  /** Worth a line at start: keys without effect, older names, unset variables, components that nothing uses. */
  readonly notices: readonly Notice[];
  /** What was read, merged and expanded: for print-config and --portable. */
  readonly root: MapNode;
  /** Files that it was read from, with their texts. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

export interface LoadOptions extends ConfigSources {
  /** Memory that limit_percentage is of. @default that of the cgroup, or of the machine */
  readonly totalMemoryBytes?: number;
}

const TOP_LEVEL = ['receivers', 'processors', 'exporters', 'connectors', 'extensions', 'service', 'agent'];
const SERVICE_KEYS = ['telemetry', 'extensions', 'pipelines'];

/**
 * Reads, merges, expands and checks a configuration; the order is the Collector's.
 *
 * @throws ConfigError with every problem found
 */
export function load(options: LoadOptions): LoadedConfig {
  const problems: Problem[] = [];
  const notices: Notice[] = [];
  const files = new Map<string, string | undefined>();
  const onFile = (path: string, text: string | undefined): void => {
    files.set(path, text);
    options.onFile?.(path, text);
  };
  const merged = readSources({ ...options, onFile }, problems);
  // What cannot be read or parsed makes the rest of the messages noise.
  if (problems.length > 0) throw new ConfigError(problems);
  const root = expandTree(merged, { environment: options.environment, onFile, problems, notices });
  const findings: Findings = { root, problems, notices };
  const settings = buildSettings(findings, options.totalMemoryBytes ?? availableMemory());
  if (problems.length > 0 || settings === undefined) throw new ConfigError(inFileOrder(problems));
  return { settings, notices, root, files };
}

/** Bytes that this process may use: the limit of its cgroup, or the memory of the machine. */
export function availableMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

function buildSettings(findings: Findings, totalMemoryBytes: number): AgentSettings | undefined {
  checkKeys([], TOP_LEVEL, findings);
  checkKeys(['service'], SERVICE_KEYS, findings);
  const receivers = readComponents('receivers', RECEIVERS, findings);
  const processors = readComponents('processors', PROCESSORS, findings);
  const exporters = readComponents('exporters', EXPORTERS, findings);
  const connectors = readComponents('connectors', CONNECTORS, findings);
  const extensions = readComponents('extensions', EXTENSIONS, findings);
  const telemetry = parseAt(TELEMETRY_CONFIG, ['service', 'telemetry'], findings);
  const agent = parseAt(PROCESS_CONFIG, ['agent'], findings);
  for (const section of ['receivers', 'exporters']) {
    const node = nodeAt(findings.root, [section]);
    if (node?.kind === 'map' && node.entries.size > 0) continue;
    findings.problems.push({
      code: 'OTLP_CONFIG_MISSING',
      path: [section],
      origin: originAt(findings.root, [section]),
      message: 'there must be at least one',
    });
  }
  const plans = resolvePipelines(readPipelines(findings), { receivers, processors, exporters, connectors }, findings);
  checkConnectors(plans, { receivers, exporters, connectors }, findings);
  const started = readExtensions(extensions, findings);

  const builder = new Builder(findings, totalMemoryBytes);
  const builtReceivers = builder.used(receivers, plans, (plan) => plan.receivers);
  const builtProcessors = builder.used(processors, plans, (plan) => plan.processors);
  const builtExporters = builder.used(exporters, plans, (plan) => plan.exporters);
  const builtConnectors = builder.used(connectors, plans, (plan) => [...plan.receivers, ...plan.exporters]);
  const builtExtensions = started.map((extension) => builder.build(extension, new Set())).filter((settings) => settings !== undefined);
  const builtTelemetry =
    telemetry === undefined ? undefined : telemetrySettings(telemetry, builder.context('telemetry', ['service', 'telemetry'], new Set()));
  if (builtTelemetry === undefined || agent === undefined) return undefined;

  const pipelines = plans.map((plan) => {
    const kinds = plan.processors.map((id) => ({ id, settings: builtProcessors[id] }));
    // Two batch processors in a row: the last one decides how requests look when they leave.
    const batch = kinds
      .map(({ settings }) => (settings?.kind === 'batch' ? settings.batch : undefined))
      .findLast((settings) => settings !== undefined);
    const pipeline = {
      id: plan.id,
      signal: plan.signal,
      receivers: plan.receivers,
      processors: kinds.filter(({ settings }) => settings?.kind !== 'batch').map(({ id }) => id),
      exporters: plan.exporters,
    };
    return batch === undefined ? pipeline : { ...pipeline, batch };
  });
  const merging = batchesBehindForwards(pipelines, builtConnectors);
  noteSharedBatches(merging, builtExporters, findings);
  const running: AgentSettings['processors'] = Object.fromEntries(
    Object.entries(builtProcessors).flatMap(([id, settings]) => (settings.kind === 'batch' ? [] : [[id, settings] as const])),
  );
  const processes = processSettings(agent);
  checkWorkers({ agent: processes, receivers: builtReceivers, exporters: builtExporters }, findings);
  return {
    receivers: builtReceivers,
    processors: running,
    exporters: builtExporters,
    connectors: builtConnectors,
    extensions: builtExtensions,
    pipelines: merging,
    telemetry: builtTelemetry,
    agent: processes,
  };
}

/** Makes settings of components, each once, and puts what they report below their place. */
class Builder {
  readonly #findings: Findings;
  readonly #totalMemoryBytes: number;

  constructor(findings: Findings, totalMemoryBytes: number) {
    this.#findings = findings;
    this.#totalMemoryBytes = totalMemoryBytes;
  }

  /** The components that a pipeline uses, by id; a notice for each of the others. */
  used<S>(
    configured: ConfiguredMap<S>,
    plans: readonly PipelinePlan[],
    idsOf: (plan: PipelinePlan) => readonly string[],
  ): Record<string, S> {
    const result: Record<string, S> = {};
    for (const [id, component] of configured) {
      const using = plans.filter((plan) => idsOf(plan).includes(id));
      if (using.length === 0) {
        this.#findings.notices.push({
          path: component.path,
          origin: originAt(this.#findings.root, component.path),
          message: 'no pipeline uses it',
        });
        continue;
      }
      const settings = this.build(component, new Set(using.map((plan) => plan.signal)));
      if (settings !== undefined) result[id] = settings;
    }
    return result;
  }

  build<S>({ id, component, path, config }: Configured<S>, signals: ReadonlySet<Signal>): S | undefined {
    return config === undefined ? undefined : component.build(config, this.context(id.text, path, signals));
  }

  context(id: string, base: readonly PathStep[], signals: ReadonlySet<Signal>): BuildContext {
    const { root, problems, notices } = this.#findings;
    return {
      id,
      signals,
      totalMemoryBytes: this.#totalMemoryBytes,
      report: (code, below, message) => {
        const path = [...base, ...below];
        problems.push({ code, path, origin: originAt(root, path), message });
      },
      notice: (below, message) => {
        const path = [...base, ...below];
        notices.push({ path, origin: originAt(root, path), message });
      },
    };
  }
}

function checkKeys(path: readonly PathStep[], allowed: readonly string[], { root, problems }: Findings): void {
  const node = nodeAt(root, path);
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return;
  if (node.kind !== 'map') {
    problems.push({ code: 'OTLP_CONFIG_TYPE', path, origin: node.origin, message: 'wants a map of keys' });
    return;
  }
  for (const key of node.entries.keys()) if (!allowed.includes(key)) problems.push(unknownKey([...path, key], allowed, root));
}

/** As they stand in the files, so that they can be corrected from top to bottom. */
function inFileOrder(problems: readonly Problem[]): Problem[] {
  const sources = [...new Set(problems.map(({ origin }) => origin.source))];
  return [...problems].sort(
    (a, b) =>
      sources.indexOf(a.origin.source) - sources.indexOf(b.origin.source) ||
      a.origin.line - b.origin.line ||
      a.origin.column - b.origin.column,
  );
}
