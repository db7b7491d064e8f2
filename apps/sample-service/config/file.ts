/** Reads production.yaml: YAML -> plain tree, `${env:NAME}` expanded, with the line of every key for error messages. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Environment } from './environment.ts';
import { ConfigError } from './problems.ts';

export interface ConfigFile {
  readonly path: string;
  readonly tree: { [key: string]: unknown };
  /** `file:line` of a key, or of the nearest key above it that exists. */
  place(path: readonly PropertyKey[]): string;
}

/** Throws ConfigError when the file cannot be read, is not YAML, is no mapping or names a variable that is not set. */
export function readConfigFile(path: string, env: Environment): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new ConfigError([`${path}: ${reason}; name the configuration with --config or OTLP_CONFIG_FILE`]);
  }
  return parseConfigFile(text, path, env);
}

export function parseConfigFile(text: string, path: string, env: Environment): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => `${path}:${lines.linePos(error.pos[0]).line}: not YAML: ${error.message}`));
  }
  const problems = expand(document, env, (offset) => `${path}:${lines.linePos(offset).line}`);
  if (problems.length > 0) throw new ConfigError(problems);
  const tree: unknown = document.toJS() ?? {};
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    throw new ConfigError([
      `${path}:1: expected a mapping with sections such as 'service:', got ${Array.isArray(tree) ? 'a list' : typeof tree}`,
    ]);
  }
  return { path, tree: tree as { [key: string]: unknown }, place: (keys) => `${path}:${lines.linePos(offsetOf(document, keys)).line}` };
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key)) : undefined;
    if (!pair || !isScalar(pair.key)) break;
    offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

/** `${env:NAME}` and `${env:NAME:-default}` as in the Collector's files; `$$` is a dollar sign. */
function expand(document: Document, env: Environment, place: (offset: number) => string): string[] {
  const problems: string[] = [];
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      node.value = node.value.replace(/\$\$|\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (all, name?: string, fallback?: string) => {
        if (!name) return '$';
        const value = env[name] || fallback;
        if (value !== undefined) return value;
        problems.push(`${place(node.range?.[0] ?? 0)}: ${all} is not set; set ${name}, or give a default: \${env:${name}:-value}`);
        return '';
      });
    },
  });
  return problems;
}
