import type { Alias, Document, Node, Pair, Scalar, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { ConfigNode, MapEntry, MapNode, Origin, ScalarValue } from './tree.ts';
import { mergeNodes } from './tree.ts';

/** What is wrong with a YAML text, and where. */
export interface YamlProblem {
  readonly message: string;
  readonly origin: Origin;
}

export type YamlResult = { readonly node: ConfigNode } | { readonly problems: readonly YamlProblem[] };

/** The Collector cuts keys at this: `a::b: 1` is `a: {b: 1}`. */
const KEY_DELIMITER = '::';

/**
 * Parses the first document of a YAML text. Plain scalars are read as Go's yaml.v3 reads them (0777 is octal, 1_000 a number, `yes` is
 * text), since that is what the Collector makes of the same file.
 *
 * @param source how messages name the text
 * @param firstLine line of the first character; 0 for a text that has no lines of its own (--set)
 */
export function parseYaml(text: string, source: string, firstLine = 1): YamlResult {
  const lines = new LineCounter();
  const [document] = parseAllDocuments(text, { lineCounter: lines, merge: false, uniqueKeys: false, prettyErrors: false, strict: true });
  const reader = new TreeReader(source, lines, firstLine, document);
  if (document === undefined) return { node: reader.nothing() };
  for (const error of document.errors) reader.fail(error.message, error.pos[0]);
  const node = document.contents === null ? reader.nothing() : reader.node(document.contents as Node, false);
  return reader.problems.length > 0 ? { problems: reader.problems } : { node };
}

class TreeReader {
  readonly problems: YamlProblem[] = [];
  readonly #source: string;
  readonly #lines: LineCounter;
  readonly #firstLine: number;
  readonly #document: Document | undefined;
  /** Aliases that are being followed, so that an anchor inside of itself is an error and not a stack overflow. */
  readonly #following = new Set<Node>();

  constructor(source: string, lines: LineCounter, firstLine: number, document: Document | undefined) {
    this.#source = source;
    this.#lines = lines;
    this.#firstLine = firstLine;
    this.#document = document;
  }

  nothing(): ConfigNode {
    return { kind: 'scalar', value: null, origin: this.origin(0) };
  }

  origin(offset: number): Origin {
    if (this.#firstLine === 0) return { source: this.#source, line: 0, column: 0 };
    const position = this.#lines.linePos(offset);
    return { source: this.#source, line: Math.max(position.line, 1) + this.#firstLine - 1, column: Math.max(position.col, 1) };
  }

  fail(message: string, offset: number): void {
    this.problems.push({ message, origin: this.origin(offset) });
  }

  node(node: Node | null, inList: boolean): ConfigNode {
    if (node === null) return this.nothing();
    const origin = this.origin(node.range?.[0] ?? 0);
    if (isAlias(node)) return this.#alias(node, inList, origin);
    if (isMap(node)) return this.#map(node, inList, origin);
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => this.node(item as Node | null, true)), origin };
    return { kind: 'scalar', value: isScalar(node) ? scalarValue(node) : null, origin };
  }

  #alias(alias: Alias, inList: boolean, origin: Origin): ConfigNode {
    const target = this.#document === undefined ? undefined : alias.resolve(this.#document);
    if (target === undefined || this.#following.has(target)) {
      this.fail(`the alias *${alias.source} has no anchor before it`, alias.range?.[0] ?? 0);
      return { kind: 'scalar', value: null, origin };
    }
    this.#following.add(target);
    const node = this.node(target, inList);
    this.#following.delete(target);
    return node;
  }

  #map(map: YAMLMap, inList: boolean, origin: Origin): MapNode {
    const entries = new Map<string, MapEntry>();
    const merged: ConfigNode[] = [];
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const offset = pair.key.range?.[0] ?? 0;
      const key = isScalar(pair.key) ? scalarValue(pair.key) : undefined;
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        const value = this.node(pair.value, inList);
        const bases = value.kind === 'list' ? value.items : [value];
        if (bases.some(({ kind }) => kind !== 'map')) this.fail('<< joins maps only', offset);
        merged.push(...bases);
      } else if (typeof key !== 'string') {
        this.fail('a key must be text; put it in quotes', offset);
      } else {
        const steps = inList ? [key] : key.split(KEY_DELIMITER);
        this.#put(entries, steps, this.node(pair.value, inList), this.origin(offset), offset);
      }
    }
    let node: ConfigNode = { kind: 'map', entries, origin };
    // YAML merge keys: what the map says itself wins, and an earlier map of the list wins over a later one.
    for (const base of merged)
      if (base.kind === 'map') node = { kind: 'map', entries: new Map([...base.entries, ...node.entries]), origin };
    return node;
  }

  #put(entries: Map<string, MapEntry>, steps: readonly string[], node: ConfigNode, origin: Origin, offset: number): void {
    const [first = '', ...rest] = steps;
    const nested = rest.length === 0 ? node : this.#nest(rest, node, origin);
    const before = entries.get(first);
    if (before !== undefined && rest.length === 0 && before.split !== true) {
      this.fail(`the key "${first}" is there twice in one map; the first is on line ${before.origin.line}`, offset);
      return;
    }
    const entry: MapEntry = { origin, node: before === undefined ? nested : mergeNodes(before.node, nested), split: rest.length > 0 };
    entries.set(first, entry);
  }

  #nest(steps: readonly string[], node: ConfigNode, origin: Origin): ConfigNode {
    return steps.reduceRight<ConfigNode>(
      (inner, step) => ({ kind: 'map', entries: new Map([[step, { origin, node: inner }]]), origin }),
      node,
    );
  }
}

const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUES: ReadonlySet<string> = new Set(['true', 'True', 'TRUE']);
const FALSES: ReadonlySet<string> = new Set(['false', 'False', 'FALSE']);
const INFINITIES: ReadonlyMap<string, number> = new Map([
  ['.inf', Infinity],
  ['+.inf', Infinity],
  ['-.inf', -Infinity],
]);
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?)?$/u;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/u;

/** A scalar as yaml.v3 decodes it into `any`. */
function scalarValue(node: Scalar): ScalarValue {
  const text = node.source ?? String(node.value ?? '');
  if (node.tag === undefined && node.type === 'PLAIN') return plainScalar(text);
  if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:str') {
    const value: unknown = node.value;
    if (typeof value === 'number') return node.tag.endsWith(':int') ? BigInt(Math.trunc(value)) : value;
    if (typeof value === 'boolean' || typeof value === 'bigint' || value === null) return value;
  }
  return String(node.value ?? text);
}

/** The order of the attempts is yaml.v3's (resolve.go). */
export function plainScalar(text: string): ScalarValue {
  if (NULLS.has(text)) return null;
  if (TRUES.has(text)) return true;
  if (FALSES.has(text)) return false;
  const infinity = INFINITIES.get(text.toLowerCase());
  if (infinity !== undefined) return infinity;
  if (text.toLowerCase() === '.nan') return Number.NaN;
  if (!/^[-+.\d]/u.test(text)) return text;
  if (TIMESTAMP.test(text)) return new Date(text);
  const digits = text.replaceAll('_', '');
  return goInteger(digits) ?? (FLOAT.test(digits) ? Number(digits) : text);
}

const INTEGER = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/u;

/** Go's ParseInt with base 0: 0x, 0b, 0o, and a leading 0 is octal. */
function goInteger(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const size =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : binary !== undefined
        ? BigInt(`0b${binary}`)
        : octal !== undefined
          ? BigInt(`0o${octal}`)
          : BigInt(decimal ?? '0');
  const value = sign === '-' ? -size : size;
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined;
}
