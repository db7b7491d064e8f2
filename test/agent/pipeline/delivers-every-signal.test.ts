import { afterEach, describe, expect, it } from 'vitest';
import { SIGNALS } from '../../../agent/config/settings.ts';
import { finish, GrpcClient, post, type Running, startAgent, until } from '../kit/agent.ts';
import { decode, request } from '../kit/otlp.ts';
import { grpcExporter, httpExporter, PATHS } from '../kit/settings.ts';
import { grpcSink, httpSink, type Sink } from '../kit/sink.ts';

const open: Sink[] = [];
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close();
});

async function chain(kind: 'grpc' | 'http', compression: 'none' | 'gzip' | 'zstd' = 'none'): Promise<{ sink: Sink; running: Running }> {
  const sink = kind === 'grpc' ? await grpcSink() : await httpSink();
  open.push(sink);
  const exporter = kind === 'grpc' ? grpcExporter(sink.port, { compression }) : httpExporter(sink.port, { compression });
  return { sink, running: await startAgent({ exporters: [exporter] }) };
}

describe('every signal through the whole line', () => {
  for (const signal of SIGNALS) {
    it(`${signal}: gRPC in, gRPC out, byte for byte`, async () => {
      const { sink, running } = await chain('grpc');
      const client = new GrpcClient(running.grpcPort);
      const body = request(signal, 17);
      await client.export(signal, body);
      await until(() => sink.received.length === 1);
      expect(sink.received[0]?.body).toEqual(body);
      client.close();
      expect((await finish(running)).total).toMatchObject({ received: 17, accepted: 17, sent: 17, queued: 0 });
    });

    it(`${signal}: HTTP in, HTTP out, byte for byte`, async () => {
      const { sink, running } = await chain('http');
      const body = request(signal, 5);
      const response = await post(running.httpPort, PATHS[signal], body);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/x-protobuf');
      expect((await response.arrayBuffer()).byteLength).toBe(0);
      await until(() => sink.received.length === 1);
      expect(sink.received[0]?.body).toEqual(body);
      expect((await finish(running)).total).toMatchObject({ received: 5, accepted: 5, sent: 5, queued: 0 });
    });
  }

  for (const compression of ['gzip', 'zstd'] as const) {
    it(`${compression} out over HTTP says so and inflates to the same`, async () => {
      const { sink, running } = await chain('http', compression);
      const body = request('traces', 40);
      await post(running.httpPort, PATHS.traces, body);
      await until(() => sink.received.length === 1);
      expect(sink.received[0]?.headers['content-encoding']).toBe(compression);
      expect(sink.received[0]?.body).toEqual(body);
      await finish(running);
    });
  }

  it('gzip out over gRPC is what a grpc-js server inflates', async () => {
    const { sink, running } = await chain('grpc', 'gzip');
    const client = new GrpcClient(running.grpcPort);
    await client.export('logs', request('logs', 9));
    await until(() => sink.received.length === 1);
    expect(decode('logs', (sink.received[0] as { body: Buffer }).body)).toEqual(decode('logs', request('logs', 9)));
    client.close();
    await finish(running);
  });

  it('an empty request and one without items are answered with success and not sent on', async () => {
    const { sink, running } = await chain('grpc');
    const client = new GrpcClient(running.grpcPort);
    expect(await client.export('traces', Buffer.alloc(0))).toEqual(Buffer.alloc(0));
    expect(await client.export('traces', request('traces', 0))).toEqual(Buffer.alloc(0));
    expect((await post(running.httpPort, PATHS.logs, '')).status).toBe(200);
    client.close();
    await finish(running);
    expect(sink.received).toEqual([]);
  });
});
