import type { SocketAddress } from '../config/settings.ts';
import type { ExporterState } from '../runtime/data-line.ts';
import type { Books } from '../telemetry/books.ts';
import type { MetricDefinition } from '../telemetry/metrics.ts';
import type { OwnItem } from '../telemetry/own/own-line.ts';
import type { Place } from './share.ts';
import type { SharedCells } from './shared-budget.ts';

/** What the main thread and a worker say to each other: one answer for each question, and events that nobody asked for. */

/** `workerData`, by which the program knows that it is a worker. */
export interface WorkerStart extends Place {
  readonly otlpAgentWorker: true;
}

export type Addresses = Readonly<Record<string, SocketAddress>>;

/** Verbs with what they are told and what they answer. */
export interface Verbs {
  /** `settings` by pack(), the worker's share of them. */
  build(told: { readonly settings: unknown; readonly budgets: readonly SharedCells[] }): void;
  /** Binds, and answers where; connections wait. */
  bind(told: undefined): Addresses;
  open(told: undefined): void;
  /** The first half of a reload. Then one of `commit` and `abandon`. */
  prepare(told: { readonly settings: unknown; readonly budgets: readonly SharedCells[] }): Addresses;
  commit(told: { readonly deadlineMs: number }): void;
  abandon(told: undefined): void;
  /** Answers when all is delivered, or `deadline` was said and the rest is counted. */
  drain(told: undefined): Snapshot;
  snapshot(told: undefined): Snapshot;
  pulse(told: undefined): Pulse;
  /** Answers with the last counts, what the closing gave back included; with none where nothing was built. */
  close(told: undefined): Snapshot | undefined;
}

export type Verb = keyof Verbs;

/** Said without an answer. */
export type Notice = 'deadline' | 'hurry' | 'collect';

export interface Question {
  readonly id: number;
  readonly verb: Verb;
  readonly told: unknown;
}

/** From a worker. */
export type Said =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: Failure }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly event: string;
      readonly fields: object | undefined;
    }
  | { readonly kind: 'span'; readonly span: OwnItem };

export interface Failure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  /** Configuration path, where it is one. */
  readonly key: string | undefined;
}

/** A metric with its samples of one moment. */
export type MetricSamples = Omit<MetricDefinition, 'samples'> & {
  readonly samples: readonly { readonly labels: Record<string, string>; readonly value: number }[];
};

/** All that is counted in a worker, at one moment. */
export interface Snapshot {
  readonly books: Books;
  readonly exporters: readonly ExporterState[];
  readonly heldBytes: number;
  readonly metrics: readonly MetricSamples[];
}

/** What shows how traffic is spread. */
export interface Pulse {
  /** Open ones of all receivers. */
  readonly connections: number;
  /** Items received since start. */
  readonly items: number;
}

/** A worker could not do what it was asked; start-up failures keep their code and their configuration key. */
export class WorkerFailure extends Error {
  readonly code: string;
  readonly key: string;

  constructor({ message, stack, code, key }: Failure) {
    super(message);
    this.code = code ?? 'OTLP_CRASH';
    this.key = key ?? 'agent.workers';
    if (stack !== undefined) this.stack = stack;
  }

  /** Of what people wrote or of the machine, not of the code. */
  static isStartFailure(error: unknown): error is WorkerFailure {
    return error instanceof WorkerFailure && error.code !== 'OTLP_CRASH';
  }
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, code: undefined, key: undefined };
  const { code, key } = error as { code?: unknown; key?: unknown };
  return {
    message: error.message,
    stack: error.stack,
    code: typeof code === 'string' ? code : undefined,
    key: typeof key === 'string' ? key : undefined,
  };
}
