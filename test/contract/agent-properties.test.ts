import { Size } from 'cdk8s';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { load } from '../../agent/config/load.ts';
import { AgentConfig, AgentMemory } from '../../lib/stack/agent/index.ts';
import { Compression, LogLevel, Signal } from '../../lib/stack/collector/index.ts';
import { printYaml } from '../../lib/stack/model/yaml.ts';
import { duration, maybe, queue, retry } from '../lib/stack/collector/support/arbitraries.ts';

const ENV = { MY_POD_IP: '10.0.0.7', K8S_POD_NAME: 'shop-0' };

const props = fc.record({
  signals: maybe(fc.uniqueArray(fc.constantFrom(...Signal.all()), { minLength: 1 })),
  queue: maybe(queue),
  retry: maybe(retry),
  exportTimeout: maybe(duration),
  compression: maybe(fc.constantFrom(Compression.GZIP, Compression.ZSTD, Compression.NONE, Compression.SNAPPY)),
  drainDeadline: maybe(duration),
  logLevel: maybe(fc.constantFrom(LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR)),
  container: fc.integer({ min: 64, max: 4096 }),
  heapPercentage: maybe(fc.integer({ min: 1, max: 95 })),
  listenHost: fc.constantFrom('localhost', `\${env:MY_POD_IP}`),
});

it('whatever the typed props can say, the agent reads without a word', () => {
  let constructed = 0;
  fc.assert(
    fc.property(props, ({ queue: makeQueue, retry: makeRetry, container, heapPercentage, ...rest }) => {
      let config: AgentConfig;
      try {
        config = new AgentConfig('test/Agent', {
          ...rest,
          queue: makeQueue?.(),
          retry: makeRetry?.(),
          upstream: 'gateway:4317',
          ports: { grpc: 4317, http: 4318, health: 13_133, metrics: 8888 },
          memory: new AgentMemory(Size.mebibytes(container), { heapPercentage }),
        });
      } catch (error) {
        expect((error as Error).constructor).toBe(Error);
        fc.pre(false);
        return;
      }
      constructed += 1;
      const yaml = printYaml(config.renderConfig());
      const { notices } = load({ configs: [`yaml:${yaml}`], sets: [], environment: ENV });
      expect(notices).toEqual([]);
    }),
    { numRuns: 200, maxSkipsPerRun: 100 },
  );
  expect(constructed).toBeGreaterThanOrEqual(200);
});
