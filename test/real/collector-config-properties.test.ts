import fc from 'fast-check';
import { expect, it } from 'vitest';
import { configuration } from '../lib/stack/collector/support/arbitraries.ts';
import { describeReal, validateOtelcol } from './support/index.ts';

const ENV = { MY_POD_IP: '127.0.0.1', K8S_POD_NAME: 'pod', BACKEND_URL: 'http://backend:4318' };

describeReal(['otelcol'], 'any typed configuration that can be written', () => {
  it('is accepted by the Collector 0.155', async () => {
    let constructed = 0;
    await fc.assert(
      fc.asyncProperty(configuration, async (make) => {
        let config: object;
        try {
          config = make().renderConfig();
        } catch (error) {
          // Refused by us, with words of our own: never by accident.
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).constructor).toBe(Error);
          fc.pre(false);
          return;
        }
        constructed += 1;
        const { code, stderr } = await validateOtelcol({ config, env: ENV });
        if (code !== 0) {
          throw new Error(`${stderr}\n${JSON.stringify(config, null, 1)}`);
        }
      }),
      { numRuns: 150, maxSkipsPerRun: 200 },
    );
    expect(constructed).toBeGreaterThanOrEqual(150);
  });
});
