import type * as z from 'zod/mini';
import { docOf, fieldOf } from './field-doc.ts';
import { parseId } from './ids.ts';
import type { Notice } from './problems.ts';
import { COMPONENTS, findComponent, type SectionName } from './registry.ts';
import type { MapNode, PathStep } from './tree.ts';
import { type ConfigNode, nodeAt, originAt } from './tree.ts';

/** The Collector release that --portable speaks of, and that the tests compare with. */
export const COLLECTOR_VERSION = '0.155.0';

/** What the Collector would refuse of a configuration that this agent accepts. */
export function portableFindings(root: MapNode): Notice[] {
  const findings: Notice[] = [];
  const find = (path: readonly PathStep[], message: string): void => {
    findings.push({ path, origin: originAt(root, path), message });
  };
  if (root.entries.has('agent')) find(['agent'], 'the section is of this agent alone');
  for (const section of Object.keys(COMPONENTS) as SectionName[]) {
    const node = nodeAt(root, [section]);
    if (node?.kind !== 'map') continue;
    for (const [key, entry] of node.entries) {
      const id = parseId(key);
      const component = typeof id === 'string' ? undefined : findComponent(COMPONENTS[section], id.type);
      if (component === undefined) continue;
      findOurs(component.config, entry.node, [section, key], find);
      if (component.type === 'memory_limiter' && nodeAt(entry.node, ['check_interval']) === undefined) {
        find([section, key], 'has no check_interval, which has no default there; write check_interval: 1s');
      }
    }
  }
  const pipelines = nodeAt(root, ['service', 'pipelines']);
  if (pipelines?.kind === 'map') {
    for (const key of pipelines.entries.keys()) {
      if (key.split('/', 1)[0]?.trim() === 'profiles')
        find(['service', 'pipelines', key], 'needs --feature-gates=service.profilesSupport there');
    }
  }
  findHalfReaders(root, find);
  return findings;
}

/** `validate` of the Collector passes a metrics server without host or port, its start does not. */
function findHalfReaders(root: MapNode, find: (path: readonly PathStep[], message: string) => void): void {
  const path = ['service', 'telemetry', 'metrics', 'readers'];
  const readers = nodeAt(root, path);
  if (readers?.kind !== 'list') return;
  for (const index of readers.items.keys()) {
    const place = [...path, index, 'pull', 'exporter', 'prometheus'];
    const prometheus = nodeAt(root, place);
    if (prometheus === undefined) continue;
    for (const key of ['host', 'port']) {
      if (nodeAt(prometheus, [key]) === undefined) find(place, `has no ${key}, which has no default there: the Collector would not start`);
    }
  }
}

function findOurs(
  schema: z.ZodMiniType,
  node: ConfigNode,
  path: readonly PathStep[],
  find: (path: readonly PathStep[], message: string) => void,
): void {
  const doc = docOf(schema);
  if (doc.ours === true) find(path, 'the key is of this agent alone');
  if (node.kind !== 'map' || doc.fields === undefined) return;
  for (const [key, entry] of node.entries) {
    const field = fieldOf(doc, key);
    if (field !== undefined) findOurs(field, entry.node, [...path, key], find);
  }
}
