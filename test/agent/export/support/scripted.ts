import { Budget, Grant } from '../../../../agent/admit/budget.ts';
import type { RetrySettings } from '../../../../agent/config/settings.ts';
import type { Sending } from '../../../../agent/export/attempt.ts';
import { SendLog } from '../../../../agent/export/send-log.ts';
import { Throttle } from '../../../../agent/export/throttle.ts';
import type { Encoded, Transport } from '../../../../agent/export/transport.ts';
import { Chunk } from '../../../../agent/runtime/chunk.ts';
import type { Outcome } from '../../../../agent/runtime/outcome.ts';
import { Receipt } from '../../../../agent/runtime/receipt.ts';
import { ExporterCounters } from '../../../../agent/telemetry/counters.ts';
import { type LogLine, recordingLog } from '../../kit/agent.ts';
import { RETRY } from '../../kit/settings.ts';

/** The next hop for tests with a clock of their own: sockets need the real one. One byte of a body stands for one chunk. */
export interface Attempt {
  /** Which chunks the request held, by the byte of each. */
  readonly chunks: readonly number[];
  readonly at: number;
}

export const retryLater = (afterMs?: number): Outcome => ({ kind: 'retry', afterMs, code: 14, message: 'later' });
export const reject = (code = 3): Outcome => ({ kind: 'reject', code, message: 'bad' });
export const ok = (rejected = 0): Outcome => ({ kind: 'ok', rejected, message: rejected === 0 ? '' : 'some are bad' });

export interface Scripted {
  readonly sending: Sending;
  readonly attempts: Attempt[];
  readonly lines: LogLine[];
  readonly budget: Budget;
  readonly stop: AbortController;
  /** Bytes in the budget when each attempt began. */
  readonly held: number[];
  chunk(id: number, items?: number): Chunk;
}

export interface ScriptOptions {
  readonly retry?: Partial<RetrySettings>;
  readonly concurrency?: number;
  readonly random?: () => number;
  /** Bytes of a body that the transport makes anew, as compressing does. */
  readonly encodedBytes?: number;
  readonly onOpen?: () => void;
  /** Requests with this chunk cannot be encoded. */
  readonly unencodable?: number;
}

export function scripted(answer: (attempt: Attempt, n: number) => Outcome | Promise<Outcome>, options: ScriptOptions = {}): Scripted {
  const attempts: Attempt[] = [];
  const held: number[] = [];
  const lines: LogLine[] = [];
  const budget = new Budget('test', Number.POSITIVE_INFINITY, 0);
  const stop = new AbortController();
  const chunksOf = new WeakMap<Encoded, readonly number[]>();
  const transport: Transport = {
    labels: {},
    encode(signal, slices, bytes, items) {
      const encoded = (own: readonly Uint8Array[], size: number): Encoded => {
        const body: Encoded = { signal, slices: own, bytes: size, items, encoding: own === slices ? 'identity' : 'gzip' };
        chunksOf.set(
          body,
          slices.map((slice) => slice[0] as number),
        );
        return body;
      };
      const { encodedBytes, unencodable } = options;
      if (slices.some((slice) => slice[0] === unencodable)) {
        if (encodedBytes === undefined) throw new Error('no JSON of this');
        return Promise.reject(new Error('no JSON of this'));
      }
      if (encodedBytes === undefined) return encoded(slices, bytes);
      return Promise.resolve().then(() => encoded([new Uint8Array(encodedBytes)], encodedBytes));
    },
    async send(body) {
      const attempt: Attempt = { chunks: chunksOf.get(body) ?? [], at: performance.now() };
      attempts.push(attempt);
      held.push(budget.used);
      return await answer(attempt, attempts.length);
    },
    close: () => Promise.resolve(),
  };
  const sending: Sending = {
    transport,
    retry: { ...RETRY, ...options.retry },
    relays: false,
    throttle: new Throttle(options.concurrency ?? 10, options.onOpen ?? ((): void => undefined), options.random),
    counters: new ExporterCounters('test', 'traces', {}, true),
    abort: stop.signal,
    log: new SendLog(recordingLog(lines), 'test', 'traces'),
  };
  const chunk = (id: number, items = 1): Chunk => {
    const grant = new Grant([budget]);
    grant.resize(1);
    return new Chunk('traces', [Uint8Array.of(id)], 1, items, performance.now(), new Receipt(1, () => undefined), grant);
  };
  return { sending, attempts, lines, budget, stop, held, chunk };
}
