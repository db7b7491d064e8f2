import { App, Chart } from 'cdk8s';
import { describe, expect, it } from 'vitest';
import { KubeStateMetrics, type KubeStateMetricsProps } from '../../../../lib/stack/kube-state-metrics/kube-state-metrics';
import { validateManifest } from '../../../support/kubernetes-schemas.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON, and tests reach deep into them
type Manifest = any;

function build(props: KubeStateMetricsProps = {}): { objects: Manifest[]; args: string[] } {
  const chart = new Chart(new App(), 'test');
  new KubeStateMetrics(chart, 'KubeStateMetrics', props);
  const objects = chart.toJson() as Manifest[];
  for (const object of objects) {
    expect(validateManifest(object)).toEqual([]);
  }
  return { objects, args: objects.find(({ kind }) => kind === 'Deployment').spec.template.spec.containers[0].args };
}

const granted = (rules: Manifest[]): string[] => rules.flatMap(({ resources }) => resources).sort();

describe('kube-state-metrics', () => {
  it('watches exactly what it may read', () => {
    const { objects, args } = build();
    const { rules } = objects.find(({ kind }) => kind === 'ClusterRole');
    expect(args).toContain(`--resources=${granted(rules).join(',')}`);
    expect(rules.every(({ verbs }: Manifest) => verbs.join() === 'list,watch')).toBe(true);
    expect(granted(rules)).not.toContain('secrets');
  });

  it('may be kept to some namespaces, without anything cluster-wide', () => {
    const { objects, args } = build({ namespaces: ['shop', 'observability'] });
    expect(objects.map(({ kind }) => kind)).not.toContain('ClusterRole');
    const roles = objects.filter(({ kind }) => kind === 'Role');
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['shop', 'observability']);
    expect(args).toContain('--namespaces=shop,observability');
    expect(args).toContain(`--resources=${granted(roles[0].rules).join(',')}`);
    expect(granted(roles[0].rules)).not.toContain('nodes');
  });
});
