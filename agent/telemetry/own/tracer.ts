import { randomBytes } from 'node:crypto';
import { grpcStatusName } from '../../runtime/grpc-status.ts';
import type { Outcome } from '../../runtime/outcome.ts';
import { attributes, type OwnItem } from './own-line.ts';

const INTERNAL = 1;
const CLIENT = 3;
const ERROR = 2;

/** What a log line carries, so that it is found beside its span. */
export interface TraceContext {
  readonly trace_id: string;
  readonly span_id: string;
}

export interface DeliveryFacts {
  readonly exporter: string;
  readonly signal: string;
  readonly items: number;
  readonly bytes: number;
  /** Requests that were merged. */
  readonly requests: number;
}

/**
 * Spans of the agent itself: one for each delivery that is sampled, one below it for each attempt. What is not sampled costs one random
 * number for each batch.
 */
export class Tracer {
  readonly #ratio: number;
  readonly #record: (span: OwnItem) => void;

  constructor(ratio: number, record: (span: OwnItem) => void) {
    this.#ratio = ratio;
    this.#record = record;
  }

  /** Takes a span that a worker made. */
  take(span: OwnItem): void {
    this.#record(span);
  }

  /** Undefined where this one is not sampled. */
  delivery(facts: DeliveryFacts): DeliverySpan | undefined {
    return Math.random() < this.#ratio ? new DeliverySpan(facts, this.#record) : undefined;
  }
}

class Span {
  readonly context: TraceContext;
  readonly #name: string;
  readonly #kind: number;
  readonly #parent: string | undefined;
  readonly #facts: Readonly<Record<string, unknown>>;
  readonly #startedAt = now();
  readonly #record: (span: OwnItem) => void;

  constructor(
    name: string,
    kind: number,
    traceId: string,
    parent: string | undefined,
    facts: Readonly<Record<string, unknown>>,
    record: (span: OwnItem) => void,
  ) {
    this.context = { trace_id: traceId, span_id: randomBytes(8).toString('hex') };
    this.#name = name;
    this.#kind = kind;
    this.#parent = parent;
    this.#facts = facts;
    this.#record = record;
  }

  /** Ends once, with how it went. */
  end(outcome: Outcome, more: Readonly<Record<string, unknown>> = {}): void {
    const failed = outcome.kind !== 'ok';
    this.#record({
      traceId: this.context.trace_id,
      spanId: this.context.span_id,
      ...(this.#parent === undefined ? {} : { parentSpanId: this.#parent }),
      name: this.#name,
      kind: this.#kind,
      startTimeUnixNano: this.#startedAt,
      endTimeUnixNano: now(),
      attributes: attributes({
        ...this.#facts,
        ...more,
        'otlp.outcome': outcome.kind,
        'otlp.rejected_items': outcome.kind === 'ok' && outcome.rejected > 0 ? outcome.rejected : undefined,
        'rpc.response.status_code': failed ? grpcStatusName(outcome.code) : undefined,
      }),
      status: failed ? { code: ERROR, message: outcome.message } : {},
    });
  }
}

/** A batch on its way, with all its attempts. */
export class DeliverySpan extends Span {
  readonly #ofAttempts: (number: number) => Span;
  #attempts = 0;

  constructor({ exporter, signal, items, bytes, requests }: DeliveryFacts, record: (span: OwnItem) => void) {
    const traceId = randomBytes(16).toString('hex');
    const facts = { 'otlp.exporter': exporter, 'otlp.signal': signal, 'otlp.items': items, 'otlp.bytes': bytes, 'otlp.requests': requests };
    super(`export ${exporter}`, INTERNAL, traceId, undefined, facts, record);
    this.#ofAttempts = (number) =>
      new Span(`attempt ${exporter}`, CLIENT, traceId, this.context.span_id, { 'otlp.exporter': exporter, 'otlp.attempt': number }, record);
  }

  attempt(): Span {
    this.#attempts += 1;
    return this.#ofAttempts(this.#attempts);
  }

  override end(outcome: Outcome): void {
    super.end(outcome, { 'otlp.attempts': this.#attempts });
  }
}

/** Nanoseconds since 1970 as text: more than a number holds. */
function now(): string {
  return String(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n);
}
