import { describe, expect, it } from 'vitest';
import { VALIDATED_KINDS, validateManifest } from './kubernetes-schemas.ts';

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: '0%' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        initContainers: [{ name: 'agent', image: 'agent:1', restartPolicy: 'Always' }],
        containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 8080 }], resources: { limits: { cpu: 2, memory: '4Gi' } } }],
      },
    },
  },
};

const changed = (change: (copy: typeof deployment) => void): typeof deployment => {
  const copy = structuredClone(deployment);
  change(copy);
  return copy;
};
const container = (manifest: typeof deployment): object => manifest.spec.template.spec.containers[0] as object;

describe('the closed schemas', () => {
  it('accept a Deployment with quantities as numbers and strings', () => {
    expect(validateManifest(deployment)).toEqual([]);
  });

  it('know the kinds of the stack, with their custom resources', () => {
    expect(VALIDATED_KINDS).toEqual(
      expect.arrayContaining([
        'v1/Service',
        'networking.k8s.io/v1/NetworkPolicy',
        'keda.sh/v1alpha1/ScaledObject',
        'monitoring.coreos.com/v1/PodMonitor',
      ]),
    );
  });

  it('are sound, every one: nothing but its own fields is missing in an object without any', () => {
    for (const key of VALIDATED_KINDS) {
      const at = key.lastIndexOf('/');
      const errors = validateManifest({ apiVersion: key.slice(0, at), kind: key.slice(at + 1) });
      expect(errors, key).toContain("(root): must have required property 'metadata'");
      expect(
        errors.every((error) => error.startsWith('(root): must have required property')),
        key,
      ).toBe(true);
    }
  });

  it.each([
    [
      'an unknown field deep in a pod',
      (m) => Object.assign(container(m), { ports: [{ containerPort: 1, hostPrt: 2 }] }),
      'spec.template.spec.containers[0].ports[0].hostPrt: unknown field',
    ],
    ['an unknown field of the metadata', (m) => Object.assign(m.metadata, { nmespace: 'x' }), 'metadata.nmespace: unknown field'],
    ['a missing field', (m) => Object.assign(m.spec, { selector: undefined }), "spec: must have required property 'selector'"],
    ['a value of another type', (m) => Object.assign(m.spec, { replicas: '3' }), 'spec.replicas: must be integer'],
    [
      'a value outside of an enumeration',
      (m) => Object.assign(container(m), { imagePullPolicy: 'Sometimes' }),
      'spec.template.spec.containers[0].imagePullPolicy: must be equal to one of the allowed values (Always, IfNotPresent, Never)',
    ],
    ['a printed status', (m) => Object.assign(m, { status: {} }), 'status: unknown field'],
  ] satisfies [string, (m: typeof deployment) => void, string][])('fails on %s', (_, change, error) => {
    expect(validateManifest(changed(change))).toEqual([error]);
  });

  it('fails on an unknown field of a custom resource', () => {
    const scaled = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'a' } };
    const trigger = { type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } };
    expect(validateManifest({ ...scaled, spec: { scaleTargetRef: { name: 'a' }, triggers: [trigger] } })).toEqual([]);
    expect(validateManifest({ ...scaled, spec: { scaleTargetRef: { name: 'a' }, triggers: [trigger], cooldown: 1 } })).toEqual([
      'spec.cooldown: unknown field',
    ]);
  });

  it('fails on a kind without a schema, with the remedy', () => {
    expect(validateManifest({ apiVersion: 'v2', kind: 'Service' })).toEqual([expect.stringContaining('no closed schema for v2 Service')]);
  });
});
