import type { Configured, ConfiguredMap } from './components.ts';
import { parseId, signalOf } from './ids.ts';
import type { Findings } from './parse.ts';
import { parseAt } from './parse.ts';
import { suggestion } from './problems.ts';
import type { SectionName } from './registry.ts';
import { EXTENSION_LIST, PIPELINE_CONFIG } from './service-config.ts';
import type { Signal } from './settings.ts';
import { SIGNALS } from './settings.ts';
import { nodeAt, originAt, type PathStep } from './tree.ts';

/** A pipeline whose references are not resolved yet. */
export interface PipelinePlan {
  readonly id: string;
  readonly signal: Signal;
  readonly path: readonly PathStep[];
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** `service.pipelines`: ids, signals and the shape of each. */
export function readPipelines(findings: Findings): PipelinePlan[] {
  const { root, problems } = findings;
  const base = ['service', 'pipelines'];
  const node = nodeAt(root, base);
  if (node !== undefined && node.kind !== 'map' && !(node.kind === 'scalar' && node.value === null)) {
    problems.push({ code: 'OTLP_CONFIG_TYPE', path: base, origin: originAt(root, base), message: 'wants a map of pipelines by id' });
    return [];
  }
  if (node?.kind !== 'map' || node.entries.size === 0) {
    problems.push({
      code: 'OTLP_CONFIG_MISSING',
      path: base,
      origin: originAt(root, base),
      message: 'there must be at least one pipeline',
    });
    return [];
  }
  const plans: PipelinePlan[] = [];
  for (const [key, { origin }] of node.entries) {
    const path = [...base, key];
    const id = parseId(key);
    const signal = typeof id === 'string' ? undefined : signalOf(id);
    if (typeof id === 'string' || signal === undefined) {
      const message = typeof id === 'string' ? id : `"${id.type}" is no signal${suggestion(id.type, SIGNALS)}`;
      problems.push({ code: 'OTLP_CONFIG_ID', path, origin, message });
      continue;
    }
    const config = parseAt(PIPELINE_CONFIG, path, findings);
    if (config !== undefined) plans.push({ id: id.text, signal, path, ...config });
  }
  return plans;
}

export interface ConfiguredComponents {
  readonly receivers: ConfiguredMap<unknown>;
  readonly processors: ConfiguredMap<unknown>;
  readonly exporters: ConfiguredMap<unknown>;
  readonly connectors: ConfiguredMap<unknown>;
}

/** Every reference names a component that is configured and carries the signal. The plans come back as they were. */
export function resolvePipelines(
  plans: readonly PipelinePlan[],
  configured: ConfiguredComponents,
  findings: Findings,
): readonly PipelinePlan[] {
  for (const plan of plans) {
    for (const kind of ['receivers', 'processors', 'exporters'] as const) {
      plan[kind].forEach((id, index) => {
        const path = [...plan.path, kind, index];
        const connector = kind === 'processors' ? undefined : configured.connectors.get(id);
        const found = configured[kind].get(id) ?? connector;
        const known = kind === 'processors' ? configured[kind].keys() : [...configured[kind].keys(), ...configured.connectors.keys()];
        if (found === undefined) reportMissing(kind, id, [...known], path, findings);
        else if (!found.component.signals.includes(plan.signal)) reportSignal(found, plan, path, findings);
      });
    }
  }
  return plans;
}

function reportMissing(
  kind: SectionName,
  id: string,
  known: readonly string[],
  path: readonly PathStep[],
  { root, problems }: Findings,
): void {
  const singular = kind.slice(0, -1);
  // Where the component itself was refused, that is the message; a second one would send the reader to the wrong place.
  const places = kind === 'receivers' || kind === 'exporters' ? [kind, 'connectors'] : [kind];
  if (places.some((section) => nodeAt(root, [section, id]) !== undefined)) return;
  problems.push({
    code: 'OTLP_CONFIG_REFERENCE',
    path,
    origin: originAt(root, path),
    message: `the ${singular} "${id}" is not configured${suggestion(id, known)}`,
  });
}

function reportSignal(
  { component }: Configured<unknown>,
  plan: PipelinePlan,
  path: readonly PathStep[],
  { root, problems }: Findings,
): void {
  const message = `${component.type} does not carry ${plan.signal}, only ${component.signals.join(', ')}`;
  problems.push({ code: 'OTLP_CONFIG_PIPELINE', path, origin: originAt(root, path), message });
}

/** `service.extensions`: the extensions that are started. */
export function readExtensions<S>(configured: ConfiguredMap<S>, findings: Findings): Configured<S>[] {
  const base = ['service', 'extensions'];
  const ids = parseAt(EXTENSION_LIST, base, findings) ?? [];
  const started: Configured<S>[] = [];
  for (const [index, id] of ids.entries()) {
    const found = configured.get(id);
    if (found === undefined) reportMissing('extensions', id, [...configured.keys()], [...base, index], findings);
    else if (!started.includes(found)) started.push(found);
  }
  for (const [id, extension] of configured) {
    if (ids.includes(id)) continue;
    findings.notices.push({
      path: extension.path,
      origin: originAt(findings.root, extension.path),
      message: 'is not started: service.extensions does not list it',
    });
  }
  return started;
}
