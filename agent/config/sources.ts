import { readFileSync } from 'node:fs';
import type { Problem } from './problems.ts';
import type { ConfigNode, MapNode } from './tree.ts';
import { emptyMap, mergeNodes } from './tree.ts';
import { parseYaml } from './yaml.ts';

/** What a configuration is read from: the arguments and the environment. */
export interface ConfigSources {
  /** `--config`, in order; later ones win. Paths, or `file:`, `env:` and `yaml:` URIs. */
  readonly configs: readonly string[];
  /** `--set key=value`, in order, after every --config. @default none */
  readonly sets?: readonly string[];
  /** Variables for `env:` and `${env:NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told of every file and its text, `${file:PATH}` included: those whose change is a new configuration. No text where it cannot be read. */
  readonly onFile?: ((path: string, text: string | undefined) => void) | undefined;
}

export interface Retrieved {
  /** What the YAML of the text is; a text that is no YAML is itself. */
  readonly node: ConfigNode;
  /** The text as it was. */
  readonly text: string;
}

export type Retrieval = Retrieved | { readonly failure: string; readonly problems?: readonly Problem[] };

/** A scheme has at least two letters, so that a drive (`C:`) is a path; as in the Collector. */
const URI = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/su;
const DRIVE = /^[A-Za-z]:/u;
const VARIABLE = /^[a-zA-Z_][a-zA-Z0-9_]*$/u;

/** All sources as one tree; whatever cannot be read or parsed is in `problems`. */
export function readSources(sources: ConfigSources, problems: Problem[]): MapNode {
  let root: ConfigNode = emptyMap({ source: sources.configs[0] ?? 'no --config', line: 0, column: 0 });
  for (const uri of sources.configs) root = mergeNodes(root, readConfig(uri, sources, problems));
  for (const set of sources.sets ?? []) root = mergeNodes(root, readSet(set, problems));
  return root.kind === 'map' ? root : emptyMap(root.origin);
}

function readConfig(uri: string, { environment, onFile }: ConfigSources, problems: Problem[]): ConfigNode {
  const parts = DRIVE.test(uri) ? null : URI.exec(uri);
  const scheme = parts?.[1] ?? 'file';
  const rest = parts?.[2] ?? uri;
  // A text on the command line may hold secrets, so messages do not repeat it.
  const place = { source: scheme === 'file' ? rest : scheme === 'yaml' ? '--config yaml' : `--config ${uri}`, line: 0, column: 0 };
  let text: string;
  if (scheme === 'file') {
    try {
      text = readFileSync(rest, 'utf8');
      onFile?.(rest, text);
    } catch (error) {
      onFile?.(rest, undefined);
      problems.push({ code: 'OTLP_CONFIG_SOURCE', path: [], origin: place, message: fileFailure(error) });
      return emptyMap(place);
    }
  } else if (scheme === 'yaml') {
    text = rest;
  } else if (scheme === 'env') {
    const found = readVariable(rest, environment);
    if ('failure' in found) {
      problems.push({ code: 'OTLP_CONFIG_SOURCE', path: [], origin: place, message: found.failure });
      return emptyMap(place);
    }
    text = found.text ?? '';
  } else {
    problems.push({
      code: 'OTLP_CONFIG_SOURCE',
      path: [],
      origin: place,
      message: `the scheme "${scheme}" of --config ${uri} is not supported; use a path, file:PATH, env:NAME or yaml:TEXT`,
    });
    return emptyMap(place);
  }
  return topLevel(text, place.source, 1, problems);
}

function readSet(set: string, problems: Problem[]): ConfigNode {
  const equals = set.indexOf('=');
  // Without its value, which may be a secret.
  const source = `--set ${equals < 0 ? set : set.slice(0, equals).trim()}`;
  const origin = { source, line: 0, column: 0 };
  if (equals <= 0) {
    problems.push({ code: 'OTLP_CONFIG_SOURCE', path: [], origin, message: 'has no "key=value"; write --set exporters.otlp.timeout=10s' });
    return emptyMap(origin);
  }
  const key = set.slice(0, equals).replaceAll('.', '::').trim();
  return topLevel(`${key}: ${set.slice(equals + 1).trim()}`, source, 0, problems);
}

function topLevel(text: string, source: string, firstLine: number, problems: Problem[]): ConfigNode {
  const result = parseYaml(text, source, firstLine);
  if ('problems' in result) {
    for (const { message, origin } of result.problems) problems.push({ code: 'OTLP_CONFIG_YAML', path: [], origin, message });
    return emptyMap({ source, line: 0, column: 0 });
  }
  const { node } = result;
  if (node.kind === 'scalar' && node.value === null) return emptyMap(node.origin);
  if (node.kind === 'map') return node;
  const kind = node.kind === 'list' ? 'a list' : 'a single value';
  problems.push({
    code: 'OTLP_CONFIG_YAML',
    path: [],
    origin: node.origin,
    message: `the top level is ${kind}, not a map with receivers, exporters and service`,
  });
  return emptyMap(node.origin);
}

/** What `${scheme:rest}` stands for. */
export function retrieve(
  scheme: string,
  rest: string,
  { environment, onFile }: Pick<ConfigSources, 'environment' | 'onFile'>,
  source: string,
): Retrieval & { readonly unset?: string } {
  if (scheme === 'env') {
    const found = readVariable(rest, environment);
    if ('failure' in found) return found;
    return { ...parseValue(found.text ?? '', source), ...(found.text === undefined ? { unset: rest } : {}) };
  }
  if (scheme === 'yaml') return parseValue(rest, source);
  if (scheme === 'file') {
    try {
      const text = readFileSync(rest, 'utf8');
      onFile?.(rest, text);
      return parseValue(text, rest);
    } catch (error) {
      onFile?.(rest, undefined);
      return { failure: `${rest}: ${fileFailure(error)}` };
    }
  }
  const hint = rest.startsWith('-') ? `; a default is written \${env:${scheme}:${rest}}` : '';
  return { failure: `the scheme "${scheme}" is not supported, only env, file and yaml${hint}` };
}

/** The text of a value: its YAML, or itself where that is text or no YAML at all. */
function parseValue(text: string, source: string): Retrieved {
  const result = parseYaml(text, source);
  if ('problems' in result) return { node: { kind: 'scalar', value: text, origin: { source, line: 1, column: 1 } }, text };
  const { node } = result;
  return { node: node.kind === 'scalar' && typeof node.value === 'string' ? { ...node, value: text } : node, text };
}

function readVariable(rest: string, environment: ConfigSources['environment']): { text: string | undefined } | { failure: string } {
  const cut = rest.indexOf(':-');
  const name = cut < 0 ? rest : rest.slice(0, cut);
  if (!VARIABLE.test(name)) return { failure: `"${name}" is no name of an environment variable: letters, digits and _` };
  const value = environment[name];
  return { text: value ?? (cut < 0 ? undefined : rest.slice(cut + 2)) };
}

const FILE_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; give the path of a YAML file',
  EISDIR: 'is a folder; give the path of a YAML file',
  EACCES: 'may not be read by this user; change its mode, or the runAsUser of the pod',
};

function fileFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return FILE_FAILURES[code] ?? `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
