import type { Component } from './component.ts';
import type { ComponentId } from './ids.ts';
import { parseId } from './ids.ts';
import type { Findings } from './parse.ts';
import { parseAt } from './parse.ts';
import { showValue, suggestion } from './problems.ts';
import type { SectionName } from './registry.ts';
import { findComponent } from './registry.ts';
import { nodeAt, originAt, type PathStep, plain } from './tree.ts';

/** A component that is configured, used or not. */
export interface Configured<S> {
  readonly id: ComponentId;
  readonly component: Component<S>;
  readonly path: readonly PathStep[];
  /** What its schema made of it; undefined where that found a mistake. */
  readonly config: unknown;
}

/** What a section of the file holds, by id. */
export type ConfiguredMap<S> = ReadonlyMap<string, Configured<S>>;

/** Reads one section: every id, every type, every key; also of components that nothing uses, as the Collector does. */
export function readComponents<S>(section: SectionName, components: readonly Component<S>[], findings: Findings): ConfiguredMap<S> {
  const result = new Map<string, Configured<S>>();
  const node = nodeAt(findings.root, [section]);
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return result;
  if (node.kind !== 'map') {
    findings.problems.push({
      code: 'OTLP_CONFIG_TYPE',
      path: [section],
      origin: originAt(findings.root, [section]),
      message: `wants a map of ${section} by id`,
    });
    return result;
  }
  for (const [key, entry] of node.entries) {
    const path = [section, key];
    const id = parseId(key);
    if (typeof id === 'string') {
      findings.problems.push({ code: 'OTLP_CONFIG_ID', path, origin: entry.origin, message: id });
      continue;
    }
    const component = findComponent(components, id.type);
    if (component === undefined) {
      const types = components.map(({ type }) => type);
      const value = entry.node.kind === 'map' ? ` (${showValue(plain(entry.node), path)})` : '';
      const message = `this agent has no ${section.slice(0, -1)} "${id.type}"${value}${suggestion(id.type, types)}`;
      findings.problems.push({ code: 'OTLP_CONFIG_UNKNOWN_COMPONENT', path, origin: entry.origin, message });
      continue;
    }
    if (result.has(id.text)) {
      findings.problems.push({ code: 'OTLP_CONFIG_ID', path, origin: entry.origin, message: `"${id.text}" is configured twice` });
      continue;
    }
    if (component.aliases.includes(id.type)) {
      findings.notices.push({ path, origin: entry.origin, message: `"${id.type}" is an older name of ${component.type}` });
    }
    result.set(id.text, { id, component, path, config: parseAt(component.config, path, findings) });
  }
  return result;
}
