/**
 * The load, a process of its own: so many spans over a few connections, each sending its next request as soon as the last one is
 * answered. Retries what OTLP says may be retried.
 */
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import type { LoadMessage, LoadOptions, LoadResult } from './messages.ts';
import { LoadRequest, newRun } from './spans.ts';

const PROGRESS_EVERY_MS = 100;
const RETRY_AFTER_MS = 100;
/** A request that is refused for longer than this counts as unacknowledged. */
const GIVE_UP_MS = 15_000;
/** OTLP's default deadline of one request. */
const TIMEOUT_MS = 10_000;
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** OTLP/HTTP: 429, 502, 503, 504. @see https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE_STATUS = new Set([429, 502, 503, 504]);
/** OTLP/gRPC's list of codes that may be retried. @see https://opentelemetry.io/docs/specs/otlp/#failures */
const RETRYABLE_CODE = new Set([
  grpc.status.CANCELLED,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.ABORTED,
  grpc.status.OUT_OF_RANGE,
  grpc.status.UNAVAILABLE,
  grpc.status.DATA_LOSS,
]);

/** `undefined` is success. */
type Outcome = { readonly retry: boolean; readonly problem: string } | undefined;
type Send = (body: Buffer) => Promise<Outcome>;

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions;
process.on('disconnect', () => process.exit(0));
tell({ kind: 'done', result: await run(options) });
process.disconnect?.();

function tell(message: LoadMessage): void {
  process.send?.(message);
}

async function run({ protocol, address, spans, spansPerRequest, connections }: LoadOptions): Promise<LoadResult> {
  const identity = newRun();
  const latencies: number[] = [];
  let next = 0;
  let sent = 0;
  let unacknowledged = 0;
  let retries = 0;
  let problem: string | undefined;
  const progress = setInterval(() => tell({ kind: 'progress', sent }), PROGRESS_EVERY_MS);

  const connection = async (): Promise<void> => {
    const send = protocol === 'grpc' ? overGrpc(address) : overHttp(address);
    const whole = new LoadRequest(spansPerRequest);
    while (next < spans) {
      const first = next;
      const size = Math.min(spansPerRequest, spans - first);
      next += size;
      const request = size === spansPerRequest ? whole : new LoadRequest(size);
      request.fill(identity, first);
      const begin = performance.now();
      let outcome = await send(request.bytes);
      latencies.push(performance.now() - begin);
      while (outcome?.retry && performance.now() - begin < GIVE_UP_MS) {
        retries += 1;
        await wait(RETRY_AFTER_MS);
        outcome = await send(request.bytes);
      }
      sent += size;
      if (outcome) {
        unacknowledged += size;
        problem = outcome.problem;
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  clearInterval(progress);
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.min(latencies.length - 1, Math.ceil(latencies.length * q) - 1)] ?? 0;
  return {
    sent,
    unacknowledged,
    requests: latencies.length,
    retries,
    bytesPerSpan: Math.round(new LoadRequest(spansPerRequest).bytes.length / spansPerRequest),
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    problem,
  };
}

function overHttp(address: string): Send {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const url = new URL(`http://${address}/v1/traces`);
  return (body) =>
    new Promise((resolve) => {
      const fail = (error: Error): void => resolve({ retry: true, problem: error.message });
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const request = http.request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (response) => {
        const status = response.statusCode ?? 0;
        response.once('error', fail).resume();
        response.once('end', () =>
          resolve(status === 200 ? undefined : { retry: RETRYABLE_STATUS.has(status), problem: `HTTP status ${status}` }),
        );
      });
      request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      request.once('error', fail).end(body);
    });
}

function overGrpc(address: string): Send {
  // Without this option all clients of one process share one connection.
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const bytes = (value: Buffer): Buffer => value;
  return (body) =>
    new Promise((resolve) => {
      client.makeUnaryRequest(EXPORT, bytes, bytes, body, { deadline: Date.now() + TIMEOUT_MS }, (error) =>
        resolve(error ? { retry: RETRYABLE_CODE.has(error.code), problem: error.message } : undefined),
      );
    });
}
