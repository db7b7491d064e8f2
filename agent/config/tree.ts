/**
 * The configuration between YAML and zod: a tree in which every key and value remembers where it was written, so that an error
 * names file and line even after several files, `--set` and `${env:...}` were merged.
 *
 *   YAML text --yaml.ts--> tree --sources.ts: merge--> tree --expand.ts: ${...}--> tree --plain()--> zod --> settings
 */

/** Where a key or value was written. `source` is what the user passed: a path, `--set a.b=c`, `yaml:...`. */
export interface Origin {
  readonly source: string;
  /** From 1; 0 where a source has no lines. */
  readonly line: number;
  readonly column: number;
}

/** Integers are bigint and floats number, as the difference decides an attribute's type (1 is an integer, 1.0 a double). */
export type ScalarValue = string | bigint | number | boolean | Date | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: ScalarValue;
  readonly origin: Origin;
  /** The text behind `${...}` when it was the whole value: a key that wants text gets this, any other the YAML value of it. */
  readonly original?: string;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly origin: Origin;
  readonly original?: string;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly origin: Origin;
  readonly original?: string;
}

export interface MapEntry {
  /** Of the key, which is what an editor should jump to. */
  readonly origin: Origin;
  readonly node: ConfigNode;
  /** The key was part of one with `::`, so that a second one joins it and is not a repetition. */
  readonly split?: boolean;
}

export type ConfigNode = ScalarNode | ListNode | MapNode;

/** One step into the tree: a key, or an index of a list. */
export type PathStep = string | number;

/** A value that came out of `${...}`; see ScalarNode.original. */
export class Expanded {
  readonly value: unknown;
  readonly original: string;

  constructor(value: unknown, original: string) {
    this.value = value;
    this.original = original;
  }
}

/** `exporters.otlp.headers[0].name`, as users write it in --set. */
export function printPath(path: readonly PathStep[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** `agent.yaml:12`; only the source where it has no lines. */
export function printOrigin(origin: Origin): string {
  return origin.line === 0 ? origin.source : `${origin.source}:${origin.line}`;
}

/** An empty map, for a source that holds nothing. */
export function emptyMap(origin: Origin): MapNode {
  return { kind: 'map', entries: new Map(), origin };
}

/** Maps are joined key by key, everything else is replaced: what a later --config or --set says wins. */
export function mergeNodes(base: ConfigNode, over: ConfigNode): ConfigNode {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? entry : { origin: entry.origin, node: mergeNodes(before.node, entry.node) });
  }
  return { kind: 'map', entries, origin: over.origin };
}

/** The node at `path`, or undefined. */
export function nodeAt(root: ConfigNode, path: readonly PathStep[]): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.node;
    else if (node?.kind === 'list') node = node.items[Number(step)];
    else return undefined;
  }
  return node;
}

/** Where `path` was written: its key, or the nearest place above it that exists. */
export function originAt(root: ConfigNode, path: readonly PathStep[]): Origin {
  let node: ConfigNode = root;
  let origin = root.origin;
  for (const step of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(step));
      if (entry === undefined) return origin;
      origin = entry.origin;
      node = entry.node;
    } else if (node.kind === 'list') {
      const item = node.items[Number(step)];
      if (item === undefined) return origin;
      origin = item.origin;
      node = item;
    } else return origin;
  }
  return origin;
}

/** The tree as plain values; what came out of `${...}` is wrapped in Expanded. Objects have no prototype, so `__proto__` is a key like any other. */
export function plain(node: ConfigNode): unknown {
  const value = plainValue(node);
  return node.original === undefined ? value : new Expanded(value, node.original);
}

function plainValue(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of node.entries) object[key] = plain(entry.node);
  return object;
}

/** Where a printed path (`receivers.otlp.protocols.grpc.endpoint`) was written, or the nearest place above it; ids may hold dots. */
export function findPath(root: ConfigNode, printed: string): Origin | undefined {
  let node: ConfigNode = root;
  let rest = printed;
  let origin: Origin | undefined;
  while (node.kind === 'map' && rest !== '') {
    const keys: string[] = [...node.entries.keys()];
    const key = keys.find((candidate) => rest === candidate || rest.startsWith(`${candidate}.`));
    const entry: MapEntry | undefined = key === undefined ? undefined : node.entries.get(key);
    if (key === undefined || entry === undefined) break;
    origin = entry.origin;
    node = entry.node;
    rest = rest.slice(key.length + 1);
  }
  return origin;
}
