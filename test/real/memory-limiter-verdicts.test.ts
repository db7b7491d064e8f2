/**
 * memory_limiter by its verdicts: the real Collector and the agent with the same limits before the same backend that hangs, filled by real
 * clients until they refuse; then every kind of request, and after the backend has come back the same ones again.
 */
import { gzipSync } from 'node:zlib';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GrpcClient } from '../agent/kit/agent.ts';
import { request } from '../agent/kit/otlp.ts';
import { grpcSink, type Sink } from '../agent/kit/sink.ts';
import { configFile, Program } from '../agent/support/program.ts';
import { describeReal, freePorts, type RunningProcess, startOtelcol } from './support/index.ts';

/** What a sender can decide on: the gRPC code and whether RetryInfo is there; the HTTP status and whether Retry-After is there. */
type Verdict = string;

interface Target {
  readonly name: 'agent' | 'collector';
  readonly grpc: GrpcClient;
  readonly http: string;
}

const LIMITS = { check_interval: '50ms', limit_mib: 256, spike_limit_mib: 64, min_gc_interval_when_soft_limited: '0s' };
const BYTES_OF_FILLING = [2_000_000, 200_000, 20_000, 2_000, 200];
/** Refusals in a row, at this distance, after which it is full: several checks of the Collector, each with a collection. */
const IN_A_ROW = 8;
const APART_MS = 60;

/** One log record with a body of so many bytes. */
const body = (bytes: number): Buffer => request('logs', 1, 'x'.repeat(bytes));
const small = body(10);
const PROTO = { 'content-type': 'application/x-protobuf' };
const JSON_TYPE = { 'content-type': 'application/json' };

async function overGrpc({ grpc }: Target, signal: 'logs' | 'traces' | 'metrics', bytes: Buffer): Promise<Verdict> {
  try {
    await grpc.export(signal, bytes);
    return 'OK';
  } catch (error) {
    const { code, metadata } = error as ServiceError;
    const details = metadata.get('grpc-status-details-bin').map(String).join('');
    return `${code}${details.includes('google.rpc.RetryInfo') ? ' RetryInfo' : ''}`;
  }
}

async function overHttp(
  { http }: Target,
  path: string,
  bytes: Buffer | string,
  headers: Record<string, string>,
  method = 'POST',
): Promise<Verdict> {
  const answer = await fetch(http + path, { method, headers, ...(method === 'POST' ? { body: bytes as RequestInit['body'] } : {}) });
  await answer.arrayBuffer();
  return `${answer.status}${answer.headers.has('retry-after') ? ' Retry-After' : ''}`;
}

const JSON_LOGS = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}';

/** What is asked of both, while they are full and after. */
const PROBES: Readonly<Record<string, (target: Target) => Promise<Verdict>>> = {
  'gRPC logs': (target) => overGrpc(target, 'logs', small),
  'gRPC traces': (target) => overGrpc(target, 'traces', request('traces', 1)),
  'gRPC metrics': (target) => overGrpc(target, 'metrics', request('metrics', 1)),
  'gRPC malformed': (target) => overGrpc(target, 'logs', Buffer.from([0x0a, 5, 1])),
  'gRPC empty': (target) => overGrpc(target, 'logs', Buffer.alloc(0)),
  'HTTP logs': (target) => overHttp(target, '/v1/logs', small, PROTO),
  'HTTP traces': (target) => overHttp(target, '/v1/traces', request('traces', 1), PROTO),
  'HTTP JSON': (target) => overHttp(target, '/v1/logs', JSON_LOGS, JSON_TYPE),
  'HTTP gzip': (target) => overHttp(target, '/v1/logs', gzipSync(small), { ...PROTO, 'content-encoding': 'gzip' }),
  'HTTP malformed': (target) => overHttp(target, '/v1/logs', Buffer.from([0x0a, 5, 1]), PROTO),
  'HTTP malformed JSON': (target) => overHttp(target, '/v1/logs', '{"resourceLogs":[', JSON_TYPE),
  'HTTP empty': (target) => overHttp(target, '/v1/logs', Buffer.alloc(0), PROTO),
  'HTTP other media type': (target) => overHttp(target, '/v1/logs', 'a', { 'content-type': 'text/plain' }),
  'HTTP other method': (target) => overHttp(target, '/v1/logs', '', {}, 'GET'),
  'HTTP other path': (target) => overHttp(target, '/v1/other', small, PROTO),
};

const BEFORE_THE_BODY =
  'the agent refuses before it reads the body, so that a request costs no memory there; the Collector reads and decodes it first, and its limiter sees only what has items';

/** While both are full; reviewed. Nothing else may differ, and each has to. */
const DIFFERENT_WHEN_FULL: Readonly<Record<string, { readonly collector: Verdict; readonly reason: string }>> = {
  'gRPC malformed': { collector: '13', reason: BEFORE_THE_BODY },
  'gRPC empty': { collector: 'OK', reason: BEFORE_THE_BODY },
  'HTTP malformed': { collector: '400', reason: BEFORE_THE_BODY },
  'HTTP malformed JSON': { collector: '400', reason: BEFORE_THE_BODY },
  'HTTP empty': { collector: '200', reason: BEFORE_THE_BODY },
};

/** While there is room. */
const DIFFERENT_BEFORE: Readonly<Record<string, { readonly agent: Verdict; readonly collector: Verdict; readonly reason: string }>> = {
  'gRPC malformed': {
    agent: '3',
    collector: '13',
    reason: 'OTLP 1.11 names INVALID_ARGUMENT for bad data; grpc-go answers INTERNAL before the receiver of the Collector is asked',
  },
};

