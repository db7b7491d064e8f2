import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgent, VERSION } from '../../../agent/index.ts';
import { createLog } from '../../../agent/telemetry/log.ts';
import { finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter, httpExporter, PATHS } from '../kit/settings.ts';
import { grpcSink, httpSink, type Sink } from '../kit/sink.ts';

/** Series of Collector 0.155.0 with the same pipelines, as its /metrics printed them (live; values apart). */
const COLLECTOR_0_155 = [
  'otelcol_exporter_in_flight_requests{data_type,exporter} gauge',
  'otelcol_exporter_queue_capacity{data_type,exporter} gauge',
  'otelcol_exporter_queue_size{data_type,exporter} gauge',
  'otelcol_exporter_send_failed_spans{exporter,server_address,server_port} counter',
  'otelcol_exporter_send_failed_spans{exporter,server_address,server_port,url_path} counter',
  'otelcol_exporter_send_failed_metric_points{exporter,server_address,server_port} counter',
  'otelcol_exporter_sent_spans{exporter,server_address,server_port} counter',
  'otelcol_exporter_sent_spans{exporter,server_address,server_port,url_path} counter',
  'otelcol_exporter_sent_log_records{exporter,server_address,server_port} counter',
  'otelcol_exporter_sent_metric_points{exporter,server_address,server_port} counter',
  'otelcol_process_cpu_seconds{} counter',
  'otelcol_process_memory_rss{} gauge',
  'otelcol_process_uptime{} counter',
  'otelcol_processor_incoming_items{otel_signal,processor} counter',
  'otelcol_processor_outgoing_items{otel_signal,processor} counter',
  'otelcol_processor_memory_limiter_accepted_spans{processor} counter',
  'otelcol_processor_memory_limiter_accepted_metric_points{processor} counter',
  'otelcol_processor_memory_limiter_accepted_log_records{processor} counter',
  'otelcol_receiver_accepted_spans{receiver,transport} counter',
  'otelcol_receiver_accepted_metric_points{receiver,transport} counter',
  'otelcol_receiver_accepted_log_records{receiver,transport} counter',
  'otelcol_receiver_failed_spans{receiver,transport} counter',
  'otelcol_receiver_refused_spans{receiver,transport} counter',
];

let sinks: Sink[];
let running: Running;
beforeAll(async () => {
  sinks = [await grpcSink(), await httpSink()];
  const [a, b] = sinks as [Sink, Sink];
  const limiter = {
    kind: 'memory_limiter',
    id: 'memory_limiter',
    checkIntervalMs: 1000,
    minGcIntervalSoftMs: 10_000,
    minGcIntervalHardMs: 0,
    limitBytes: 2 ** 29,
    spikeBytes: 2 ** 26,
  } as const;
  running = await startAgent({ exporters: [grpcExporter(a.port), httpExporter(b.port)], processors: [limiter] });
  await post(running.httpPort, PATHS.traces, request('traces', 3));
  await until(() => sinks.every((sink) => sink.delivered() === 3));
});
afterAll(async () => {
  await finish(running);
  for (const sink of sinks) await sink.close();
});

const scrape = async (): Promise<{ text: string; type: string | null }> => {
  const response = await fetch(`http://127.0.0.1:${running.metricsPort}/metrics`);
  return { text: await response.text(), type: response.headers.get('content-type') };
};

describe('/metrics', () => {
  it('has the series of Collector 0.155, name, labels and type', async () => {
    const { text, type } = await scrape();
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1], match[2]]));
    const series = new Set(
      [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? /gm)].map(([, name, labels]) => {
        const keys = [...(labels ?? '').matchAll(/([a-z_]+)="/g)].map((match) => match[1]).toSorted();
        return `${name}{${keys.join(',')}} ${types.get(name as string)}`;
      }),
    );
    for (const expected of COLLECTOR_0_155) expect(series).toContain(expected);
    expect(text).not.toMatch(/^otelcol_\S*_total[{ ]/m);
  });

  it('counts what went through', async () => {
    const { text } = await scrape();
    expect(text).toContain('otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 3');
    expect(text).toMatch(
      new RegExp(`otelcol_exporter_sent_spans\\{exporter="otlp_grpc",server_address="127.0.0.1",server_port="${sinks[0]?.port}"\\} 3`),
    );
    expect(text).toContain('otelcol_exporter_queue_capacity{data_type="traces",exporter="otlp_grpc"} 1000');
  });

  it('is the only path there', async () => {
    expect((await fetch(`http://127.0.0.1:${running.metricsPort}/`)).status).toBe(404);
  });
});

describe('health', () => {
  it('answers on its path like the extension health_check, and on /livez and /readyz', async () => {
    const at = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${running.healthPort}${path}`);
    expect(await (await at('/')).json()).toMatchObject({
      status: 'Server available',
      upSince: expect.any(String),
      uptime: expect.any(String),
    });
    expect((await at('/livez')).status).toBe(200);
    expect((await at('/readyz')).status).toBe(200);
    expect((await at('/other')).status).toBe(404);
  });
});

describe('start', () => {
  it('fails on a port in use with the address and the configuration key, and leaves nothing bound', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const settings = agentSettings({ exporters: [grpcExporter(1)] });
    const otlp = settings.receivers.otlp as NonNullable<(typeof settings.receivers)[string]>;
    const http = { ...(otlp.http as NonNullable<typeof otlp.http>), address: { kind: 'tcp', host: '127.0.0.1', port } as const };
    const agent = await createAgent({ ...settings, receivers: { otlp: { ...otlp, http } } });
    await expect(agent.start()).rejects.toMatchObject({
      code: 'OTLP_BIND',
      message: `receivers.otlp.protocols.http.endpoint: cannot listen on 127.0.0.1:${port}: the address is in use by another program; stop it or choose another port (EADDRINUSE)`,
    });
    const { health_check: health } = agent.addresses;
    await expect(fetch(`http://127.0.0.1:${health?.kind === 'tcp' ? health.port : 0}/`)).rejects.toThrow();
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('logs', () => {
  it('are JSON lines with level, time and message; console is text', () => {
    const lines: string[] = [];
    const json = createLog({ level: 'info', encoding: 'json' }, (line) => void lines.push(line));
    json.info('started', { port: 1 });
    json.debug('not shown');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      level: 'info',
      msg: 'started',
      port: 1,
      'service.version': VERSION,
      time: expect.stringMatching(/^\d{4}-/),
    });
    const text: string[] = [];
    const plain = createLog({ level: 'warn', encoding: 'console' }, (line) => void text.push(line));
    plain.info('not shown');
    plain.error('broken', { why: 'test' });
    expect(text).toEqual([expect.stringMatching(/^\S+\terror\tbroken\t\{"why":"test"\}\n$/)]);
  });

  it('the version in the code is the package’s', () => {
    const path = new URL('../../../agent/package.json', import.meta.url);
    expect((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version).toBe(VERSION);
  });
});
