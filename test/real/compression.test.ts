import { afterEach, expect, it } from 'vitest';
import type { Compression, ExporterSettings } from '../../agent/config/settings.ts';
import { finish, GrpcClient, post, type Running, startAgent, until } from '../agent/kit/agent.ts';
import { decode, REQUEST_TYPES, request } from '../agent/kit/otlp.ts';
import { grpcExporter, httpExporter, PATHS } from '../agent/kit/settings.ts';
import { grpcSink, type Sink } from '../agent/kit/sink.ts';
import { canonical } from './json-canonical.ts';
import { describeReal, freePorts, type RunningProcess, startOtelcol } from './support/index.ts';

/** What one side compresses, the other inflates: each algorithm in each direction, over both transports. */
const HTTP: readonly Compression[] = ['none', 'gzip', 'zstd', 'deflate', 'zlib', 'snappy', 'x-snappy-framed'];
/** gRPC calls the framed form snappy. */
const GRPC: readonly Compression[] = ['none', 'gzip', 'zstd', 'x-snappy-framed'];
const SPANS = 3000;

const dataOf = (body: Buffer): unknown => canonical(REQUEST_TYPES.traces, decode('traces', body));

describeReal(['otelcol'], 'compression between the agent and the real Collector', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function sinkOf(): Promise<Sink> {
    const sink = await grpcSink();
    closers.push(() => sink.close());
    return sink;
  }

  async function collector(exporters: object, ports: { grpc: number; http: number }): Promise<RunningProcess> {
    return await startOtelcol({
      config: {
        receivers: {
          otlp: {
            protocols: {
              grpc: { endpoint: `127.0.0.1:${ports.grpc}`, max_recv_msg_size_mib: 64 },
              http: { endpoint: `127.0.0.1:${ports.http}` },
            },
          },
        },
        exporters,
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: Object.keys(exporters) } },
        },
      },
    });
  }

  async function agent(exporters: readonly ExporterSettings[]): Promise<Running> {
    const running = await startAgent({ exporters });
    closers.push(() => finish(running));
    return running;
  }

  it('the Collector reads what the agent compresses', async () => {
    const sink = await sinkOf();
    const ports = await freePorts('grpc', 'http');
    await collector({ otlp_grpc: { endpoint: `127.0.0.1:${sink.port}`, compression: 'none', tls: { insecure: true } } }, ports);
    const running = await agent([
      ...HTTP.map((compression) => httpExporter(ports.http, { id: `otlp_http/${compression}`, compression })),
      ...GRPC.map((compression) => grpcExporter(ports.grpc, { id: `otlp_grpc/${compression}`, compression })),
    ]);
    const body = request('traces', SPANS);
    expect((await post(running.httpPort, PATHS.traces, body)).status).toBe(200);
    await until(() => sink.received.length === HTTP.length + GRPC.length);
    for (const one of sink.received) expect(dataOf(one.body)).toEqual(dataOf(body));
  });

  it('the agent reads what the Collector compresses, and says no to lz4', async () => {
    const sink = await sinkOf();
    const running = await agent([grpcExporter(sink.port)]);
    const direct = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };
    const http = (compression: string): object => ({ endpoint: `http://127.0.0.1:${running.httpPort}`, compression, ...direct });
    const grpc = (compression: string): object => ({
      endpoint: `127.0.0.1:${running.grpcPort}`,
      compression,
      tls: { insecure: true },
      ...direct,
    });
    const ports = await freePorts('grpc', 'http');
    const exporters = {
      ...Object.fromEntries(HTTP.map((name) => [`otlp_http/${name}`, http(name)])),
      ...Object.fromEntries(['none', 'gzip', 'zstd', 'snappy'].map((name) => [`otlp_grpc/${name}`, grpc(name)])),
      'otlp_http/lz4': http('lz4'),
    };
    await collector(exporters, ports);
    const client = new GrpcClient(ports.grpc);
    const body = request('traces', SPANS);
    await expect(client.export('traces', body)).rejects.toThrow(/OTLP_UNKNOWN_ENCODING/);
    client.close();
    await until(() => sink.received.length === HTTP.length + 4);
    for (const one of sink.received) expect(dataOf(one.body)).toEqual(dataOf(body));
  });
});
