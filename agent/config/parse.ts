import type * as z from 'zod/mini';
import type { ConfigErrorCode } from './errors.ts';
import { CONFIG_ERRORS } from './errors.ts';
import { docOf, fieldOf } from './field-doc.ts';
import type { Notice, Problem } from './problems.ts';
import { showValue, suggestion } from './problems.ts';
import type { ConfigNode, MapNode, PathStep } from './tree.ts';
import { nodeAt, originAt, plain } from './tree.ts';

/** What reading a configuration has found so far. */
export interface Findings {
  readonly root: MapNode;
  readonly problems: Problem[];
  readonly notices: Notice[];
}

/** Parses what is at `path` with a schema of ours; undefined where something was wrong. */
export function parseAt<T>(schema: z.ZodMiniType<T>, path: readonly PathStep[], findings: Findings): T | undefined {
  const node = nodeAt(findings.root, path);
  const result = schema.safeParse(node === undefined ? undefined : plain(node));
  if (node !== undefined) noteInert(schema, node, path, findings);
  if (result.success) return result.data;
  for (const issue of result.error.issues) findings.problems.push(...problemsOf(issue, schema, path, findings.root));
  return undefined;
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodMiniType, base: readonly PathStep[], root: ConfigNode): Problem[] {
  const below = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const path = [...base, ...below];
  const params: Readonly<Record<string, unknown>> = issue.code === 'custom' ? (issue.params ?? {}) : {};
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys : params.problem === 'OTLP_CONFIG_UNKNOWN_KEY' ? params.keys : undefined;
  if (Array.isArray(unknown)) {
    const allowed = keysAt(schema, below);
    return unknown.map((key) => unknownKey([...path, String(key)], allowed, root));
  }
  const origin = originAt(root, path);
  if (issue.code === 'custom') {
    const code =
      typeof params.problem === 'string' && params.problem in CONFIG_ERRORS ? (params.problem as ConfigErrorCode) : 'OTLP_CONFIG_VALUE';
    const shown = code === 'OTLP_CONFIG_TYPE' || code === 'OTLP_CONFIG_UNSUPPORTED' ? valueAt(root, path) : '';
    return [{ code, path, origin, message: `${shown}${issue.message}` }];
  }
  const wanted = issue.code === 'invalid_type' && issue.expected === 'array' ? 'wants a list' : 'wants a map of keys';
  return [{ code: 'OTLP_CONFIG_TYPE', path, origin, message: `${valueAt(root, path)}${wanted}` }];
}

/** `(5) `, to stand before what is wrong with it. */
function valueAt(root: ConfigNode, path: readonly PathStep[]): string {
  const node = nodeAt(root, path);
  return node === undefined ? '' : `(${showValue(plain(node), path)}) `;
}

/** A key that nobody has: its value, the nearest name and all names. */
export function unknownKey(path: readonly PathStep[], allowed: readonly string[], root: ConfigNode): Problem {
  const key = String(path.at(-1) ?? '');
  const node = nodeAt(root, path);
  const value = node === undefined ? '' : ` (${showValue(plain(node), path)})`;
  return {
    code: 'OTLP_CONFIG_UNKNOWN_KEY',
    path,
    origin: originAt(root, path),
    message: `unknown key "${key}"${value}${suggestion(key, allowed)}`,
  };
}

/** The keys that a section has, `enabled` with them where it can be switched. */
function keysAt(schema: z.ZodMiniType, below: readonly PathStep[]): string[] {
  let current: z.ZodMiniType | undefined = schema;
  for (const step of below) if (typeof step === 'string' && current !== undefined) current = fieldOf(docOf(current), step);
  const doc = current === undefined ? undefined : docOf(current);
  const known = Object.entries(doc?.fields ?? {}).filter(([, field]) => docOf(field).unsupported === undefined);
  return [...known.map(([key]) => key), ...(doc?.switchable === true ? ['enabled'] : [])];
}

/** One notice for each key that is written and has no effect here, and for scalars left empty: those are zero, not their default. */
function noteInert(schema: z.ZodMiniType, node: ConfigNode, path: readonly PathStep[], findings: Findings): void {
  const doc = docOf(schema);
  const isEmpty = node.kind === 'scalar' && node.value === null;
  const note = (message: string): void => {
    findings.notices.push({ path, origin: originAt(findings.root, path), message });
  };
  if (doc.inert !== undefined && !isEmpty) {
    note(`has no effect: ${doc.inert}`);
  } else if (isEmpty && (doc.type === 'duration' || doc.type === 'integer' || doc.type === 'number')) {
    note(`is empty, which reads as 0 and not as the default (${doc.shownDefault ?? 'none'}), as in the Collector`);
  } else if (doc.type === 'duration' && node.kind === 'scalar' && typeof node.value === 'bigint' && node.value !== 0n) {
    note(`${node.value} has no unit, so it is nanoseconds, as in the Collector; write ${node.value}ms or ${node.value}s`);
  }
  if (doc.inert !== undefined) return;
  const sections = doc.list === true && node.kind === 'list' ? node.items : [node];
  for (const [index, one] of sections.entries()) {
    if (one.kind !== 'map') continue;
    const base = one === node ? path : [...path, index];
    for (const [key, entry] of one.entries) {
      const field = fieldOf(doc, key);
      if (field !== undefined) noteInert(field, entry.node, [...base, key], findings);
    }
  }
}
