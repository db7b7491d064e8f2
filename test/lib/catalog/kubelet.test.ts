import { catalog } from 'otlp-stack-catalog';
import { describe, expect, it } from 'vitest';
import { parseExposition } from '../../real/support/exposition.ts';
import { kubeletExposition, startKubelet } from '../../real/support/kubelet.ts';

const PODS = [
  { namespace: 'shop', pod: 'web-0', containers: ['web', 'agent'] },
  { namespace: 'shop', pod: 'web-1', containers: ['web'] },
];

describe('the recorded kubelet exposition', () => {
  it('has exactly the container metrics of the catalogue, in type and labels', () => {
    const line = (metric: { name: string; type: string; labels: readonly string[] }): string =>
      `${metric.type} ${metric.name}{${metric.labels.join(',')}}`;
    const recorded = parseExposition(kubeletExposition(PODS)).filter(({ name }) => name !== 'container_scrape_error');
    const facts = catalog
      .program('kubelet', '1.36.3')
      .metrics.filter(({ name, endpoint }) => endpoint === 'cadvisor' && name.startsWith('container_'));
    expect(recorded.map(line).sort()).toEqual(
      facts
        .filter(({ name }) => name !== 'container_scrape_error')
        .map(line)
        .sort(),
    );
  });

  it('is served once for each container, and names its source', async () => {
    await using kubelet = await startKubelet(PODS);
    const text = await (await fetch(`http://127.0.0.1:${kubelet.port}/metrics/cadvisor`)).text();
    expect(text).toContain('github.com/google/cadvisor');
    const workingSet = text.split('\n').filter((line) => line.startsWith('container_memory_working_set_bytes{'));
    expect(workingSet).toHaveLength(3);
    expect(workingSet[1]).toMatch(/container="agent",.*namespace="shop",pod="web-0"/);
    expect((await fetch(`http://127.0.0.1:${kubelet.port}/other`)).status).toBe(404);
  });
});
