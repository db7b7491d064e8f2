import type { LoadedConfig } from '../config/load.ts';
import { load } from '../config/load.ts';
import { ConfigError } from '../config/problems.ts';
import type { AgentSettings } from '../config/settings.ts';
import { findPath, printOrigin, printPath } from '../config/tree.ts';
import { OutputFileError } from '../export/output-file.ts';
import { DetectionError } from '../process/detect/detection.ts';
import { BindError } from '../receive/listen.ts';
import { type Agent, createAgent } from '../runtime/agent.ts';
import { FileWatch } from '../runtime/file-watch.ts';
import { fingerprint } from '../runtime/fingerprint.ts';
import { trimHeap } from '../runtime/heap.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { WorkerFailure } from '../workers/protocol.ts';
import { describeListeners, describePath, describeTarget } from './describe.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';
import type { ReloadRequests } from './reload-requests.ts';

/** Ready first: who waits for it has waited long enough. */
const TRIM_AFTER_MS = 1000;

/**
 * Runs the agent until `stop`, then drains it.
 *
 * @param stop aborted at SIGTERM or SIGINT
 * @throws ConfigError before any port is bound
 */
export async function run(args: ConfigArguments, io: Io, stop: AbortSignal, reloads: ReloadRequests): Promise<ExitCode> {
  const loaded = load({ configs: args.config, sets: args.set, environment: io.environment });
  const { settings, notices } = loaded;
  io.serves?.();
  const log = createLog(settings.telemetry.logs);
  sayNotices(notices, log);
  // What the process needs for itself, as the limits that people set are those of the whole process.
  const baselineBytes = process.memoryUsage.rss();
  let agent: Agent;
  try {
    agent = await createAgent(settings, {
      log,
      baselineBytes,
      ownsProcess: true,
      ...(io.workerEntry === undefined ? {} : { workerEntry: io.workerEntry }),
    });
    await agent.start();
  } catch (error) {
    if (!isStartFailure(error)) throw error;
    io.err(`${bindMessage(error, loaded)}\n`);
    return EXIT.FAILED;
  }
  sayTightLimits(settings, agent.baselineBytes, log);
  sayLine(agent, log);
  const watch = new FileWatch(loaded.files, settings.agent.reloadIntervalMs, () => reloads.request());
  reloads.serve(() => reload(args, io, agent, watch, log));
  const trimming = setTimeout(trimHeap, TRIM_AFTER_MS).unref();
  await aborted(stop);
  clearTimeout(trimming);
  watch.close();
  await agent.drain();
  await agent.close();
  return EXIT.OK;
}

/** Validated first: a configuration that is wrong, or whose addresses cannot be had, changes nothing but a counter and a log line. */
async function reload(args: ConfigArguments, io: Io, agent: Agent, watch: FileWatch, log: Log): Promise<void> {
  const files = new Map<string, string | undefined>();
  try {
    const onFile = (path: string, text: string | undefined): void => void files.set(path, text);
    const { settings, notices } = load({ configs: args.config, sets: args.set, environment: io.environment, onFile });
    sayNotices(notices, log);
    if (ofItself(settings) !== ofItself(agent.settings))
      log.warn('configuration', { key: 'service.telemetry', message: 'a change of logs and traces takes effect with the next start' });
    if (settings.agent.workers !== agent.settings.agent.workers)
      log.warn('configuration', { key: 'agent.workers', message: 'a change of the number of workers takes effect with the next start' });
    await agent.reload(settings);
    sayLine(agent, log);
    watch.every(settings.agent.reloadIntervalMs);
  } catch (error) {
    // What agent.reload() rejects with it has counted and said itself.
    if (error instanceof ConfigError) agent.reloadFailed(error.message);
  } finally {
    // Of the failed one too: its correction is a change of the same files.
    watch.look(files);
  }
}

function ofItself({ telemetry: { logs, ownLogs, traces } }: AgentSettings): string {
  return fingerprint(logs, ownLogs, traces);
}

/** A limit that the process itself nearly fills: it works, with a quarter of the limit for requests, and refuses much. */
function sayTightLimits({ processors }: AgentSettings, baselineBytes: number, log: Log): void {
  const mib = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  for (const own of Object.values(processors)) {
    if (own.kind !== 'memory_limiter' || own.limitBytes - own.spikeBytes > baselineBytes) continue;
    const message = `the limit of ${mib(own.limitBytes)} MiB is near the ${mib(baselineBytes)} MiB that the process needs for itself: requests get a quarter of it; set at least ${mib(2 * baselineBytes)}`;
    log.warn('configuration', { key: `processors.${own.id}.limit_mib`, message });
  }
}

/** One line for each listener, pipeline and exporter. */
function sayLine({ settings, addresses }: Agent, log: Log): void {
  for (const listener of describeListeners(settings, addresses)) log.info('listener', { listener });
  for (const pipeline of settings.pipelines) log.info('pipeline', { pipeline: pipeline.id, path: describePath(pipeline) });
  for (const [id, exporter] of Object.entries(settings.exporters)) {
    const pipeline = settings.pipelines.find(({ exporters }) => exporters.includes(id));
    if (pipeline !== undefined) log.info('exporter', { exporter: id, to: describeTarget(exporter, pipeline) });
  }
}

function sayNotices(notices: LoadedConfig['notices'], log: Log): void {
  for (const { path, origin, message } of notices) log.warn('configuration', { at: printOrigin(origin), key: printPath(path), message });
}

type StartFailure = BindError | OutputFileError | DetectionError | WorkerFailure;

function isStartFailure(error: unknown): error is StartFailure {
  return (
    error instanceof BindError || error instanceof OutputFileError || error instanceof DetectionError || WorkerFailure.isStartFailure(error)
  );
}

/** The message with file and line of the key that asked for the address. */
function bindMessage(error: StartFailure, { root }: LoadedConfig): string {
  const origin = findPath(root, error.key);
  return `${origin === undefined ? '' : `${printOrigin(origin)}: `}${error.message} [${error.code}]`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
