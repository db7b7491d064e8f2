import type { RetrySettings } from '../config/settings.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { Chunk } from '../runtime/chunk.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import type { ExporterCounters } from '../telemetry/counters.ts';
import type { SendLog } from './send-log.ts';
import type { Encoded, Transport } from './transport.ts';

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

/**
 * Delivers one batch, whatever it takes within the retry settings, and ends every chunk of it exactly once. One promise per batch.
 *
 *   send -> ok                        all sent, less what partial_success rejected (never sent again: spec, "Partial Success")
 *        -> retry                     wait (RetryInfo or jittered backoff), send the same bytes again, until max_elapsed_time
 *        -> reject, one chunk         failed for good
 *        -> reject, several chunks    one of them is poison: send each original alone, so that it fails alone
 */
export async function deliver(
  batch: readonly Chunk[],
  transport: Transport,
  retry: RetrySettings,
  counters: ExporterCounters,
  abort: AbortSignal,
  log: SendLog,
  end: (chunk: Chunk, ending: Ending) => void,
): Promise<void> {
  const ending = await attempt(batch, transport, retry, counters, abort, log);
  if (ending.outcome.kind === 'reject' && batch.length > 1) {
    for (const chunk of batch) end(chunk, await attempt([chunk], transport, retry, counters, abort, log));
    return;
  }
  if (ending.outcome.kind !== 'ok' || ending.outcome.rejected === 0) {
    for (const chunk of batch) end(chunk, ending);
    return;
  }
  // Nobody can say which of the merged requests the rejected items came from: they are counted against the first that has room.
  let rejected = ending.outcome.rejected;
  for (const chunk of batch) {
    const mine = Math.min(rejected, chunk.items);
    rejected -= mine;
    end(chunk, { kind: 'told', outcome: mine === 0 ? OK : { kind: 'ok', rejected: mine, message: ending.outcome.message } });
  }
}

async function attempt(
  batch: readonly Chunk[],
  transport: Transport,
  retry: RetrySettings,
  counters: ExporterCounters,
  abort: AbortSignal,
  log: SendLog,
): Promise<Ending> {
  const body = await encode(batch, transport);
  counters.bodyBytes += batch.reduce((sum, chunk) => sum + chunk.bytes, 0);
  const startedAt = performance.now();
  let backoff: Backoff | undefined;
  for (;;) {
    if (abort.aborted) return EVICTED;
    counters.wireBytes += body.bytes;
    const outcome = await transport.send(body);
    if (!abort.aborted) log.attempted(outcome);
    if (outcome.kind !== 'retry') return { kind: 'told', outcome };
    if (abort.aborted) return EVICTED;
    counters.retries += 1;
    if (!retry.enabled) return { kind: 'told', outcome };
    backoff ??= new Backoff(retry);
    const wait = Math.max(backoff.next(), outcome.afterMs ?? 0);
    if (retry.maxElapsedMs > 0 && performance.now() - startedAt + wait > retry.maxElapsedMs) return { kind: 'told', outcome };
    await sleep(wait, abort);
  }
}

function encode(batch: readonly Chunk[], transport: Transport): Encoded | Promise<Encoded> {
  const first = batch[0] as Chunk;
  if (batch.length === 1) return transport.encode(first.signal, first.slices, first.bytes, first.items);
  const slices: Uint8Array[] = [];
  let bytes = 0;
  let items = 0;
  for (const chunk of batch) {
    for (const slice of chunk.slices) slices.push(slice);
    bytes += chunk.bytes;
    items += chunk.items;
  }
  return transport.encode(first.signal, slices, bytes, items);
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
