import { Chart, Size, Testing } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { AgentConfig, AgentDaemon, AgentGateway, AgentMemory, AgentSidecar } from '../../lib/stack/agent/index.ts';
import {
  CollectorGateway,
  Queue,
  SamplingPolicy,
  type Signal,
  Signal as Signals,
  TailSamplingProcessor,
} from '../../lib/stack/collector/index.ts';
import { Image } from '../../lib/stack/model/images.ts';
import { Profile } from '../../lib/stack/model/profile.ts';
import { everyComponent } from '../lib/stack/collector/support/every-component.ts';
import { gatewayWith, referenceProps, withoutElasticsearch } from '../lib/stack/collector/support/reference-gateway.ts';
import { describeReal, validateOtelcol } from './support/index.ts';

const ENV = { MY_POD_IP: '127.0.0.1', K8S_POD_NAME: 'pod', ELASTICSEARCH_PASSWORD: 'secret', NODE_NAME: 'node' };

async function expectAccepted(config: object, program: 'otelcol' | 'otelcol-0.160' = 'otelcol'): Promise<void> {
  const result = await validateOtelcol({ config, env: ENV, program });
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
}

describeReal(['otelcol'], 'printed Collector configurations against the Collector 0.155', () => {
  it('accepts every typed component with its keys', async () => {
    await expectAccepted(everyComponent().renderConfig());
  });

  describe('gateway, with nop in place of the elasticsearch exporter that this build lacks', () => {
    const variants = {
      production: {},
      development: { profile: Profile.DEVELOPMENT },
      'queue on disk': { queue: Queue.disk() },
      sampled: {
        processors: [new TailSamplingProcessor({ policies: [SamplingPolicy.errors('errors'), SamplingPolicy.percentage('some', 10)] })],
      },
      'traces only': { metrics: [], logs: [], measureSpans: false },
      'spelled for an old image': { image: Image.of('example.com/otelcol', '0.140.0') },
      'spelled for the newest image': { image: Image.of('example.com/otelcol', '0.161.0') },
    };
    for (const [name, props] of Object.entries(variants)) {
      it(name, async () => {
        await expectAccepted(withoutElasticsearch(gatewayWith(props).gateway.config.renderConfig()));
      });
    }
  });

  it('accepts the configuration of every construct that runs our agent: the same file boots both programs', async () => {
    const chart = new Chart(Testing.app(), 'test');
    const upstream = new CollectorGateway(chart, 'Gateway', referenceProps()).otlpGrpc;
    await expectAccepted(new AgentSidecar({ upstream }).config.renderConfig());
    await expectAccepted(new AgentDaemon(chart, 'Daemon', { upstream }).config.renderConfig());
    await expectAccepted(new AgentGateway(chart, 'Edge', { upstream }).config.renderConfig());
  });

  it('accepts the agent with any signals', async () => {
    const choices: Signal[][] = [[Signals.TRACES], [Signals.METRICS, Signals.LOGS], Signals.stable()];
    for (const signals of choices) {
      const config = new AgentConfig('test', {
        upstream: 'gateway:4317',
        listenHost: 'localhost',
        ports: { grpc: 4317, http: 4318, health: 13_133, metrics: 8888 },
        memory: new AgentMemory(Size.gibibytes(1)),
        signals,
      });
      await expectAccepted(config.renderConfig());
    }
  });

  it('fails on what no typed value can say, so the checks above can fail', async () => {
    const config = structuredClone(everyComponent().renderConfig()) as { receivers: { otlp: object } };
    config.receivers.otlp = { protocols: { grpc: { endpont: 'localhost:4317' } } };
    const result = await validateOtelcol({ config, env: ENV });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('has invalid keys: endpont');
  });
});
