import { connect } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { grpcExporter, PATHS, QUEUE } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

/** Whether headers of requests reach the end of the line is seen by what keeps batches apart there. */
let running: Running;
let sink: Sink;
afterEach(async () => {
  await finish(running);
  await sink.close();
});

async function agentWith(includeMetadata: boolean): Promise<void> {
  sink = await grpcSink();
  const batch = { flushTimeoutMs: 60_000, minSize: 4, maxSize: 0, sizer: 'items' as const, metadataKeys: ['x-tenant'] };
  running = await startAgent({
    exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, batch } })],
    http: { includeMetadata },
    grpc: { includeMetadata },
  });
}

async function overHttp2(tenant: string): Promise<void> {
  const session = connect(`http://127.0.0.1:${running.httpPort}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': PATHS.traces,
    'content-type': 'application/x-protobuf',
    'x-tenant': tenant,
  });
  stream.end(request('traces', 2));
  stream.resume();
  await new Promise((resolve) => stream.on('close', resolve));
  session.close();
}

async function overGrpc(tenant: string): Promise<void> {
  const raw = new RawGrpc(running.grpcPort);
  expect((await raw.call([frame(request('traces', 2))], { 'X-Tenant': tenant })).grpcStatus).toBe('0');
  raw.close();
}

async function overHttp1(tenant: string): Promise<void> {
  expect((await post(running.httpPort, PATHS.traces, request('traces', 2), { 'X-Tenant': tenant })).status).toBe(200);
}

describe.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
  ['gRPC', overGrpc],
])('headers of requests over %s', (_name, send) => {
  it('keep the batches of two tenants apart with include_metadata', async () => {
    await agentWith(true);
    for (const tenant of ['a', 'b']) await send(tenant);
    await until(() => sink.received.length > 0);
    expect(sink.received[0]?.items).toBe(2);
  });

  it('stay at the door without it', async () => {
    await agentWith(false);
    for (const tenant of ['a', 'b']) await send(tenant);
    await until(() => sink.received.length === 1);
    expect(sink.received[0]?.items).toBe(4);
  });
});
