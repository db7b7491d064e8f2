import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkSnapshot, ManifestReadError, snapshotOf } from '../../../lib/check/index';
import { mutated } from './support.ts';

const KINDS = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'CronJob',
  'Pod',
  'Service',
  'NetworkPolicy',
  'ConfigMap',
  'Secret',
  'ScaledObject',
  'PodMonitor',
  'ServiceMonitor',
  'ClusterRoleBinding',
  'List',
];
const VERSIONS = ['v1', 'apps/v1', 'networking.k8s.io/v1', 'monitoring.coreos.com/v1', 'keda.sh/v1alpha1'];

/** Manifests of the good stack, to be damaged. */
const good = mutated().objects.map(({ manifest }) => manifest);

/** The value with another one at some place inside of it. */
function damaged(value: unknown, at: number, replacement: unknown): unknown {
  const places: (string | number)[][] = [];
  const walk = (part: unknown, path: (string | number)[]): void => {
    places.push(path);
    if (typeof part === 'object' && part !== null)
      for (const [key, entry] of Object.entries(part)) walk(entry, [...path, Array.isArray(part) ? Number(key) : key]);
  };
  walk(value, []);
  const path = places[1 + (at % (places.length - 1))] ?? [];
  const copy = structuredClone(value) as { [key: string]: unknown };
  let owner: { [key: string | number]: unknown } = copy;
  for (const key of path.slice(0, -1)) owner = owner[key] as typeof owner;
  owner[path.at(-1) ?? ''] = replacement;
  return copy;
}

const rules = (text: string): void => {
  for (const { problem, remedy, line } of checkSnapshot(snapshotOf([{ file: 'a.yaml', text }]))) {
    expect(problem).not.toBe('');
    expect(remedy).not.toBe('');
    expect(line).toBeGreaterThan(0);
  }
};

describe('the rules over anything', () => {
  it('never throw: objects of known kinds with anything in them', () => {
    const object = fc.record({
      apiVersion: fc.constantFrom(...VERSIONS),
      kind: fc.constantFrom(...KINDS),
      metadata: fc.jsonValue(),
      spec: fc.jsonValue(),
      data: fc.dictionary(fc.string(), fc.string()),
      items: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(object, { maxLength: 4 }), (objects) => rules(objects.map((each) => JSON.stringify(each)).join('\n---\n'))),
      { numRuns: 300 },
    );
  });

  it('never throw: a good stack with one value replaced', () => {
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.nat(10_000),
        fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('${env:', '[', 'http://', ':0', 'a.b.c.svc:1')),
        (index, at, replacement) => {
          rules(
            good
              .map((each, position) => stringify(position === index ? damaged(each, at, replacement) : each, { lineWidth: 0 }))
              .join('---\n'),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('never throw anything but a read error: any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.string({ maxLength: 100 }).map((text) => `apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: ${text}\n`),
        ),
        (text) => {
          try {
            rules(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ManifestReadError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
