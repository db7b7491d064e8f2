import type { Notice, Problem } from './problems.ts';
import type { ConfigSources } from './sources.ts';
import { retrieve } from './sources.ts';
import type { ConfigNode, MapEntry, MapNode, Origin, PathStep } from './tree.ts';

/**
 * `${env:NAME}`, `${env:NAME:-default}`, `${NAME}`, `${file:PATH}` and `${yaml:TEXT}` in values, as the Collector's resolver reads them:
 * a value that is nothing but one `${...}` becomes what the YAML of its text is, inside of a longer text it is put in as text, and
 * `$$` is a dollar sign. Keys are not expanded.
 */
export interface Expansion {
  readonly environment: ConfigSources['environment'];
  readonly onFile?: ConfigSources['onFile'];
  readonly problems: Problem[];
  readonly notices: Notice[];
}

/** A value that expands to itself ends after so many rounds; the Collector's bound. */
const MAX_ROUNDS = 1000;

const URI = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/su;

/** The tree with every value expanded and `$$` unescaped. */
export function expandTree(root: MapNode, expansion: Expansion): MapNode {
  const expanded = expandNode(root, [], expansion);
  return expanded.kind === 'map' ? expanded : root;
}

function expandNode(node: ConfigNode, path: readonly PathStep[], expansion: Expansion): ConfigNode {
  if (node.kind === 'map') {
    const entries = new Map<string, MapEntry>();
    for (const [key, entry] of node.entries) entries.set(key, { ...entry, node: expandNode(entry.node, [...path, key], expansion) });
    return { ...node, entries };
  }
  if (node.kind === 'list') return { ...node, items: node.items.map((item, index) => expandNode(item, [...path, index], expansion)) };
  if (typeof node.value !== 'string') return node;
  return expandText(node.value, node.origin, path, expansion);
}

function expandText(text: string, origin: Origin, path: readonly PathStep[], expansion: Expansion): ConfigNode {
  let current = text;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const uri = findUri(current);
    if (uri === undefined) return { kind: 'scalar', value: unescapeDollars(current), origin };
    const retrieved = resolveUri(uri, origin, path, expansion);
    if (retrieved === undefined) return { kind: 'scalar', value: unescapeDollars(current), origin };
    if (uri !== current) {
      current = current.replaceAll(uri, () => retrieved.text);
    } else if (retrieved.node.kind === 'scalar' && typeof retrieved.node.value === 'string') {
      current = retrieved.node.value;
    } else {
      // The place that a message names is the place of the `${...}`: the text behind it has no line in the file.
      const inner = expandNode(relocate(retrieved.node, origin), path, expansion);
      return { ...inner, original: expandInline(retrieved.text, origin, path, expansion) };
    }
  }
  expansion.problems.push({ code: 'OTLP_CONFIG_EXPAND', path, origin, message: `"${text}" expands to itself without end` });
  return { kind: 'scalar', value: text, origin };
}

/** The text of a value that is no text, expanded too: it is used where a key wants text. */
function expandInline(text: string, origin: Origin, path: readonly PathStep[], expansion: Expansion): string {
  if (!text.includes('${')) return unescapeDollars(text);
  const node = expandText(` ${text}`, origin, path, { ...expansion, problems: [], notices: [] });
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value.slice(1) : text;
}

function relocate(node: ConfigNode, origin: Origin): ConfigNode {
  if (node.kind === 'list') return { ...node, origin, items: node.items.map((item) => relocate(item, origin)) };
  if (node.kind === 'map') {
    const entries = new Map<string, MapEntry>();
    for (const [key, entry] of node.entries) entries.set(key, { origin, node: relocate(entry.node, origin) });
    return { ...node, origin, entries };
  }
  return { ...node, origin };
}

/** The first innermost `${...}` that is not escaped by an odd number of dollars before it. */
function findUri(text: string): string | undefined {
  let from = 0;
  for (;;) {
    const close = text.indexOf('}', from);
    if (close < 0) return undefined;
    const open = text.lastIndexOf('${', close);
    if (open >= from) {
      let dollars = 0;
      while (open - 1 - dollars >= from && text[open - 1 - dollars] === '$') dollars += 1;
      // The Collector stops at the first escaped one, so `$${A} ${B}` leaves B alone as well; the same file has to mean the same here.
      return dollars % 2 === 1 ? undefined : text.slice(open, close + 1);
    }
    from = close + 1;
  }
}

function resolveUri(
  uri: string,
  origin: Origin,
  path: readonly PathStep[],
  expansion: Expansion,
): { node: ConfigNode; text: string } | undefined {
  const inner = uri.slice(2, -1);
  const fail = (message: string): undefined => {
    expansion.problems.push({ code: 'OTLP_CONFIG_EXPAND', path, origin, message: `${uri}: ${message}` });
    return undefined;
  };
  const parts = URI.exec(inner.includes(':') ? inner : `env:${inner}`);
  const scheme = parts?.[1];
  const rest = parts?.[2];
  if (scheme === undefined || rest === undefined) return fail('is no reference to env:NAME; a dollar sign itself is written $$');
  if (rest.includes('$')) return fail('may hold no dollar sign');
  const retrieved = retrieve(scheme, rest, expansion, origin.source);
  if ('failure' in retrieved) return fail(retrieved.failure);
  if (retrieved.unset !== undefined) {
    expansion.notices.push({ path, origin, message: `the environment variable ${retrieved.unset} is not set; its place is empty` });
  }
  return retrieved;
}

function unescapeDollars(text: string): string {
  return text.replaceAll('$$', '$');
}
