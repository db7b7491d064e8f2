/**
 * The agent as a library: `create()` for a program that sends (docs/how-to/embed.md). `createAgent(loadConfig(...).settings)` is what the
 * program otlp-agent itself is made of.
 */
export { REFUSALS, type Refusal, type RefusalKind, refusalText } from './admit/errors.ts';
export type * from './config/agent-config.generated.ts';
export { type LoadedConfig, type LoadOptions, load as loadConfig } from './config/load.ts';
export { ConfigError, type Notice, type Problem, printProblem } from './config/problems.ts';
export type * from './config/settings.ts';
export { SIGNALS } from './config/settings.ts';
export type { Audit, AuditOutcome, AuditRecord } from './library/audit.ts';
export { type CreateOptions, create } from './library/create.ts';
export type { EmbeddedAgent, OfferOptions, Stats } from './library/embedded-agent.ts';
export type { Environment } from './library/read-config.ts';
export type { ShortConfig, ShortGrpc, ShortHttp } from './library/short-form.ts';
export type { Refused, Verdict } from './library/verdict.ts';
export { BindError, formatAddress } from './receive/listen.ts';
export { Agent, type AgentOptions, createAgent, type QueueState } from './runtime/agent.ts';
export { weighBodiesWithHeap } from './runtime/heap.ts';
export type { OkOutcome, Outcome, RejectOutcome, RetryOutcome } from './runtime/outcome.ts';
export { VERSION } from './runtime/version.ts';
export { type Books, type ExporterBook, imbalances, type ReceiverBook } from './telemetry/books.ts';
export type { Log } from './telemetry/log.ts';
