/** File, `OTLP__SECTION__KEY` and `OTEL_*` become Settings; everything that is wrong is listed at once, each with its place. */
import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { DEFAULT_CONFIG_FILE, SERVICE_CONFIG_KEYS, type ServiceConfig, serviceConfigSchema } from '../config.ts';
import { type Entry, type Environment, overrides, standard } from './environment.ts';
import { type ConfigFile, parseConfigFile, readConfigFile } from './file.ts';
import { ConfigError, hint } from './problems.ts';
import { enabled, portWarning, resourceAttributes, type Settings, signalSettings } from './settings.ts';

export interface LoadOptions {
  /** From `--config`. A path that was named must exist; only the default path may be absent. */
  readonly path?: string | undefined;
  readonly env: Environment;
  /** `service.version` of the resource. */
  readonly version: string;
}

/** Throws ConfigError. */
export function loadSettings({ path, env, version }: LoadOptions): Settings {
  const named = path ?? (env.OTLP_CONFIG_FILE || undefined);
  const file = named || existsSync(DEFAULT_CONFIG_FILE) ? readConfigFile(named ?? DEFAULT_CONFIG_FILE, env) : undefined;
  return settingsFrom(file, env, version);
}

/** The settings that a text of production.yaml gives; the file itself need not exist. */
export function settingsFromText(text: string, env: Environment = {}, name = 'production.yaml'): Settings {
  return settingsFrom(parseConfigFile(text, name, env), env, '0.0.0');
}

function settingsFrom(file: ConfigFile | undefined, env: Environment, version: string): Settings {
  const problems: string[] = [];
  const layers = [overrides(env, problems), standard(env, problems)] as const;
  const entries = layers.flat();
  const merged = merge(file?.tree ?? {}, entries);
  const parsed = serviceConfigSchema.safeParse(merged);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => describe(issue, merged, file, entries)));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const config = parsed.data;
  const settings = decide(config, file, layers, { env, version, entries, problems });
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

interface Context {
  readonly env: Environment;
  readonly version: string;
  readonly entries: readonly Entry[];
  readonly problems: string[];
}

function decide(config: ServiceConfig, file: ConfigFile | undefined, layers: readonly (readonly Entry[])[], context: Context): Settings {
  const { env, version, problems } = context;
  const defaults = (['name', 'environment', 'instance_id'] as const).map((key) => ({
    path: ['service', key],
    value: config.service[key],
    source: 'default',
  }));
  const resource = resourceAttributes([defaults, fileEntries(file), ...layers]);
  const traces = enabled('OTEL_TRACES_EXPORTER', env, problems) ? signalSettings('traces', config, env, problems) : undefined;
  const metrics = enabled('OTEL_METRICS_EXPORTER', env, problems) ? signalSettings('metrics', config, env, problems) : undefined;
  const logs = config.logs.export ? signalSettings('logs', config, env, problems) : undefined;
  const port = ['service', 'port'];
  return {
    configFile: file?.path,
    service: {
      name: String(resource['service.name']),
      environment: String(resource['deployment.environment.name']),
      instanceId: String(resource['service.instance.id']),
    },
    resource: { 'service.version': version, ...resource },
    host: config.server.host,
    port: config.service.port,
    portSource: sourceOf(port, context.entries) ?? (file && valueAt(file.tree, port) !== undefined ? file.place(port) : 'the default'),
    shutdownMs: config.server.shutdown,
    traces,
    metrics: metrics && { ...metrics, intervalMs: config.metrics.interval },
    logs,
    logLevel: config.logs.level,
    batch: {
      queueSize: config.batch.queue_size,
      exportSize: config.batch.export_size,
      delayMs: config.batch.delay,
      concurrency: config.batch.concurrency,
    },
    warnings: Object.entries({ traces, metrics, logs }).flatMap(([signal, value]) => {
      const warning = value && portWarning(signal as 'traces', value);
      return warning ? [warning] : [];
    }),
  };
}

type Tree = { [key: string]: unknown };

/** The file's tree with the entries over it, weakest first. A section of the wrong type is left for the schema to refuse. */
function merge(tree: Tree, entries: readonly Entry[]): Tree {
  const result = structuredClone(tree);
  for (const { path, value } of entries) {
    let at: unknown = result;
    for (const key of path.slice(0, -1)) {
      if (!isTree(at)) break;
      at[key] ??= {};
      at = at[key];
    }
    if (isTree(at)) at[path.at(-1) as string] = value;
  }
  return result;
}

/** What the file says about the resource, as entries, so that all layers look alike. */
function fileEntries(file: ConfigFile | undefined): Entry[] {
  if (!file) return [];
  const section = (path: string[]): Entry[] => {
    const value = valueAt(file.tree, path);
    return isTree(value)
      ? Object.entries(value).map(([key, item]) => ({ path: [...path, key], value: item, source: file.place([...path, key]) }))
      : [];
  };
  return [...section(['service']), ...section(['resource', 'attributes'])];
}

function describe(issue: z.core.$ZodIssue, merged: Tree, file: ConfigFile | undefined, entries: readonly Entry[]): string[] {
  const path = issue.path.map(String);
  const at = (keys: readonly string[]): string => sourceOf(keys, entries) ?? file?.place(keys) ?? 'the configuration';
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 ? Object.keys(SERVICE_CONFIG_KEYS) : (SERVICE_CONFIG_KEYS[path.join('.')] ?? []);
    return issue.keys.map((key) => `${at([...path, key])}: unknown key '${[...path, key].join('.')}'; ${hint(key, known)}`);
  }
  const value = JSON.stringify(valueAt(merged, path));
  const wanted = issue.code === 'invalid_union' ? 'expected text, a number or a boolean' : issue.message.replace('Invalid input: ', '');
  return [`${at(path)}: ${path.join('.')} is ${value ?? 'missing'}: ${wanted}`];
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(tree: Tree, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), tree);
}

function sourceOf(path: readonly string[], entries: readonly Entry[]): string | undefined {
  return entries.findLast((entry) => entry.path.join('\n') === path.join('\n'))?.source;
}
