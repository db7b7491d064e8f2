import { status } from '@grpc/grpc-js';
import { Chart, Duration, Testing } from 'cdk8s';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CollectorGateway, Destination, Queue, SpanMetricsConnector, Timeouts } from '../../lib/stack/collector/index.ts';
import { ExternalEndpoint } from '../../lib/stack/model/endpoint.ts';
import { Profile } from '../../lib/stack/model/profile.ts';
import { Protocol } from '../../lib/stack/model/protocol.ts';
import { GrpcClient } from '../agent/kit/agent.ts';
import { request } from '../agent/kit/otlp.ts';
import { type OtlpSink, startOtlpSink } from '../support/otlp-sink.ts';
import { describeReal, freePorts, newFolder, type RunningProcess, startOtelcol, waitFor } from './support/index.ts';

/** Nothing here is judged by its time: a busy machine takes long. */
const PATIENT = new Timeouts({ exporterTimeout: Duration.seconds(40), margin: Duration.seconds(10) });
/** For a backend that never answers. */
const IMPATIENT = new Timeouts({ exporterTimeout: Duration.seconds(1), margin: Duration.seconds(10) });

interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly metrics: number;
  readonly spans: number;
  readonly health: number;
}

/** The printed configuration of a gateway in front of one backend; only addresses are local and no API server is asked. */
function printed(
  backend: OtlpSink,
  ports: Ports,
  { timeouts = PATIENT, queue, directory }: { readonly timeouts?: Timeouts; readonly queue?: Queue; readonly directory?: string } = {},
): object {
  const endpoint = new ExternalEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, host: '127.0.0.1', port: backend.grpcPort });
  const local = (port: number): object => ({ endpoint: `127.0.0.1:${port}` });
  const gateway = new CollectorGateway(new Chart(Testing.app(), 'test'), 'Gateway', {
    profile: Profile.DEVELOPMENT,
    traces: [Destination.otlpGrpc('backend', endpoint)],
    describeSenders: false,
    timeouts,
    spanMetrics: new SpanMetricsConnector({ metricsFlushInterval: Duration.seconds(1) }),
    queue,
    configOverrides: {
      receivers: { otlp: { protocols: { grpc: local(ports.grpc), http: local(ports.http) } } },
      exporters: { prometheus: local(ports.spans) },
      extensions: { health_check: local(ports.health), ...(directory && { file_storage: { directory, compaction: { directory } } }) },
      service: {
        telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: ports.metrics } } } }] } },
      },
    },
  });
  return gateway.config.renderConfig();
}

describeReal(['otelcol'], 'what the printed gateway answers', () => {
  let sink: OtlpSink;
  let ports: Ports;
  let client: GrpcClient;
  let collector: RunningProcess;

  beforeAll(() => {
    // Otherwise grpc-js writes its own lines about connections that the tests break on purpose.
    process.env.GRPC_VERBOSITY = 'NONE';
  });

  beforeEach(async () => {
    sink = await startOtlpSink();
    ports = await freePorts('grpc', 'http', 'metrics', 'spans', 'health');
    client = new GrpcClient(ports.grpc);
  });

  afterEach(async () => {
    client.close();
    await collector.stop();
    await sink.close();
  });

  describe('in memory mode', () => {
    beforeEach(async () => {
      collector = await startOtelcol({ config: printed(sink, ports), env: { MY_POD_IP: '127.0.0.1' } });
    });

    it('success only after the backend has the spans', async () => {
      const { promise: held, resolve: answer } = Promise.withResolvers<undefined>();
      const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
      sink.respond(() => {
        arrive();
        return held;
      });
      let answered = false;
      const sent = client.export('traces', request('traces', 5)).then(() => {
        answered = true;
      });
      await arrived;
      expect(answered).toBe(false);
      answer(undefined);
      await sent;
      expect(sink.spans()).toHaveLength(5);
    });

    it('UNAVAILABLE when the backend is, so that the agent sends again; the backend gets one attempt', async () => {
      sink.respond(() => ({ status: 503 }));
      await expect(client.export('traces', request('traces', 5))).rejects.toMatchObject({ code: status.UNAVAILABLE });
      expect(sink.requests).toHaveLength(1);
      sink.respond(undefined);
      await client.export('traces', request('traces', 5));
      expect(sink.spans()).toHaveLength(5);
    });

    it('a code that is not sent again when the backend will never take it', async () => {
      sink.respond(() => ({ status: 400 }));
      const refused = (await client.export('traces', request('traces', 5)).catch((error: unknown) => error)) as { code: number };
      expect([status.INVALID_ARGUMENT, status.INTERNAL, status.UNKNOWN]).toContain(refused.code);
    });

    it('spans as metrics on the port that is scraped, its own metrics without _total, and its health', async () => {
      await client.export('traces', request('traces', 5));
      const own = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
      expect(own).toMatch(/^otelcol_receiver_accepted_spans\{.*\} 5$/m);
      expect(own).toMatch(/^otelcol_exporter_sent_spans\{.*\} 5$/m);
      const measured = await waitFor(
        async () => {
          const text = await (await fetch(`http://127.0.0.1:${ports.spans}/metrics`)).text();
          return text.includes('traces_span_metrics_calls_total{') && text;
        },
        { what: 'span metrics' },
      );
      expect(measured).toMatch(/^traces_span_metrics_duration_milliseconds_bucket\{.*service_name="item-0".*\}/m);
      expect((await fetch(`http://127.0.0.1:${ports.health}/`)).status).toBe(200);
    });
  });

  it('within the time that the agent waits, when the backend never answers', async () => {
    collector = await startOtelcol({ config: printed(sink, ports, { timeouts: IMPATIENT }), env: { MY_POD_IP: '127.0.0.1' } });
    const { promise: never } = Promise.withResolvers<undefined>();
    sink.respond(() => never);
    const deadline = Date.now() + IMPATIENT.agentTimeout.toMilliseconds();
    // In the gateway's words ("context deadline exceeded") or its backend's, which got the gateway's deadline, too; the client's own
    // would be "Deadline exceeded after 12s,...". DEADLINE_EXCEEDED is a code that OTLP sends again.
    await expect(client.export('traces', request('traces', 5), { deadline })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringMatching(/deadline exceeded$/i),
    });
  });

  it('from disk: success at once, and the spans arrive when the backend is back, across a restart', async () => {
    const directory = newFolder('queue');
    const config = printed(sink, ports, { queue: Queue.disk(), directory });
    collector = await startOtelcol({ config, env: { MY_POD_IP: '127.0.0.1' } });
    sink.respond(() => ({ status: 503 }));
    await client.export('traces', request('traces', 7));
    await collector.stop();
    sink.respond(undefined);
    collector = await startOtelcol({ config, env: { MY_POD_IP: '127.0.0.1' } });
    await sink.until(() => sink.spans().length === 7);
  });
});
