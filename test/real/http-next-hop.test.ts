import { afterEach, describe, expect, it } from 'vitest';
import { finish, post, type Running, startAgent, until } from '../agent/kit/agent.ts';
import { request } from '../agent/kit/otlp.ts';
import { httpExporter, PATHS, QUEUE } from '../agent/kit/settings.ts';
import { grpcSink } from '../agent/kit/sink.ts';
import { describeReal, freePorts, type RunningProcess, startOtelcol } from './support/index.ts';

const REQUESTS = 300;

describeReal(['otelcol'], 'OTLP/HTTP to the real Collector', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  const collector = (http: number, sink: number, path?: string): Promise<RunningProcess> =>
    startOtelcol({
      config: {
        receivers: {
          otlp: { protocols: { http: { endpoint: `127.0.0.1:${http}`, ...(path === undefined ? {} : { traces_url_path: path }) } } },
        },
        // Without a queue: a request is answered when the sink has it.
        exporters: {
          otlp_grpc: { endpoint: `127.0.0.1:${sink}`, compression: 'none', tls: { insecure: true }, sending_queue: { enabled: false } },
        },
        service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } } },
      },
    });

  describe.each(['own', 'undici'] as const)('http1_codec: %s', (http1Codec) => {
    it.each(['none', 'gzip', 'zstd'] as const)('delivers small and large requests once, compression: %s', async (compression) => {
      const sink = await grpcSink();
      closers.push(() => sink.close());
      const { http } = await freePorts('http');
      await collector(http, sink.port);
      const running: Running = await startAgent({
        exporters: [httpExporter(http, { http1Codec, compression, maxConnections: 4, queue: { ...QUEUE, consumers: 10 } })],
      });
      closers.push(() => finish(running));
      let items = 0;
      for (let i = 0; i < REQUESTS; i += 1) {
        const spans = i % 50 === 0 ? 3000 : 1 + (i % 25);
        items += spans;
        expect((await post(running.httpPort, PATHS.traces, request('traces', spans, `r${i}`))).status).toBe(200);
      }
      await until(() => running.agent.books().total.queued === 0);
      expect(running.agent.books().total).toMatchObject({ sent: items, sendFailed: 0 });
      expect(sink.delivered()).toBe(items);
    });

    it('hears what the Collector refuses', async () => {
      const sink = await grpcSink();
      closers.push(() => sink.close());
      const { http } = await freePorts('http');
      await collector(http, sink.port, '/elsewhere');
      const running = await startAgent({ exporters: [httpExporter(http, { http1Codec })] });
      closers.push(() => finish(running));
      expect((await post(running.httpPort, PATHS.traces, request('traces', 3))).status).toBe(200);
      await until(() => running.agent.books().total.queued === 0);
      expect(running.agent.books().total).toMatchObject({ sent: 0, sendFailed: 3 });
      expect(JSON.stringify(running.lines)).toContain('HTTP status 404');
    });

    it('goes on where the Collector is started again', async () => {
      const sink = await grpcSink();
      closers.push(() => sink.close());
      const { http } = await freePorts('http');
      const first = await collector(http, sink.port);
      const running = await startAgent({ exporters: [httpExporter(http, { http1Codec })] });
      closers.push(() => finish(running));
      const send = async (name: string): Promise<void> => {
        for (let i = 0; i < 20; i += 1)
          expect((await post(running.httpPort, PATHS.traces, request('traces', 2, name + i))).status).toBe(200);
      };
      await send('before');
      await until(() => running.agent.books().total.queued === 0);
      await first.stop();
      await send('between');
      await collector(http, sink.port);
      await send('after');
      await until(() => running.agent.books().total.queued === 0);
      expect(running.agent.books().total).toMatchObject({ sent: 120, sendFailed: 0 });
    });
  });
});
