import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import { decodePartialSuccess, decodeStatus } from '../../../agent/otlp/status.ts';
import { request } from '../../agent/kit/otlp.ts';
import { PATHS } from '../../agent/statements/support/clients.ts';
import { type GrpcReply, grpcUpstream, toGrpc } from '../../agent/statements/support/grpc-upstream.ts';
import { AGENT, Keep, type Running } from '../../agent/statements/support/target.ts';
import { itemsOf, services } from '../../agent/statements/support/upstream.ts';
import { describeReal, newFolder, realPath, recordSkip, runProgram } from '../support/index.ts';

/** The statements that bind a server, with clients that people use (client-runs.ts lists them for docs/reference/otlp.md). */

interface Call {
  readonly path: string;
  readonly body: Uint8Array;
  readonly gzip?: boolean;
}

interface Answer {
  readonly code: number;
  readonly response: Buffer;
  readonly retryAfterMs: number | undefined;
}

type Caller = (port: number, calls: readonly Call[]) => Promise<readonly Answer[]>;

const retryAfter = (details: Uint8Array | undefined): number | undefined =>
  details === undefined ? undefined : decodeStatus(details)?.retryAfterMs;

/** All calls at once on one channel of grpcio. */
const byPython: Caller = async (port, calls) => {
  const script = fileURLToPath(new URL('./calls.py', import.meta.url));
  const child = spawn(realPath('python-grpc'), [script, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(calls.map(({ path, body, gzip }) => ({ path, gzip, body: Buffer.from(body).toString('base64') }))));
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) text += String(part);
  const answers = JSON.parse(text) as { code: number; response: string; status_details: string | null }[];
  return answers.map(({ code, response, status_details }) => ({
    code,
    response: Buffer.from(response, 'base64'),
    retryAfterMs: status_details === null ? undefined : retryAfter(Buffer.from(status_details, 'base64')),
  }));
};

/** The same with grpc-js. */
const byGrpcJs: Caller = async (port, calls) => {
  const client = (gzip: boolean): grpc.Client =>
    new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      ...(gzip ? { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip } : {}),
    });
  const [plain, zipped] = [client(false), client(true)];
  const raw = (bytes: Buffer): Buffer => bytes;
  const answers = await Promise.all(
    calls.map(
      ({ path, body, gzip }) =>
        new Promise<Answer>((resolve) => {
          (gzip === true ? zipped : plain).makeUnaryRequest(path, raw, raw, Buffer.from(body), (error, response) => {
            const details = error?.metadata.get('grpc-status-details-bin')[0];
            resolve({
              code: error?.code ?? 0,
              response: response ?? Buffer.alloc(0),
              retryAfterMs: Buffer.isBuffer(details) ? retryAfter(details) : undefined,
            });
          });
        }),
    ),
  );
  plain.close();
  zipped.close();
  return answers;
};

const callOf = (signal: Signal, body: Uint8Array, gzip = false): Call => ({ path: SIGNAL_FACTS[signal].grpcPath, body, gzip });
const codes = (answers: readonly Answer[]): number[] => answers.map((one) => one.code);

