import type * as z from 'zod/mini';
import { TELEMETRY_CONFIG } from '../telemetry/config.ts';
import { docOf } from './field-doc.ts';
import { printGoDuration } from './go-duration.ts';
import { parseId } from './ids.ts';
import { MASK } from './problems.ts';
import { PROCESS_CONFIG } from './process-config.ts';
import { COMPONENTS, findComponent, type SectionName } from './registry.ts';
import { EXTENSION_LIST, PIPELINE_CONFIG } from './service-config.ts';
import type { MapNode, PathStep } from './tree.ts';
import { nodeAt, plain } from './tree.ts';

/** Keys whose values are secrets more often than not. */
const SECRET_KEYS: ReadonlySet<string> = new Set(['headers', 'response_headers', 'hmac_key']);

/** A valid configuration as it takes effect: merged, expanded, with every default, secrets masked. */
export function effectiveConfig(root: MapNode): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const section of Object.keys(COMPONENTS) as SectionName[]) {
    const node = nodeAt(root, [section]);
    if (node?.kind !== 'map' || node.entries.size === 0) continue;
    const shown: Record<string, unknown> = {};
    for (const key of node.entries.keys()) {
      const id = parseId(key);
      const component = typeof id === 'string' ? undefined : findComponent(COMPONENTS[section], id.type);
      if (component !== undefined) shown[key] = effectiveAt(component.config, root, [section, key]);
    }
    result[section] = shown;
  }
  const pipelines = nodeAt(root, ['service', 'pipelines']);
  const ids = pipelines?.kind === 'map' ? [...pipelines.entries.keys()] : [];
  result.service = {
    telemetry: effectiveAt(TELEMETRY_CONFIG, root, ['service', 'telemetry']),
    extensions: effectiveAt(EXTENSION_LIST, root, ['service', 'extensions']),
    pipelines: Object.fromEntries(ids.map((key) => [key, effectiveAt(PIPELINE_CONFIG, root, ['service', 'pipelines', key])])),
  };
  result.agent = effectiveAt(PROCESS_CONFIG, root, ['agent']);
  return result;
}

function effectiveAt(schema: z.ZodMiniType, root: MapNode, path: readonly PathStep[]): unknown {
  const node = nodeAt(root, path);
  return show(schema, schema.parse(node === undefined ? undefined : plain(node)), '');
}

function show(schema: z.ZodMiniType, value: unknown, key: string): unknown {
  const doc = docOf(schema);
  if (value === undefined) return doc.switchable === true && doc.shownDefault === 'on' ? { enabled: false } : undefined;
  if (doc.type === 'duration') return printGoDuration(Number(value));
  if (doc.fields === undefined) return showLeaf(value, key);
  const { fields } = doc;
  if (doc.list === true && Array.isArray(value)) return value.map((item: unknown) => showFields(fields, item));
  return showFields(fields, value);
}

function showFields(fields: Readonly<Record<string, z.ZodMiniType>>, value: unknown): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const shown = show(field, (value as Readonly<Record<string, unknown>>)[key], key);
    if (shown !== undefined && shown !== '') result[key] = shown;
  }
  return result;
}

function showLeaf(value: unknown, key: string): unknown {
  if (SECRET_KEYS.has(key) && typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.keys(value).map((name) => [name, MASK]));
  if (SECRET_KEYS.has(key) && typeof value === 'string' && value !== '') return MASK;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  // A password in a URL: http://user:password@host.
  return typeof value === 'string' ? value.replace(/\/\/[^/@\s]*@/u, `//${MASK}@`) : value;
}
