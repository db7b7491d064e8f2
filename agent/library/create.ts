import type { AgentConfig } from '../config/agent-config.generated.ts';
import { printOrigin, printPath } from '../config/tree.ts';
import { createAgent } from '../runtime/agent.ts';
import type { Log } from '../telemetry/log.ts';
import type { Audit } from './audit.ts';
import { EmbeddedAgent } from './embedded-agent.ts';
import { type Environment, readConfig } from './read-config.ts';
import type { ShortConfig } from './short-form.ts';

/** What surrounds the configuration. */
export interface CreateOptions {
  /** On whose behalf requests are handed over, in the audit. @default 'library' */
  readonly who?: string;
  /** Called when a request that offer() or sendRaw() brought has ended; requests of a socket are not in it. @default none */
  readonly audit?: Audit;
  /** Lifecycle, attempts that fail, losses; a few lines, none for a request. @default silent: stdout is the program's */
  readonly log?: Log;
  /** Variables for `${env:NAME}`. @default process.env */
  readonly environment?: Environment;
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * The agent inside of this program.
 *
 * @param config an object in the Collector's grammar (AgentConfig) or the short form `{ exporter: { endpoint } }`; or YAML: the path of a
 *   file, or a text of several lines
 * @throws ConfigError with every problem of the configuration
 * @throws BindError where a receiver of the configuration cannot have its address
 *
 * @example
 *   const agent = await create({ exporter: { protocol: 'grpc', endpoint: 'http://localhost:4317' } });
 *   const verdict = agent.offer('traces', bytes);
 *   await agent.drain();
 *   await agent.close();
 */
export async function create(config: string | AgentConfig | ShortConfig, options: CreateOptions = {}): Promise<EmbeddedAgent> {
  const { settings, notices } = readConfig(config, options.environment ?? process.env);
  const log = options.log ?? SILENT;
  for (const { path, origin, message } of notices) log.warn('configuration', { at: printOrigin(origin), key: printPath(path), message });
  const agent = await createAgent(settings, { log });
  await agent.start();
  return new EmbeddedAgent(agent, options.who ?? 'library', options.audit, options.log);
}
