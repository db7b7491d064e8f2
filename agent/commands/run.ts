import type { LoadedConfig } from '../config/load.ts';
import { load } from '../config/load.ts';
import { findPath, printOrigin, printPath } from '../config/tree.ts';
import { BindError } from '../receive/listen.ts';
import { createAgent } from '../runtime/agent.ts';
import { createLog } from '../telemetry/log.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';

/**
 * Runs the agent until `stop`, then drains it.
 *
 * @param stop aborted at SIGTERM or SIGINT
 * @throws ConfigError before any port is bound
 */
export async function run(args: ConfigArguments, io: Io, stop: AbortSignal): Promise<ExitCode> {
  const loaded = load({ configs: args.config, sets: args.set, environment: io.environment });
  const { settings, notices } = loaded;
  const log = createLog(settings.telemetry.logs);
  for (const { path, origin, message } of notices) log.warn('configuration', { at: printOrigin(origin), key: printPath(path), message });
  // What the process needs for itself, as the limits that people set are those of the whole process.
  const agent = await createAgent(settings, { log, baselineBytes: process.memoryUsage.rss() });
  try {
    await agent.start();
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    io.err(`${bindMessage(error, loaded)}\n`);
    return EXIT.FAILED;
  }
  await aborted(stop);
  await agent.drain();
  await agent.close();
  return EXIT.OK;
}

/** The message with file and line of the key that asked for the address. */
function bindMessage(error: BindError, { root }: LoadedConfig): string {
  const origin = findPath(root, error.key);
  return `${origin === undefined ? '' : `${printOrigin(origin)}: `}${error.message} [${error.code}]`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
