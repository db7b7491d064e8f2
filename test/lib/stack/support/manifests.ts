import type { Chart } from 'cdk8s';
import { Testing } from 'cdk8s';

/** A printed Kubernetes object: plain JSON. */
// biome-ignore lint/suspicious/noExplicitAny: manifests are plain JSON, and tests reach deep into them
export type Manifest = any;

/** The objects of a chart as they are printed. */
export function synth(chart: Chart): Manifest[] {
  return Testing.synth(chart);
}

/** The one object of that kind and name; throws when there is none, so that a test cannot pass on `undefined`. */
export function find(objects: Manifest[], kind: string, name: string): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) {
    throw new Error(`${found.length} objects ${kind}/${name} among ${objects.map((o) => `${o.kind}/${o.metadata.name}`).join(', ')}`);
  }
  return found[0];
}

/** name -> value of the variables of a container that have a fixed value. */
export function environment(container: Manifest): Record<string, string> {
  return Object.fromEntries(
    (container.env ?? []).filter((env: Manifest) => env.value !== undefined).map((env: Manifest) => [env.name, env.value]),
  );
}
