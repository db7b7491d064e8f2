import { Chart, Duration, Testing } from 'cdk8s';
import { expect, it } from 'vitest';
import { load } from '../../agent/config/load.ts';
import { type Agent, createAgent } from '../../agent/runtime/agent.ts';
import { AgentSidecar } from '../../lib/stack/agent/index.ts';
import { CollectorGateway, Destination, Retry, Timeouts } from '../../lib/stack/collector/index.ts';
import { ExternalEndpoint } from '../../lib/stack/model/endpoint.ts';
import { Profile } from '../../lib/stack/model/profile.ts';
import { Protocol } from '../../lib/stack/model/protocol.ts';
import { printYaml } from '../../lib/stack/model/yaml.ts';
import { assertBooksBalance, post, recordingLog } from '../agent/kit/agent.ts';
import { request } from '../agent/kit/otlp.ts';
import { type OtlpSink, startOtlpSink } from '../support/otlp-sink.ts';
import { describeReal, freePorts, newFolder, type RunningProcess, startOtelcol, writeConfig } from './support/index.ts';

const ENV = { MY_POD_IP: '127.0.0.1', K8S_POD_NAME: 'shop-0' };
const REQUESTS = 40;
const SPANS = 25;

interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly metrics: number;
  readonly health: number;
  readonly agent: number;
}

/** Both sides as printed from one model; addresses are local, and waits are short through props. */
function printed(backend: OtlpSink, ports: Ports): { gateway: object; agent: string } {
  const chart = new Chart(Testing.app(), 'test');
  const endpoint = new ExternalEndpoint({ name: 'otlp-grpc', protocol: Protocol.OTLP_GRPC, host: '127.0.0.1', port: backend.grpcPort });
  const local = (port: number): object => ({ endpoint: `127.0.0.1:${port}` });
  const gateway = new CollectorGateway(chart, 'Gateway', {
    profile: Profile.DEVELOPMENT,
    traces: [Destination.otlpGrpc('backend', endpoint)],
    describeSenders: false,
    measureSpans: false,
    timeouts: new Timeouts({ exporterTimeout: Duration.seconds(1), margin: Duration.seconds(1) }),
    configOverrides: {
      receivers: { otlp: { protocols: { grpc: local(ports.grpc), http: local(ports.http) } } },
      extensions: { health_check: local(ports.health) },
      service: {
        telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: ports.metrics } } } }] } },
      },
    },
  });
  const sidecar = new AgentSidecar({
    upstream: gateway.otlpGrpc,
    httpPort: ports.agent,
    retry: Retry.backoff({ initialInterval: Duration.millis(100), maxInterval: Duration.millis(400), maxElapsedTime: Duration.seconds(0) }),
    configOverrides: {
      receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
      exporters: { otlp_grpc: local(ports.grpc) },
      extensions: { health_check: { endpoint: '127.0.0.1:0' } },
      service: { telemetry: { metrics: { level: 'none' } } },
    },
  });
  return { gateway: gateway.config.renderConfig(), agent: printYaml(sidecar.config.renderConfig()) };
}

async function startPrintedAgent(text: string): Promise<Agent> {
  const file = writeConfig(newFolder('agent'), 'agent.yaml', text);
  const { settings } = load({ configs: [file], sets: [], environment: ENV });
  const agent = await createAgent(settings, { log: recordingLog([]) });
  await agent.start();
  return agent;
}

const distinct = (sink: OtlpSink): number => new Set(sink.spans().map((span) => span.name)).size;

describeReal(['otelcol'], 'printed agent and printed gateway in an outage', () => {
  it('lose no span when the backend refuses and the gateway is killed in the middle', async () => {
    const sink = await startOtlpSink();
    const ports = await freePorts('grpc', 'http', 'metrics', 'health', 'agent');
    const configs = printed(sink, ports);
    const start = (): Promise<RunningProcess> => startOtelcol({ config: configs.gateway, env: ENV });
    let gateway = await start();
    const agent = await startPrintedAgent(configs.agent);
    try {
      const { promise: refusedSome, resolve: enough } = Promise.withResolvers<void>();
      let refusals = 0;
      sink.respond(() => {
        refusals += 1;
        if (refusals === 3) enough();
        return { status: 503 };
      });
      for (let index = 0; index < REQUESTS; index += 1) {
        const answer = await post(ports.agent, '/v1/traces', request('traces', SPANS, `request-${index}`));
        expect(answer.status).toBe(200);
      }
      await refusedSome;
      expect(distinct(sink)).toBe(0);
      gateway.signal('SIGKILL');
      await gateway.exited;
      sink.respond(undefined);
      gateway = await start();
      await sink.until(() => distinct(sink) === REQUESTS * SPANS, 'every span', 60_000);
      await agent.drain(60_000);
      expect(assertBooksBalance(agent).total).toMatchObject({ accepted: REQUESTS * SPANS, sent: REQUESTS * SPANS, queued: 0 });
      expect(new Set(sink.spans().map((span) => span.resource?.['service.instance.id']))).toEqual(new Set(['shop-0']));
    } finally {
      await agent.drain(0);
      await agent.close();
      await gateway.stop();
      await sink.close();
    }
  });
});
