import { type Document, isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import type { Place } from '../finding';
import { formatPath, type Path } from './json';

/** Why a text is not YAML. */
export interface YamlProblem {
  /** 1-based, in the text. */
  readonly line: number;
  readonly problem: string;
}

/** A value that remembers where each part of it was written. */
export class Tree {
  readonly value: unknown;
  private readonly file: string;
  private readonly object: string;
  private readonly prefix: Path;
  private readonly lineOf: (path: Path) => number;

  constructor(value: unknown, file: string, object: string, prefix: Path, lineOf: (path: Path) => number) {
    this.value = value;
    this.file = file;
    this.object = object;
    this.prefix = prefix;
    this.lineOf = lineOf;
  }

  place(path: Path): Place {
    return { file: this.file, line: this.lineOf(path), object: this.object, path: formatPath([...this.prefix, ...path]) };
  }
}

/** One YAML document: its value, and the line of every part. */
export class YamlDocument {
  readonly value: unknown;
  private readonly document: Document;
  private readonly counter: LineCounter;

  constructor(document: Document, counter: LineCounter) {
    this.document = document;
    this.counter = counter;
    this.value = document.toJS();
  }

  /** The line where the path begins; where it leads nowhere, that of the nearest part that exists. 1-based. */
  lineOf(path: Path): number {
    return this.counter.linePos(this.find(path).offset).line;
  }

  /**
   * The line in this document of a line of a text that stands at the path: exact for a literal block, whose lines are lines of the file;
   * for other spellings the line where the text begins.
   */
  lineInText(path: Path, line: number): number {
    const { node } = this.find(path);
    const start = this.lineOf(path);
    return isScalar(node) && node.type === 'BLOCK_LITERAL' ? start + line : start;
  }

  private find(path: Path): { offset: number; node: unknown } {
    let node: unknown = this.document.contents;
    let offset = (node as Node | null)?.range?.[0] ?? 0;
    for (const segment of path) {
      if (isAlias(node)) node = node.resolve(this.document);
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
        if (pair === undefined) break;
        offset = (pair.key as Node).range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        const item = node.items[Number(segment)] as Node | undefined;
        if (item === undefined) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      } else break;
    }
    return { offset, node };
  }
}

/** The documents of a YAML (or JSON) text, or why it is none. */
export function parseYaml(text: string): { documents: YamlDocument[]; problems: YamlProblem[] } {
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: counter, merge: true, prettyErrors: false });
  // An empty stream comes without the array's methods of a document list.
  const list = Array.isArray(parsed) ? (parsed as Document[]) : [];
  const problems = list.flatMap((document) =>
    [...document.errors.map(({ pos, message }) => ({ at: pos[0], message })), ...oddKeys(document)].map(({ at, message }) => ({
      line: counter.linePos(at).line,
      problem: message,
    })),
  );
  if (problems.length > 0) return { documents: [], problems };
  try {
    return { documents: list.map((document) => new YamlDocument(document, counter)), problems };
  } catch (error) {
    // An alias of nothing, or so many of one anchor that the value would not fit into memory.
    return { documents: [], problems: [{ line: 1, problem: error instanceof Error ? error.message : String(error) }] };
  }
}

/** `kind: {{ .Values.kind }}` is YAML of a kind that no manifest means: a map whose key is a map. */
function oddKeys(document: Document): { at: number; message: string }[] {
  const found: { at: number; message: string }[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isCollection(key)) found.push({ at: key.range?.[0] ?? 0, message: 'a key that is a map or a list' });
    },
  });
  return found;
}
