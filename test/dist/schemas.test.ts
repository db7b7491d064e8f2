import { describe, expect, it } from 'vitest';
import { validateManifest } from '../support/kubernetes-schemas.ts';
import { printedStacks, snapshotOf } from '../support/printed-stacks.ts';

describe.each(printedStacks())('the printed $profile stack and the closed schemas', (stack) => {
  const { objects } = snapshotOf(stack);

  it('has only fields that the API server and the custom resources know, with the types that they have', () => {
    const errors = objects.flatMap(({ kind, namespace, name, manifest }) =>
      validateManifest(manifest).map((error) => `${kind} ${namespace}/${name}: ${error}`),
    );
    expect(errors).toEqual([]);
  });

  it('has every object once', () => {
    const names = objects.map(({ apiVersion, kind, namespace, name }) => `${apiVersion} ${kind} ${namespace}/${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('fails on a field more, in any of its objects', () => {
    for (const { manifest, kind } of objects) {
      const field = ['spec', 'rules', 'data', 'subjects'].find((candidate) => candidate in manifest);
      const changed =
        field === 'spec' ? { ...manifest, spec: { ...(manifest.spec as object), mistyped: true } } : { ...manifest, mistyped: true };
      expect(validateManifest(changed), kind).toEqual([expect.stringContaining('mistyped: unknown field')]);
    }
  });
});
