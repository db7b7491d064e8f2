import { afterEach, describe, expect, it } from 'vitest';
import { GrpcClient } from '../../kit/agent.ts';
import { decode, request } from '../../kit/otlp.ts';
import { grpcSink, httpSink, type Received, type Sink } from '../../kit/sink.ts';
import { configFile, Program, runAgent } from '../../support/program.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function started(sink: Promise<Sink>): Promise<Sink> {
  const made = await sink;
  open.push(made);
  return made;
}

const yaml = (backend: number, own: string): string => `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } }
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${backend}
    compression: none
    tls: { insecure: true }
    retry_on_failure: { initial_interval: 10ms, max_interval: 20ms }
service:
  telemetry:
    metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] }
${own}
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_grpc] }
`;

const destination = (protocol: string, port: number): string =>
  `[{ batch: { schedule_delay: 20, exporter: { otlp: { protocol: "${protocol}", endpoint: "http://127.0.0.1:${port}" } } } }]`;

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

interface Line {
  readonly body: { readonly stringValue: string };
  readonly traceId: string;
  readonly spanId: string;
}

const spansOf = (received: readonly Received[]): Span[] =>
  received.flatMap(({ body }) =>
    (decode('traces', body).resourceSpans as { scopeSpans: { spans: Span[] }[] }[]).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans),
    ),
  );
const linesOf = (received: readonly Received[]): Line[] =>
  received.flatMap(({ body }) =>
    (decode('logs', body).resourceLogs as { scopeLogs: { logRecords: Line[] }[] }[]).flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords),
    ),
  );
const of = (span: Span, key: string): unknown => Object.values(span.attributes.find((one) => one.key === key)?.value ?? {})[0];

describe('what the agent says of itself', () => {
  it.each(['grpc', 'http/protobuf'])(
    'goes out by OTLP over %s: deliveries with their attempts, log lines with the ids of their span',
    async (protocol) => {
      let failures = 2;
      const backend = await started(grpcSink(() => (failures-- > 0 ? { code: 14, message: 'not yet' } : undefined)));
      const own = await started(protocol === 'grpc' ? grpcSink() : httpSink());
      const telemetry = `    traces: { processors: ${destination(protocol, own.port)} }\n    logs: { processors: ${destination(protocol, own.port)} }`;
      await using agent = new Program(['--config', configFile(yaml(backend.port, telemetry))]);
      const address = (await agent.listening())['otlp/grpc'] ?? '';
      const client = new GrpcClient(Number(address.slice(address.lastIndexOf(':') + 1)));
      open.push(client);
      await client.export('traces', request('traces', 7));
      await agent.event('sending works again');
      agent.signal('SIGTERM');
      expect((await agent.ended).code).toBe(0);

      const spans = spansOf(own.received.filter(({ signal }) => signal === 'traces'));
      expect(spans.map(({ name }) => name).sort()).toEqual([
        'attempt otlp_grpc',
        'attempt otlp_grpc',
        'attempt otlp_grpc',
        'export otlp_grpc',
      ]);
      const delivery = spans.find(({ name }) => name === 'export otlp_grpc') as Span;
      const attempts = spans.filter((span) => span !== delivery);
      expect(attempts.every((one) => one.traceId === delivery.traceId && one.parentSpanId === delivery.spanId)).toBe(true);
      expect(attempts.map((one) => [Number(of(one, 'otlp.attempt')), one.status?.code ?? 0]).sort()).toEqual([
        [1, 2],
        [2, 2],
        [3, 0],
      ]);
      expect([of(delivery, 'otlp.items'), of(delivery, 'otlp.attempts'), of(delivery, 'otlp.outcome')]).toEqual(['7', '3', 'ok']);

      const lines = linesOf(own.received.filter(({ signal }) => signal === 'logs'));
      const failing = lines.find(({ body }) => body.stringValue === 'sending fails and is tried again') as Line;
      expect(failing.traceId).toBe(delivery.traceId);
      expect(attempts.some((one) => one.spanId === failing.spanId)).toBe(true);
      // And the same ids in the line on standard output.
      const printed = agent.lines().find(({ msg }) => msg === 'sending fails and is tried again');
      expect(printed?.trace_id).toBe(Buffer.from(delivery.traceId, 'base64').toString('hex'));
      // Neither a span nor a line is about the sending of these.
      expect(spans.some((span) => String(of(span, 'otlp.exporter')).startsWith('service.'))).toBe(false);
    },
  );

  it('is a share of the deliveries where the sampler says so, and none by always_off', async () => {
    const backend = await started(grpcSink());
    const own = await started(httpSink());
    const telemetry = `    traces: { sampler: { parent_based: { root: { trace_id_ratio_based: { ratio: 0 } } } }, processors: ${destination('http/protobuf', own.port)} }`;
    await using agent = new Program(['--config', configFile(yaml(backend.port, telemetry))]);
    const addresses = await agent.listening();
    const address = addresses['otlp/grpc'] ?? '';
    const client = new GrpcClient(Number(address.slice(address.lastIndexOf(':') + 1)));
    open.push(client);
    for (let i = 0; i < 20; i += 1) await client.export('traces', request('traces', 1));
    agent.signal('SIGTERM');
    await agent.ended;
    expect([backend.delivered(), own.received.length]).toEqual([20, 0]);
  });

  it('does not keep the agent from its work, or from its end, where its destination is away', async () => {
    const backend = await started(grpcSink());
    const telemetry = `    traces: { processors: ${destination('grpc', 9)} }\n    logs: { processors: ${destination('grpc', 9)} }`;
    const path = configFile(`${yaml(backend.port, telemetry)}agent: { drain_deadline: 300ms }\n`);
    await using agent = new Program(['--config', path]);
    const address = (await agent.listening())['otlp/grpc'] ?? '';
    const client = new GrpcClient(Number(address.slice(address.lastIndexOf(':') + 1)));
    open.push(client);
    await client.export('traces', request('traces', 3));
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect(backend.delivered()).toBe(3);
  });

  it.each([
    ['traces: { processors: [{ batch: { exporter: { otlp: { endpoint: "https://x:1" } } } }] }', /TLS is not supported yet/u],
    ['traces: { processors: [{ simple: { exporter: {} } }] }', /only the processor batch/u],
    ['logs: { processors: [{ batch: { exporter: { console: {} } } }] }', /only the exporter otlp/u],
    ['traces: { processors: [{ batch: { exporter: { otlp: { endpoint: "http://x", protocol: grpc } } } }] }', /no http:\/\/host:port/u],
  ])('fails at start with %s', async (own, reason) => {
    expect(await runAgent(['validate', '--config', configFile(yaml(1, `    ${own}`))])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(reason),
    });
  });
});
