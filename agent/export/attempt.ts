import type { RetrySettings } from '../config/settings.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { Chunk } from '../runtime/chunk.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { ExporterCounters } from '../telemetry/counters.ts';
import type { DeliverySpan } from '../telemetry/own/tracer.ts';
import { Neighbours } from './neighbours.ts';
import type { SendLog } from './send-log.ts';
import type { Throttle } from './throttle.ts';
import type { Encoded, Transport } from './transport.ts';

/** What all deliveries of one line share. */
export interface Sending {
  readonly transport: Transport;
  readonly retry: RetrySettings;
  /** Nothing is retried here and every sender waits for its answer: it is told at once what it has to wait for. */
  readonly relays: boolean;
  readonly throttle: Throttle;
  readonly counters: ExporterCounters;
  /** Fires when the agent has no time left. */
  readonly abort: AbortSignal;
  readonly log: SendLog;
}

/** How a chunk left the exporter: with the next hop's last word, or because the agent had no time left. */
export interface Ending {
  readonly kind: 'told' | 'evicted';
  readonly outcome: Outcome;
}

const EVICTED: Ending = {
  kind: 'evicted',
  outcome: {
    kind: 'retry',
    afterMs: undefined,
    code: GrpcStatus.UNAVAILABLE,
    message: 'the agent was stopped before this could be delivered',
  },
};

const silence = (afterMs: number): Outcome => ({
  kind: 'retry',
  afterMs,
  code: GrpcStatus.UNAVAILABLE,
  message: 'the next hop has asked to wait',
});

/**
 * Sends some chunks as one request until the next hop has said its last word or the time of the retries is over:
 *
 *   pass of the throttle -> send -> ok, reject      told
 *                                -> retry           wait (jittered backoff, or longer where RetryInfo or Retry-After say so), same bytes
 *
 * max_elapsed_time counts from the first attempt; a wait that would end after it is not begun, as upstream's retry sender has it.
 */
export async function attempt(batch: readonly Chunk[], sending: Sending): Promise<Ending> {
  const first = batch[0] as Chunk;
  let charged = 0;
  const charge = (now: number): void => {
    first.charge(now - charged);
    charged = now;
  };
  const { slices, bytes, items, members, plainBytes } = joined(batch);
  let body: Encoded;
  try {
    const encoding = sending.transport.encode(first.signal, slices, bytes, items, members);
    // Compressing needs the joined request beside the result, which is at most about as large.
    if (encoding instanceof Promise) charge(slices.length === 1 ? bytes : 2 * bytes);
    body = encoding instanceof Promise ? await encoding : encoding;
  } catch (error) {
    // Bytes that are well formed as far as they were scanned and no further cannot become JSON: deliver() finds the request they are of.
    charge(0);
    const message = `cannot be encoded for the next hop: ${(error as Error).message}`;
    return { kind: 'told', outcome: { kind: 'reject', code: GrpcStatus.INVALID_ARGUMENT, message } };
  }
  // A body of its own lives beside the chunks until the last attempt, so it is held memory as they are.
  charge(body.slices === slices ? 0 : ownBytes(body, members));
  sending.counters.bodyBytes += plainBytes;
  const span = sending.log.delivery(items, plainBytes, requestsIn(batch));
  const ending = await retried(batch, body, sending, span);
  span?.end(ending.outcome);
  charge(0);
  return ending;
}

async function retried(batch: readonly Chunk[], body: Encoded, sending: Sending, delivery: DeliverySpan | undefined): Promise<Ending> {
  const { transport, retry, relays, throttle, counters, abort, log } = sending;
  if (relays && throttle.paused) return { kind: 'told', outcome: silence(throttle.pauseMs) };
  let backoff: Backoff | undefined;
  let last: Outcome | undefined;
  let giveUpAt = Number.POSITIVE_INFINITY;
  for (;;) {
    if (abort.aborted) return EVICTED;
    const turn = throttle.enter(abort, giveUpAt);
    const pass = typeof turn === 'number' ? turn : await turn;
    if (pass === undefined) return abort.aborted || last === undefined ? EVICTED : { kind: 'told', outcome: last };
    if (last === undefined && retry.maxElapsedMs > 0) giveUpAt = performance.now() + retry.maxElapsedMs;
    counters.wireBytes += body.bytes;
    const span = delivery?.attempt();
    last = await transport.send(body);
    span?.end(last);
    throttle.leave(pass, last);
    counters.failing = last.kind === 'retry' ? last.message : '';
    if (!abort.aborted) log.attempted(last, span?.context);
    if (last.kind === 'retry' || body.stillRead === true) for (const chunk of batch) chunk.taint();
    if (last.kind !== 'retry') return { kind: 'told', outcome: last };
    if (abort.aborted) return EVICTED;
    counters.retries += 1;
    if (last.afterMs !== undefined) counters.throttled += 1;
    if (!retry.enabled) return { kind: 'told', outcome: last };
    backoff ??= new Backoff(retry);
    const wait = Math.max(backoff.next(), last.afterMs ?? 0);
    if (performance.now() + wait > giveUpAt) return { kind: 'told', outcome: last };
    await sleep(wait, abort);
  }
}

interface Joined {
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly items: number;
  /** Chunks that are packed: gzip that goes on as it came. */
  readonly members: readonly Uint8Array[] | undefined;
  /** Of the whole request, after inflating. */
  readonly plainBytes: number;
}

/** The request that the chunks make together: OTLP requests merge by concatenation, in any order, and gzip bodies of them do. */
function joined(batch: readonly Chunk[]): Joined {
  const first = batch[0] as Chunk;
  if (batch.length === 1 && !first.packed)
    return { slices: first.slices, bytes: first.bytes, items: first.items, members: undefined, plainBytes: first.bytes };
  const slices = new Neighbours();
  let members: Uint8Array[] | undefined;
  let bytes = 0;
  let items = 0;
  let plainBytes = 0;
  for (const chunk of batch) {
    if (chunk.packed) {
      members ??= [];
      for (const slice of chunk.slices) members.push(slice);
    } else {
      for (const slice of chunk.slices) slices.add(slice);
      bytes += chunk.bytes;
    }
    items += chunk.items;
    plainBytes += chunk.bytes;
  }
  return { slices: slices.end(), bytes, items, members, plainBytes };
}

function requestsIn(batch: readonly Chunk[]): number {
  let requests = 0;
  for (const chunk of batch) requests += chunk.requests;
  return requests;
}

/** Bytes of a body beside the members that its chunks hold. */
function ownBytes(body: Encoded, members: readonly Uint8Array[] | undefined): number {
  let bytes = body.bytes;
  if (members !== undefined && body.slices[0] === members[0]) for (const member of members) bytes -= member.length;
  return bytes;
}

/** Waits, or less where the agent is being stopped. */
function sleep(ms: number, abort: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(finish, ms);
  abort.addEventListener('abort', finish, { once: true });
  function finish(): void {
    clearTimeout(timer);
    abort.removeEventListener('abort', finish);
    resolve();
  }
  return promise;
}