/** A verdict without what the agent always adds to one that may be retried: OTLP 1.11 lets an overloaded server say so. */
const withoutTime = (verdict: Verdict): Verdict => verdict.replace(/ RetryInfo| Retry-After/u, '');

/** Sends until it refuses again and again, smaller and smaller, so that nothing fits any more. */
async function fill(target: Target): Promise<number> {
  let taken = 0;
  for (const bytes of BYTES_OF_FILLING) {
    const filling = body(bytes);
    for (let refused = 0; refused < IN_A_ROW; ) {
      if ((await overGrpc(target, 'logs', filling)) === 'OK') {
        taken += 1;
        refused = 0;
      } else {
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, APART_MS));
      }
    }
  }
  return taken;
}

async function probe(target: Target): Promise<Record<string, Verdict>> {
  const seen: Record<string, Verdict> = {};
  for (const [name, ask] of Object.entries(PROBES)) seen[name] = await ask(target);
  return seen;
}

describeReal(['otelcol'], 'memory_limiter of the agent and of the Collector', () => {
  const { promise: back, resolve: comeBack } = Promise.withResolvers<undefined>();
  let sink: Sink;
  let agent: Program;
  let collector: RunningProcess;
  let targets: readonly Target[];

  beforeAll(async () => {
    sink = await grpcSink(() => back);
    const port = await freePorts('grpc', 'http', 'agentGrpc', 'agentHttp', 'agentSelf');
    const config = (grpc: number, http: number, telemetry: object): object => ({
      receivers: {
        otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` }, http: { endpoint: `127.0.0.1:${http}` } } },
      },
      processors: { memory_limiter: LIMITS },
      exporters: {
        otlp_grpc: {
          endpoint: `127.0.0.1:${sink.port}`,
          tls: { insecure: true },
          compression: 'none',
          timeout: '120s',
          sending_queue: { queue_size: 100_000, num_consumers: 4 },
        },
      },
      service: {
        telemetry,
        pipelines: Object.fromEntries(
          ['traces', 'metrics', 'logs'].map((id) => [
            id,
            { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_grpc'] },
          ]),
        ),
      },
    });
    collector = await startOtelcol({ config: config(port.grpc, port.http, { metrics: { level: 'none' } }) });
    const self = { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: port.agentSelf } } } }] } };
    agent = new Program(['--config', configFile(JSON.stringify(config(port.agentGrpc, port.agentHttp, self)))]);
    await agent.listening();
    targets = [
      { name: 'agent', grpc: new GrpcClient(port.agentGrpc), http: `http://127.0.0.1:${port.agentHttp}` },
      { name: 'collector', grpc: new GrpcClient(port.grpc), http: `http://127.0.0.1:${port.http}` },
    ];
  });

  afterAll(async () => {
    comeBack(undefined);
    for (const { grpc } of targets ?? []) grpc.close();
    await agent?.[Symbol.asyncDispose]();
    await collector?.stop();
    await sink?.close();
  });

  it('let in before the limit, refuse above it with the same verdicts (reviewed differences apart), and let in again', async () => {
    const [ours, theirs] = targets as [Target, Target];
    const before = await Promise.all([probe(ours), probe(theirs)]);
    const taken = await Promise.all([fill(ours), fill(theirs)]);
    const full = await Promise.all([probe(ours), probe(theirs)]);
    comeBack(undefined);
    const letsIn = async (target: Target): Promise<void> => {
      while ((await overGrpc(target, 'logs', small)) !== 'OK') await new Promise((resolve) => setTimeout(resolve, APART_MS));
    };
    await Promise.all(targets.map(letsIn));
    const after = await Promise.all([probe(ours), probe(theirs)]);

    expect(taken[0]).toBeGreaterThan(0);
    expect(taken[1]).toBeGreaterThan(0);
    for (const [agentSays, collectorSays] of [before, after]) {
      const different = Object.keys(PROBES).filter((name) => agentSays[name] !== collectorSays[name]);
      expect(different).toEqual(Object.keys(DIFFERENT_BEFORE));
      for (const [name, { agent: own, collector: other }] of Object.entries(DIFFERENT_BEFORE))
        expect([name, agentSays[name], collectorSays[name]]).toEqual([name, own, other]);
    }
    expect(after).toEqual(before);

    const [agentSays, collectorSays] = full;
    const judged = Object.keys(PROBES).map((name) => {
      const expected = DIFFERENT_WHEN_FULL[name]?.collector ?? withoutTime(agentSays[name] ?? '');
      return [name, collectorSays[name], expected];
    });
    for (const [name, seen, expected] of judged) expect([name, seen]).toEqual([name, expected]);
    for (const name of Object.keys(DIFFERENT_WHEN_FULL))
      expect([name, withoutTime(agentSays[name] ?? '')]).not.toEqual([name, collectorSays[name]]);
    // Every refusal of the agent for want of memory can be retried, and says when.
    for (const [name, verdict] of Object.entries(agentSays))
      if (/^(14|503)/u.test(verdict))
        expect([name, verdict]).toEqual([name, verdict.startsWith('14') ? '14 RetryInfo' : '503 Retry-After']);
    expect(Object.values(agentSays).filter((verdict) => /^(14|503)/u.test(verdict))).toHaveLength(12);
  });
});
