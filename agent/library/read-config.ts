import type { AgentConfig } from '../config/agent-config.generated.ts';
import { type LoadedConfig, load } from '../config/load.ts';
import { ConfigError } from '../config/problems.ts';
import { nodeAt, type PathStep } from '../config/tree.ts';
import { LIBRARY_RECEIVER } from '../receive/library-config.ts';
import { OBJECT_SOURCE, yamlOf } from './config-text.ts';
import { isShort, longForm, type ShortConfig, shortPath } from './short-form.ts';

/** Variables for `${env:NAME}`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads what create() was given. A text with a line break is YAML, one without is a path or what `--config` takes (`env:NAME`,
 * `yaml:TEXT`).
 *
 * Two things are not as in the program, as both would open ports in somebody else's process: no metrics server runs unless
 * `service.telemetry.metrics` is written, and a pipeline of an object may leave `receivers` out.
 *
 * @throws ConfigError with every problem found
 */
export function readConfig(config: string | AgentConfig | ShortConfig, environment: Environment): LoadedConfig {
  const loaded = typeof config === 'string' ? readText(config, environment) : readObject(config, environment);
  const { settings, root } = loaded;
  // Here is the program that the receiver waits for.
  const notices = loaded.notices.filter(({ path: [section, id] }) => !(section === 'receivers' && typeOf(id) === LIBRARY_RECEIVER));
  if (nodeAt(root, ['service', 'telemetry', 'metrics']) !== undefined) return { ...loaded, notices };
  const { metrics: _none, ...telemetry } = settings.telemetry;
  return { ...loaded, settings: { ...settings, telemetry }, notices };
}

function readText(text: string, environment: Environment): LoadedConfig {
  const bare = text.includes('\n') && !text.startsWith('yaml:');
  return load({ configs: [bare ? `yaml:${text}` : text], environment });
}

function readObject(config: AgentConfig | ShortConfig, environment: Environment): LoadedConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    const message = 'wants an object, a path or YAML of several lines';
    throw new ConfigError([{ code: 'OTLP_CONFIG_TYPE', path: [], origin: { source: OBJECT_SOURCE, line: 0, column: 0 }, message }]);
  }
  const short = isShort(config);
  const long = withLibrary(short ? longForm(config) : config);
  try {
    return load({ configs: [`yaml:${yamlOf(long)}`], environment });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The line is one that nobody has written; the path says where.
    const origin = { source: OBJECT_SOURCE, line: 0, column: 0 };
    throw new ConfigError(error.problems.map((problem) => ({ ...problem, origin, path: short ? shortPath(problem.path) : problem.path })));
  }
}

/** Pipelines that name no receiver get the built-in one. */
function withLibrary(config: AgentConfig): AgentConfig {
  const pipelines = config.service?.pipelines;
  if (typeof pipelines !== 'object' || pipelines === null) return config;
  const completed = Object.fromEntries(
    Object.entries(pipelines).map(([id, pipeline]) => {
      const open = typeof pipeline === 'object' && pipeline !== null && pipeline.receivers === undefined;
      return [id, open ? { ...pipeline, receivers: [LIBRARY_RECEIVER] } : pipeline];
    }),
  );
  const uses = Object.values(completed).some((pipeline) => usesLibrary(pipeline?.receivers));
  return {
    ...config,
    receivers: uses ? { [LIBRARY_RECEIVER]: {}, ...config.receivers } : config.receivers,
    service: { ...config.service, pipelines: completed },
  };
}

function typeOf(id: PathStep | undefined): string | undefined {
  return typeof id === 'string' ? id.split('/', 1)[0]?.trim() : undefined;
}

function usesLibrary(receivers: unknown): boolean {
  return Array.isArray(receivers) && receivers.includes(LIBRARY_RECEIVER);
}