/** What every gRPC client has to see. */
function grpcStatements(call: Caller): void {
  it('01 02 03 10 takes all signals, uncompressed and gzip, empty ones too, and leaves partial_success unset', async () => {
    await using keep = new Keep();
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await AGENT.start({ exporters: { otlp_grpc: toGrpc(upstream) }, signals: SIGNALS }));
    const calls = SIGNALS.flatMap((signal) => [
      callOf(signal, request(signal, 3, 'one')),
      callOf(signal, request(signal, 3, 'one'), true),
      callOf(signal, new Uint8Array(0)),
    ]);
    for (const answer of await call(running.grpcPort, calls)) {
      expect(answer.code).toBe(0);
      expect(decodePartialSuccess(answer.response)).toBeUndefined();
    }
    await upstream.journal.until((received) => received.length === 2 * SIGNALS.length);
    for (const one of upstream.journal.received) expect([services(one), itemsOf(one)]).toEqual([['one-0'], 3]);
  });

  it('10 11 12 an unknown method, an oversize and a broken message each have their status', async () => {
    await using keep = new Keep();
    const running = keep.add(await AGENT.start({ exporters: { debug: {} }, grpc: { max_recv_msg_size_mib: 1 }, signals: ['traces'] }));
    const calls: Call[] = [
      { path: '/opentelemetry.proto.collector.trace.v1.TraceService/Import', body: request('traces', 1) },
      callOf('traces', Buffer.alloc(2 ** 21)),
      callOf('traces', Buffer.alloc(2 ** 21), true),
      callOf('traces', Buffer.from('this is no protobuf')),
      callOf('traces', request('traces', 1)),
    ];
    const answers = await call(running.grpcPort, calls);
    expect(codes(answers)).toEqual([12, 8, 8, 3, 0]);
    for (const answer of answers) expect(answer.retryAfterMs).toBeUndefined();
  });

  it('13 14 many calls are under way at once, and who finds no room is told when to come again', async () => {
    await using keep = new Keep();
    const held: GrpcReply[] = [];
    const upstream = keep.add(await grpcUpstream((_one, reply) => held.push(reply)));
    const sending_queue = { queue_size: 10, num_consumers: 10, wait_for_result: true };
    const running = keep.add(await AGENT.start({ exporters: { otlp_grpc: toGrpc(upstream, { sending_queue }) }, signals: ['traces'] }));
    const under = call(
      running.grpcPort,
      Array.from({ length: 10 }, (_, i) => callOf('traces', request('traces', 1), i % 2 === 0)),
    );
    await upstream.journal.until((received) => received.length === 10);
    const [refused] = await call(running.grpcPort, [callOf('traces', request('traces', 1))]);
    expect(refused?.code).toBe(14);
    expect(refused?.retryAfterMs).toBeGreaterThan(0);
    for (const reply of held.reverse()) reply.ok();
    expect(codes(await under)).toEqual(Array.from({ length: 10 }, () => 0));
  });
}

describe('@grpc/grpc-js', () => grpcStatements(byGrpcJs));
describeReal(['python-grpc'], 'Python grpcio', () => grpcStatements(byPython));

describeReal(['telemetrygen'], 'telemetrygen', () => {
  const WORDS = { traces: 'spans', metrics: 'data_points', logs: 'log_records' } as const;

  it.each(['traces', 'metrics', 'logs'] as const)('01 10 15 %s arrive over gRPC and over HTTP', async (signal) => {
    await using keep = new Keep();
    const upstream = keep.add(await grpcUpstream());
    const running = keep.add(await AGENT.start({ exporters: { otlp_grpc: toGrpc(upstream) } }));
    for (const [port, ...more] of [[running.grpcPort], [running.httpPort, '--otlp-http']] as const) {
      const args = [
        signal,
        '--otlp-insecure',
        '--otlp-endpoint',
        `127.0.0.1:${port}`,
        `--${signal}`,
        '5',
        '--service',
        'shop',
        '--rate',
        '0',
        ...more,
      ];
      expect((await runProgram(realPath('telemetrygen'), args)).code).toBe(0);
    }
    const accepted = await running.metric(`otelcol_receiver_accepted_${WORDS[signal].replace('data_points', 'metric_points')}`);
    await upstream.journal.until((received) => received.reduce((sum, one) => sum + itemsOf(one), 0) === accepted);
    expect(accepted).toBeGreaterThanOrEqual(10);
    expect(new Set(upstream.journal.received.flatMap(services))).toEqual(new Set(['shop']));
  });
});

const hasCurl = spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasCurl) recordSkip('statements with curl', ['curl is not on PATH']);

