import { Chart, Size, Testing } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
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
import { gatewayWith, referenceProps } from '../lib/stack/collector/support/reference-gateway.ts';
import { type PrintedStack, printDevelopment, printStack } from '../support/printed-stack.ts';
import { applyOverrides } from './overrides.ts';
import { describeReal, newFolder, type ProgramResult, realPath, runProgram, validateOtelcol, writeConfig } from './support/index.ts';

const ENV = { MY_POD_IP: '127.0.0.1', K8S_POD_NAME: 'pod', ELASTICSEARCH_PASSWORD: 'secret', NODE_NAME: 'node' };

/** The test Collector lacks this one exporter. */
const withoutElasticsearch = (config: object): object =>
  applyOverrides(config, [{ id: 'exporter-without-binary', exporter: 'elasticsearch' }]);

async function expectAccepted(config: object, program: 'otelcol' | 'otelcol-0.160' = 'otelcol'): Promise<void> {
  const result = await validateOtelcol({ config, env: ENV, program });
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
}

describeReal(['otelcol'], 'printed Collector configurations against the Collector 0.155', () => {
  it('accepts every typed component with its keys', async () => {
    await expectAccepted(everyComponent().renderConfig());
  });

  describe('gateway, with debug in place of the elasticsearch exporter that this build lacks', () => {
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
        const config = gatewayWith(props).gateway.config.renderConfig() as { exporters: object };
        await expectAccepted('elasticsearch' in config.exporters ? withoutElasticsearch(config) : config);
      });
    }
  });

  it('accepts the configuration of every construct that runs our agent: the same file boots both programs', async () => {
    const chart = new Chart(Testing.app(), 'test');
    const upstream = new CollectorGateway(chart, 'Gateway', referenceProps()).otlpGrpc;
    await expectAccepted(new AgentSidecar({ upstream }).config.renderConfig());
    for (const { config } of [new AgentDaemon(chart, 'Daemon', { upstream }), new AgentGateway(chart, 'Edge', { upstream })]) {
      const printed = config.renderConfig() as { exporters: { otlp_grpc: { gzip_members?: boolean } } };
      delete printed.exporters.otlp_grpc.gzip_members; // the one key of our own
      await expectAccepted(printed);
    }
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

interface CollectorFile {
  readonly name: string;
  /** As printed. */
  readonly text: string;
  readonly config: { readonly exporters: object; readonly extensions: object };
}

/** Every file of the reference stack in the Collector's grammar: those of the gateway, of Jaeger and of each agent. */
function printedFiles({ objects }: PrintedStack): CollectorFile[] {
  return objects
    .filter((object) => object.kind === 'ConfigMap')
    .flatMap(({ metadata, data }) =>
      Object.entries(data as { [file: string]: string }).map(([file, text]) => ({ name: `${metadata.name}/${file}`, text })),
    )
    .filter(({ name, text }) => /\.ya?ml$/.test(name) && /^ {2}pipelines:/m.test(text))
    .map((file) => ({ ...file, config: parse(file.text) as CollectorFile['config'] }));
}

/** The text as printed, not what another YAML printer makes of it: the two could differ in what they quote. */
async function validateFile({ text, config }: CollectorFile): Promise<ProgramResult> {
  if (!('jaeger_storage' in config.extensions)) {
    return await validateOtelcol({ config: 'elasticsearch' in config.exporters ? withoutElasticsearch(config) : text, env: ENV });
  }
  const folder = newFolder('jaeger-validate');
  const result = await runProgram(realPath('jaeger'), ['validate', `--config=${writeConfig(folder, 'jaeger.yaml', text)}`], { env: ENV });
  return { ...result, stderr: result.stderr.replace(/^.*application version:.*\n\s*/, '') };
}

describeReal(['otelcol', 'jaeger'], 'the Collector configurations of the printed reference stack', () => {
  for (const [profile, print] of [
    ['production', printStack],
    ['development', printDevelopment],
  ] as const) {
    it(`are accepted by the programs that read them: ${profile}`, async () => {
      const files = printedFiles(print());
      expect(files.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['jaeger-config/config.yaml', 'otel-collector-config/gateway.yaml', 'otlp-service-agent/agent.yaml']),
      );
      for (const file of files) {
        const { code, stderr } = await validateFile(file);
        expect({ file: file.name, code, stderr }).toEqual({ file: file.name, code: 0, stderr: '' });
      }
    });
  }
});
