/**
 * The agent as a library: `loadConfig({ configs: ['agent.yaml'], environment })`, `createAgent(settings)`, then `start()`, `drain()`,
 * `close()`; `offer()` hands over requests without a socket.
 */
export { REFUSALS, type Refusal, type RefusalKind, refusalText } from './admit/errors.ts';
export { type LoadedConfig, type LoadOptions, load as loadConfig } from './config/load.ts';
export { ConfigError, type Notice, type Problem, printProblem } from './config/problems.ts';
export type * from './config/settings.ts';
export { SIGNALS } from './config/settings.ts';
export { BindError, formatAddress } from './receive/listen.ts';
export { Agent, type AgentOptions, createAgent } from './runtime/agent.ts';
export { weighBodiesWithHeap } from './runtime/heap.ts';
export type { OkOutcome, Outcome, RejectOutcome, RetryOutcome } from './runtime/outcome.ts';
export { VERSION } from './runtime/version.ts';
export { type Books, type ExporterBook, imbalances, type ReceiverBook } from './telemetry/books.ts';
export type { Log } from './telemetry/log.ts';