describe.skipIf(!hasCurl)('curl', () => {
  /** Runs curl with a body from a file; resolves with the status, the type and the body of the answer. */
  async function curl(
    url: string,
    body: Uint8Array | undefined,
    ...args: string[]
  ): Promise<{ status: number; type: string; body: Buffer }> {
    const folder = newFolder('curl');
    const out = join(folder, 'out');
    writeFileSync(join(folder, 'in'), body ?? '');
    writeFileSync(out, '');
    const data = body === undefined ? [] : ['--data-binary', `@${join(folder, 'in')}`];
    const ran = await runProgram('curl', ['-sS', '-o', out, '-w', '%{http_code} %{content_type}', ...data, ...args, url]);
    expect(ran.stderr).toBe('');
    const [status, type] = ran.stdout.split(' ');
    return { status: Number(status), type: (type ?? '').split(';', 1)[0] ?? '', body: readFileSync(out) };
  }
  const url = (running: Running, path: string = PATHS.traces): string => `http://127.0.0.1:${running.httpPort}${path}`;
  const PROTOBUF = ['-H', 'content-type: application/x-protobuf'];
  const JSON_TYPE = ['-H', 'content-type: application/json'];

  it('01 02 15 18 posts protobuf to every path, uncompressed, gzip and empty', async () => {
    await using keep = new Keep();
    const running = keep.add(await AGENT.start({ exporters: { debug: {} }, signals: SIGNALS }));
    for (const signal of SIGNALS) {
      const body = request(signal, 2);
      const at = url(running, PATHS[signal]);
      expect(await curl(at, body, ...PROTOBUF)).toMatchObject({ status: 200, type: 'application/x-protobuf' });
      expect(await curl(at, gzipSync(body), ...PROTOBUF, '-H', 'content-encoding: gzip', '--compressed')).toMatchObject({ status: 200 });
      expect(await curl(at, new Uint8Array(0), ...PROTOBUF)).toMatchObject({ status: 200 });
      expect(await curl(at, body, ...PROTOBUF, '-H', 'transfer-encoding: chunked')).toMatchObject({ status: 200 });
    }
  });

  it('16 posts JSON, and every answer has the type of its request', async () => {
    await using keep = new Keep();
    const running = keep.add(await AGENT.start({ exporters: { debug: {} }, signals: ['traces'] }));
    const body = Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"s"}]}]}]}');
    expect(await curl(url(running), body, ...JSON_TYPE)).toMatchObject({ status: 200, type: 'application/json' });
    const bad = await curl(url(running), Buffer.from('{'), ...JSON_TYPE);
    expect(bad).toMatchObject({ status: 400, type: 'application/json' });
    expect(JSON.parse(bad.body.toString())).toMatchObject({ message: expect.any(String) as string });
  });

  it('19 20 21 23 a refusal is a Status with the right code', async () => {
    await using keep = new Keep();
    const running = keep.add(
      await AGENT.start({ exporters: { debug: {} }, http: { max_request_body_size: 2 ** 20 }, signals: ['traces'] }),
    );
    const body = request('traces', 1);
    // 'Expect:' empty, as curl would wait for 100-continue with large bodies; with it, the body is not even sent.
    const large = Buffer.alloc(2 ** 21);
    const refused = [
      [400, await curl(url(running), Buffer.from('this is no protobuf'), ...PROTOBUF)],
      [413, await curl(url(running), large, ...PROTOBUF, '-H', 'Expect:')],
      [413, await curl(url(running), large, ...PROTOBUF, '-H', 'Expect: 100-continue')],
      [405, await curl(url(running), body, ...PROTOBUF, '-X', 'PUT')],
      [415, await curl(url(running), body, '-H', 'content-type: text/plain')],
      [404, await curl(url(running, '/v1/nothing'), body, ...PROTOBUF)],
    ] as const;
    for (const [status, answer] of refused) {
      expect(answer.status).toBe(status);
      expect(decodeStatus(answer.body)?.message, String(status)).toBeTruthy();
    }
    expect((await curl(url(running), body, ...PROTOBUF)).status).toBe(200);
  });
});
