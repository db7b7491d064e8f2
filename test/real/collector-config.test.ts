import { expect, it } from 'vitest';
import { everyComponent } from '../lib/stack/collector/support/every-component.ts';
import { describeReal, validateOtelcol } from './support/index.ts';

const ENV = { MY_POD_IP: '127.0.0.1', K8S_POD_NAME: 'pod', K8S_NODE_NAME: 'node', ELASTICSEARCH_PASSWORD: 'x' };

describeReal(['otelcol'], 'typed Collector configuration against the Collector 0.155', () => {
  it('accepts every typed component with its keys', async () => {
    const result = await validateOtelcol({ config: everyComponent().renderConfig(), env: ENV });
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
  });
});
